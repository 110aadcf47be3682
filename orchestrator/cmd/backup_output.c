#include "cmd/backup_output.h"

#include "base/clock.h"

static void put_failure(const struct manifest_check *failed, struct json *to)
{
    if (failed == NULL) {
        json_put(to, "verification_failed", NULL);
        return;
    }
    struct json *j = json_put_object(to, "verification_failed");
    json_put(j, "level", failed->level);
    json_put(j, "at", failed->at);
    json_put(j, "result", failed->result);
}

static void put_facts(const struct manifest *m, struct json *to)
{
    const struct manifest_check *good = store_proven_by(m);
    json_put(to, "reason", m->reason);
    json_put(to, "label", m->label);
    json_put(to, "run", m->run);
    json_put(to, "database", m->database.name);
    json_put(to, "started_at", m->started_at);
    json_put(to, "finished_at", m->finished_at);
    json_put_int(to, "bytes", m->bytes);
    json_put_int(to, "tables", (int64_t)m->table_count);
    json_put_int(to, "rows", manifest_rows(m));
    json_put_bool(to, "pinned", m->pinned);
    json_put(to, "verified", good == NULL ? NULL : good->level);
    json_put(to, "verified_at", good == NULL ? NULL : good->at);
    put_failure(store_failed_by(m), to);
}

static void put_nothing(struct json *to)
{
    static const char *const keys[] = {"reason",
                                       "label",
                                       "run",
                                       "database",
                                       "started_at",
                                       "bytes",
                                       "finished_at",
                                       "tables",
                                       "rows",
                                       "pinned",
                                       "verified",
                                       "verified_at",
                                       "verification_failed"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        json_put(to, keys[i], NULL);
}

void backup_json(const struct stored *s, const struct retention_choice *choice, struct json *to)
{
    AUTO(arena) struct arena *a = arena_new();
    struct store_id id = {.kind = NULL};
    json_put(to, "id", s->id);
    json_put(to, "kind", store_id_parse(a, s->id, &id) ? id.kind : NULL);
    if (s->damage == NULL)
        put_facts(&s->manifest, to);
    else
        put_nothing(to);
    json_put(to, "damage", s->damage);
    json_put(to, "folder", s->folder);
    if (choice == NULL)
        return;
    json_put_bool(to, "keep", choice->keep);
    json_put(to, "why", choice->why);
}

char *backup_age(struct arena *a, int64_t taken_at)
{
    int64_t s = (int64_t)time(NULL) - taken_at;
    int64_t minutes = s / 60, hours = minutes / 60, days = hours / 24;
    if (minutes < 2)
        return arena_printf(a, "%lld s", (long long)(s < 0 ? 0 : s));
    if (hours < 2)
        return arena_printf(a, "%lld min", (long long)minutes);
    return days < 2 ? arena_printf(a, "%lld h", (long long)hours)
                    : arena_printf(a, "%lld days", (long long)days);
}

static const char *ago(struct arena *a, const struct manifest_check *check)
{
    int64_t at = clock_parse_rfc3339(check->at);
    return at < 0 ? "" : arena_printf(a, ", %s ago", backup_age(a, at));
}

char *backup_verified(struct arena *a, const struct manifest *m)
{
    const struct manifest_check *good = store_proven_by(m), *failed = store_failed_by(m);
    if (failed != NULL)
        return arena_printf(a, "FAILED: %s%s", one_line(a, failed->level), ago(a, failed));
    return good == NULL ? arena_strdup(a, "-")
                        : arena_printf(a, "%s%s", one_line(a, good->level), ago(a, good));
}

char *one_line(struct arena *a, const char *text)
{
    char *line = arena_strdup(a, text);
    for (char *p = line; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            *p = ' ';
    return line;
}

void print_table(const struct strlist *cells, size_t columns, FILE *to)
{
    AUTO(arena) struct arena *a = arena_new();
    int *widths = arena_array(a, columns, sizeof(*widths));
    for (size_t i = 0; i < cells->count; i++)
        if ((int)strlen(cells->items[i]) > widths[i % columns])
            widths[i % columns] = (int)strlen(cells->items[i]);
    for (size_t i = 0; i < cells->count; i++) {
        if ((i + 1) % columns == 0)
            fprintf(to, "%s\n", cells->items[i]);
        else
            fprintf(to, "%-*s  ", widths[i % columns], cells->items[i]);
    }
}
