#include "core/rehearsal/rehearsal.h"

#include "base/clock.h"

/* Of long lists: report.json has all. */
enum { LINES_MAX = 5 };

/* --- JSON ---------------------------------------------------------------------------------------
 */

static void put_locks(const struct rehearsal *r, struct json *to)
{
    struct json *list = json_put_array(to, "locks");
    for (size_t i = 0; i < r->lock_count; i++) {
        struct json *j = json_push_object(list);
        json_put(j, "table", r->locks[i].table);
        json_put(j, "mode", r->locks[i].mode);
        json_put_int(j, "held_ms", r->locks[i].held_ms);
        json_put_bool(j, "blocks_writes", r->locks[i].blocks_writes);
        json_put_bool(j, "blocks_reads", r->locks[i].blocks_reads);
    }
}

void rehearsal_json(const struct rehearsal *r, struct json *to)
{
    json_put_bool(to, "done", r->done);
    json_put(to, "why", r->why);
    json_put_int(to, "restore_ms", r->restore_ms);
    json_put_int(to, "copy_ms", r->copy_ms);
    json_put_int(to, "migrate_ms", r->migrate_ms);
    json_put_int(to, "total_ms", r->total_ms);
    struct json *list = json_put_array(to, "migrations");
    for (size_t i = 0; i < r->migration_count; i++) {
        struct json *j = json_push_object(list);
        json_put(j, "name", r->migrations[i].name);
        json_put_int(j, "elapsed_ms", r->migrations[i].elapsed_ms);
    }
    put_locks(r, to);
    list = json_put_array(to, "rewritten");
    for (size_t i = 0; i < r->rewritten_count; i++) {
        struct json *j = json_push_object(list);
        json_put(j, "table", r->rewritten[i].table);
        json_put_int(j, "bytes_before", r->rewritten[i].bytes_before);
        json_put_int(j, "bytes_after", r->rewritten[i].bytes_after);
    }
    json_put_int(to, "wal_bytes", r->wal_bytes);
    json_put_int(to, "blocking_ms", r->blocking_ms);
    json_put_int(to, "sample_ms", r->sample_ms);
    json_put(to, "standby", r->standby);
    json_put(to, "no_standby", r->no_standby);
}

static const char *text_of(struct arena *a, const struct json *j, const char *key)
{
    const char *text = json_str(j, key, NULL);
    return text == NULL ? NULL : arena_strdup(a, text);
}

static void read_locks(struct arena *a, const struct json *list, struct rehearsal *r)
{
    r->locks = arena_array(a, json_count(list) + 1, sizeof(*r->locks));
    for (const struct json *j = json_first(list); j != NULL; j = json_next(j))
        r->locks[r->lock_count++] = (struct rehearsal_lock){
            .table = arena_strdup(a, json_str(j, "table", "?")),
            .mode = arena_strdup(a, json_str(j, "mode", "?")),
            .held_ms = json_int(j, "held_ms", 0),
            .blocks_writes = json_bool(j, "blocks_writes", false),
            .blocks_reads = json_bool(j, "blocks_reads", false),
        };
}

static void read_tables(struct arena *a, const struct json *list, struct rehearsal *r)
{
    r->rewritten = arena_array(a, json_count(list) + 1, sizeof(*r->rewritten));
    for (const struct json *j = json_first(list); j != NULL; j = json_next(j))
        r->rewritten[r->rewritten_count++] = (struct rehearsal_table){
            .table = arena_strdup(a, json_str(j, "table", "?")),
            .bytes_before = json_int(j, "bytes_before", 0),
            .bytes_after = json_int(j, "bytes_after", 0),
        };
}

struct rehearsal rehearsal_from_json(struct arena *a, const struct json *j)
{
    struct rehearsal r = {
        .done = json_bool(j, "done", false),
        .why = text_of(a, j, "why"),
        .restore_ms = json_int(j, "restore_ms", 0),
        .copy_ms = json_int(j, "copy_ms", 0),
        .migrate_ms = json_int(j, "migrate_ms", 0),
        .total_ms = json_int(j, "total_ms", 0),
        .wal_bytes = json_int(j, "wal_bytes", -1),
        .blocking_ms = json_int(j, "blocking_ms", 0),
        .sample_ms = json_int(j, "sample_ms", 0),
        .standby = text_of(a, j, "standby"),
        .no_standby = text_of(a, j, "no_standby"),
    };
    const struct json *list = json_find(j, "migrations");
    r.migrations = arena_array(a, json_count(list) + 1, sizeof(*r.migrations));
    for (const struct json *m = json_first(list); m != NULL; m = json_next(m))
        r.migrations[r.migration_count++] = (struct rehearsal_migration){
            .name = arena_strdup(a, json_str(m, "name", "?")),
            .elapsed_ms = json_int(m, "elapsed_ms", 0),
        };
    read_locks(a, json_find(j, "locks"), &r);
    read_tables(a, json_find(j, "rewritten"), &r);
    return r;
}

/* --- for people ---------------------------------------------------------------------------------
 */

static void summary(struct arena *a, const struct rehearsal *r, struct strlist *lines)
{
    struct str s = str_on(a);
    str_printf(&s, "ran on a copy for %s: restored in %s", clock_human_ms(a, r->migrate_ms),
               clock_human_ms(a, r->restore_ms));
    if (r->copy_ms > 0)
        str_printf(&s, ", copied in %s", clock_human_ms(a, r->copy_ms));
    if (r->wal_bytes >= 0)
        str_printf(&s, "; at most %s of WAL", str_bytes(a, r->wal_bytes));
    strlist_add(lines, s.text);
    if (r->no_standby != NULL)
        strlist_printf(lines, "  no standby for the way back: %s", r->no_standby);
    for (size_t i = 0; i < r->migration_count && i < LINES_MAX; i++)
        strlist_printf(lines, "  %s: %s", r->migrations[i].name,
                       clock_human_ms(a, r->migrations[i].elapsed_ms));
}

/* Levels that stop nobody who reads or writes are in the JSON only. */
static void lock_lines(struct arena *a, const struct rehearsal *r, struct strlist *lines)
{
    size_t shown = 0;
    if (r->blocking_ms > 0)
        strlist_printf(lines, "writers may have to wait for about %s in production",
                       clock_human_ms(a, r->blocking_ms));
    for (size_t i = 0; i < r->lock_count && shown < LINES_MAX; i++) {
        const struct rehearsal_lock *l = &r->locks[i];
        if (!l->blocks_writes)
            continue;
        strlist_printf(lines, "  %s: %s for %s: %s wait", l->table, l->mode,
                       l->held_ms > 0 ? clock_human_ms(a, l->held_ms) : "a moment",
                       l->blocks_reads ? "readers and writers" : "writers");
        shown++;
    }
}

struct strlist rehearsal_lines(struct arena *a, const struct rehearsal *r)
{
    struct strlist lines = strlist_on(a);
    if (!r->done) {
        if (r->why != NULL)
            strlist_printf(&lines, "not rehearsed: %s", r->why);
        return lines;
    }
    summary(a, r, &lines);
    lock_lines(a, r, &lines);
    for (size_t i = 0; i < r->rewritten_count && i < LINES_MAX; i++)
        strlist_printf(&lines, "rewritten: %s, %s before, %s after", r->rewritten[i].table,
                       str_bytes(a, r->rewritten[i].bytes_before),
                       str_bytes(a, r->rewritten[i].bytes_after));
    if (r->rewritten_count > LINES_MAX)
        strlist_printf(&lines, "... and %zu more rewritten", r->rewritten_count - LINES_MAX);
    return lines;
}
