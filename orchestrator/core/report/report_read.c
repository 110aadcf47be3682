#include "core/report/report.h"

static const char *text_of(struct arena *a, const struct json *j, const char *key)
{
    const char *text = json_str(j, key, NULL);
    return text == NULL ? NULL : arena_strdup(a, text);
}

/* Of what the others rely on: never NULL. */
static const char *name_of(struct arena *a, const struct json *j, const char *key)
{
    return arena_strdup(a, json_str(j, key, "?"));
}

static enum err_kind kind_of(const char *name)
{
    static const enum err_kind kinds[] = {
#define X(symbol, kind_name, exit_status, http_status) symbol,
        ERR_KINDS(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(err_kind_name(kinds[i]), name) == 0)
            return kinds[i];
    return ERR_INTERNAL;
}

static void read_error(const struct json *j, struct err *e)
{
    *e = (struct err){0};
    if (j == NULL)
        return;
    e->kind = kind_of(json_str(j, "kind", ""));
    snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", json_str(j, "sqlstate", ""));
    snprintf(e->message, sizeof(e->message), "%s", json_str(j, "message", ""));
    snprintf(e->detail, sizeof(e->detail), "%s", json_str(j, "detail", ""));
    snprintf(e->hint, sizeof(e->hint), "%s", json_str(j, "hint", ""));
}

static struct prisma_blocker read_blocker(struct arena *a, const struct json *j)
{
    return (struct prisma_blocker){
        .pid = (int)json_int(j, "pid", 0),
        .application = text_of(a, j, "application"),
        .query = text_of(a, j, "query"),
        .waiting_statement = text_of(a, j, "waiting"),
        .waited_ms = json_int(j, "waited_ms", 0),
    };
}

/* The items of a list are copied one by one; those of another type are what they are: empty. */
static void read_attempts(struct run_report *r, const struct json *list)
{
    size_t n = json_count(list);
    struct report_attempt *items = arena_array(r->arena, n + 1, sizeof(*items));
    for (size_t i = 0; i < n; i++) {
        const struct json *j = json_at(list, i);
        items[i] = (struct report_attempt){
            .number = (int)json_int(j, "number", 0),
            .class = name_of(r->arena, j, "class"),
            .code = text_of(r->arena, j, "code"),
            .sqlstate = text_of(r->arena, j, "sqlstate"),
            .migration = text_of(r->arena, j, "migration"),
            .message = text_of(r->arena, j, "message"),
            .elapsed_ms = json_int(j, "elapsed_ms", 0),
            .blocker = read_blocker(r->arena, json_find(j, "blocker")),
        };
    }
    r->attempts.items = items;
    r->attempts.count = r->attempts.size = n;
}

static void read_lost(struct run_report *r, const struct json *list)
{
    size_t n = json_count(list);
    struct lost_writes *items = arena_array(r->arena, n + 1, sizeof(*items));
    for (size_t i = 0; i < n; i++) {
        const struct json *j = json_at(list, i);
        items[i] = (struct lost_writes){
            .schema = name_of(r->arena, j, "schema"),
            .table = name_of(r->arena, j, "table"),
            .rows_then = json_int(j, "rows_then", 0),
            .rows_now = json_int(j, "rows_now", 0),
            .written = json_int(j, "written", 0),
            .inserted = json_int(j, "inserted", -1),
            .updated = json_int(j, "updated", -1),
            .deleted = json_int(j, "deleted", -1),
        };
    }
    r->lost = items;
    r->lost_count = n;
}

static void read_lost_rows(struct run_report *r, const struct json *from)
{
    const struct json *list = json_find(from, "lost_rows");
    size_t n = json_count(list);
    struct lost_rows_table *items = arena_array(r->arena, n + 1, sizeof(*items));
    for (size_t i = 0; i < n; i++) {
        const struct json *j = json_at(list, i);
        items[i] = (struct lost_rows_table){
            .schema = name_of(r->arena, j, "schema"),
            .table = name_of(r->arena, j, "table"),
            .inserts = json_int(j, "inserts", 0),
            .updates = json_int(j, "updates", 0),
            .deletes = json_int(j, "deletes", 0),
            .of_migration = json_bool(j, "of_migration", false),
            .note = text_of(r->arena, j, "note"),
        };
    }
    r->lost_rows = (struct lost_rows){.path = text_of(r->arena, from, "lost_writes_file"),
                                      .tables = items,
                                      .count = n,
                                      .note = text_of(r->arena, from, "lost_rows_note")};
}

static void read_lists(struct run_report *r, const struct json *j)
{
    struct arena *a = r->arena;
    const struct json *list = json_find(j, "migrations");
    for (size_t i = 0; i < json_count(list); i++)
        report_add_migration(r, name_of(a, json_at(list, i), "name"),
                             text_of(a, json_at(list, i), "checksum"));
    list = json_find(j, "backups");
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *b = json_at(list, i);
        report_add_backup(r, &(struct report_backup){
                                 .id = name_of(a, b, "id"),
                                 .kind = text_of(a, b, "kind"),
                                 .path = text_of(a, b, "path"),
                                 .bytes = json_int(b, "bytes", 0),
                                 .rows = json_int(b, "rows", 0),
                             });
    }
    list = json_find(j, "steps");
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *s = json_at(list, i);
        report_add_step(r, name_of(a, s, "name"), name_of(a, s, "result"),
                        json_int(s, "elapsed_ms", 0));
    }
    list = json_find(j, "warnings");
    for (size_t i = 0; i < json_count(list); i++)
        if (json_text_of(json_at(list, i)) != NULL)
            strlist_add(&r->warnings, arena_strdup(a, json_text_of(json_at(list, i))));
    read_attempts(r, json_find(j, "attempts"));
    read_lost(r, json_find(j, "lost_writes"));
    read_lost_rows(r, j);
    findings_add_json(&r->findings, json_find(j, "findings"));
    findings_add_json(&r->baseline, json_find(j, "baseline"));
}

