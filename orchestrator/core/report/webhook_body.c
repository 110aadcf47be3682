#include "core/report/report.h"

static const char *event(struct arena *a, const struct run_report *r)
{
    if (r->verdict != NULL && (r->recovered || strcmp(r->command, "deploy") == 0))
        return arena_printf(a, "%s.%s", r->recovered ? "recover" : r->command, r->verdict);
    return arena_printf(a, "%s.%s", r->command, r->exit_status == 0 ? "done" : "failed");
}

/* The one to restore from: the full one where there is one. */
static const struct report_backup *main_backup(const struct run_report *r)
{
    for (size_t i = 0; i < r->backups.count; i++)
        if (str_same(r->backups.items[i].kind, "full"))
            return &r->backups.items[i];
    return r->backups.count == 0 ? NULL : &r->backups.items[0];
}

static void put_backups(const struct run_report *r, struct json *to)
{
    struct json *list = json_put_array(to, "backups");
    for (size_t i = 0; i < r->backups.count; i++)
        json_push(list, r->backups.items[i].id);
    const struct report_backup *b = main_backup(r);
    json_put(to, "backup_file", b == NULL ? NULL : b->path);
    if (b == NULL)
        json_put(to, "backup_size", NULL);
    else
        json_put_int(to, "backup_size", b->bytes);
}

static void put_lost(struct arena *a, const struct run_report *r, struct json *to)
{
    struct json *list = json_put_array(to, "lost_writes");
    for (size_t i = 0; i < r->lost_count; i++) {
        const struct lost_writes *w = &r->lost[i];
        struct json *j = json_push_object(list);
        json_put(j, "table", arena_printf(a, "%s.%s", w->schema, w->table));
        json_put_int(j, "written", w->written);
        json_put_int(j, "rows_then", w->rows_then);
        json_put_int(j, "rows_now", w->rows_now);
    }
}

struct json *webhook_body(const struct run_report *r)
{
    AUTO(arena) struct arena *a = arena_new();
    struct json *j = json_object();
    json_put(j, "event", event(a, r));
    json_put(j, "status", r->exit_status == 0 ? "success" : "failed");
    json_put(j, "verdict", r->verdict);
    if (r->exit_status >= 0)
        json_put_int(j, "exit", r->exit_status);
    else
        json_put(j, "exit", NULL);
    json_put(j, "run", r->run);
    json_put(j, "database", r->database);
    json_put(j, "host", r->host);
    struct json *migrations = json_put_array(j, "migrations");
    for (size_t i = 0; i < r->migrations.count; i++)
        json_push(migrations, r->migrations.items[i].name);
    json_put_int(j, "attempts", (int64_t)r->attempts.count);
    json_put(j, "error", r->error.kind == ERR_NONE ? NULL : r->error.message);
    put_backups(r, j);
    json_put(j, "kept_database", r->kept_database);
    put_lost(a, r, j);
    json_put(j, "lost_writes_file", r->lost_rows.path);
    json_put(j, "replay", report_replay(r));
    json_put(j, "git_commit", r->git_commit);
    json_put(j, "next", r->next);
    return j;
}