bool report_from_json(struct arena *a, const struct json *j, struct run_report *r, struct err *e)
{
    int64_t format;
    const char *run, *command;
    if (!json_is_object(j))
        return err_set(e, ERR_DAMAGED, "not a report");
    if (!json_need_int(j, "format", &format, e) || !json_need_str(j, "run", &run, e) ||
        !json_need_str(j, "command", &command, e))
        return err_wrap(e, "not a report");
    if (format > REPORT_FORMAT) {
        err_set(e, ERR_DAMAGED, "report format %lld is newer than this migsafe knows",
                (long long)format);
        err_hint(e, "Update migsafe.");
        return false;
    }
    const struct json *kept = json_find(j, "kept");
    *r = (struct run_report){
        .arena = a,
        .run = arena_strdup(a, run),
        .command = arena_strdup(a, command),
        .recovered = json_bool(j, "recovered", false),
        .verdict = text_of(a, j, "verdict"),
        .exit_status = (int)json_int(j, "exit", -1),
        .started_at = text_of(a, j, "started_at"),
        .finished_at = text_of(a, j, "finished_at"),
        .elapsed_ms = json_int(j, "elapsed_ms", 0),
        .database = text_of(a, j, "database"),
        .host = text_of(a, j, "host"),
        .git_commit = text_of(a, j, "git_commit"),
        .git_branch = text_of(a, j, "git_branch"),
        .migsafe_version = text_of(a, j, "version"),
        .findings = findings_on(a),
        .baseline = findings_on(a),
        .kept_database = text_of(a, kept, "name"),
        .kept_drop_command = text_of(a, kept, "drop"),
        .kept_bytes = json_int(kept, "bytes", 0),
        .swap_blocked_ms = json_int(j, "swap_blocked_ms", -1),
        .writes_refused_ms = json_int(j, "writes_refused_ms", -1),
        .rehearsal = rehearsal_from_json(a, json_find(j, "rehearsal")),
        .warnings = strlist_on(a),
        .next = text_of(a, j, "next"),
    };
    read_error(json_find(j, "error"), &r->error);
    read_lists(r, j);
    return true;
}
