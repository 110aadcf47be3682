#include "core/report/report.h"

#include "base/fs.h"

enum { REPORT_BYTES_MAX = 64 * 1024 * 1024 };

static void put_migrations(const struct run_report *r, struct json *to)
{
    struct json *list = json_put_array(to, "migrations");
    for (size_t i = 0; i < r->migrations.count; i++) {
        struct json *j = json_push_object(list);
        json_put(j, "name", r->migrations.items[i].name);
        json_put(j, "checksum", r->migrations.items[i].checksum);
    }
}

static void put_blocker(const struct prisma_blocker *b, struct json *to)
{
    struct json *j = json_put_object_if(to, "blocker", b->pid != 0);
    if (j == NULL)
        return;
    json_put_int(j, "pid", b->pid);
    json_put(j, "application", b->application);
    json_put(j, "query", b->query);
    json_put(j, "waiting", b->waiting_statement);
    json_put_int(j, "waited_ms", b->waited_ms);
}

static void put_attempts(const struct run_report *r, struct json *to)
{
    struct json *list = json_put_array(to, "attempts");
    for (size_t i = 0; i < r->attempts.count; i++) {
        const struct report_attempt *t = &r->attempts.items[i];
        struct json *j = json_push_object(list);
        json_put_int(j, "number", t->number);
        json_put(j, "class", t->class);
        json_put(j, "code", t->code);
        json_put(j, "sqlstate", t->sqlstate);
        json_put(j, "migration", t->migration);
        json_put(j, "message", t->message);
        json_put_int(j, "elapsed_ms", t->elapsed_ms);
        put_blocker(&t->blocker, j);
    }
}

static void put_backups(const struct run_report *r, struct json *to)
{
    struct json *list = json_put_array(to, "backups");
    for (size_t i = 0; i < r->backups.count; i++) {
        const struct report_backup *b = &r->backups.items[i];
        struct json *j = json_push_object(list);
        json_put(j, "id", b->id);
        json_put(j, "kind", b->kind);
        json_put(j, "path", b->path);
        json_put_int(j, "bytes", b->bytes);
        json_put_int(j, "rows", b->rows);
    }
}

static void put_steps(const struct run_report *r, struct json *to)
{
    struct json *list = json_put_array(to, "steps");
    for (size_t i = 0; i < r->steps.count; i++) {
        struct json *j = json_push_object(list);
        json_put(j, "name", r->steps.items[i].name);
        json_put(j, "result", r->steps.items[i].result);
        json_put_int(j, "elapsed_ms", r->steps.items[i].elapsed_ms);
    }
}

static void put_kept(const struct run_report *r, struct json *to)
{
    struct json *j = json_put_object_if(to, "kept", r->kept_database != NULL);
    if (j == NULL)
        return;
    json_put(j, "name", r->kept_database);
    json_put_int(j, "bytes", r->kept_bytes);
    json_put(j, "drop", r->kept_drop_command);
}

static void put_lost(const struct run_report *r, struct json *to)
{
    struct json *list = json_put_array(to, "lost_writes");
    for (size_t i = 0; i < r->lost_count; i++) {
        const struct lost_writes *w = &r->lost[i];
        struct json *j = json_push_object(list);
        json_put(j, "schema", w->schema);
        json_put(j, "table", w->table);
        json_put_int(j, "rows_then", w->rows_then);
        json_put_int(j, "rows_now", w->rows_now);
        json_put_int(j, "written", w->written);
        json_put_int(j, "inserted", w->inserted);
        json_put_int(j, "updated", w->updated);
        json_put_int(j, "deleted", w->deleted);
    }
}

struct json *report_json(const struct run_report *r)
{
    struct json *j = json_object();
    json_put_int(j, "format", REPORT_FORMAT);
    json_put(j, "run", r->run);
    json_put(j, "command", r->command);
    json_put_bool(j, "recovered", r->recovered);
    json_put(j, "verdict", r->verdict);
    if (r->exit_status >= 0)
        json_put_int(j, "exit", r->exit_status);
    else
        json_put(j, "exit", NULL);
    json_put(j, "started_at", r->started_at);
    json_put(j, "finished_at", r->finished_at);
    json_put_int(j, "elapsed_ms", r->elapsed_ms);
    json_put(j, "database", r->database);
    json_put(j, "host", r->host);
    json_put(j, "git_commit", r->git_commit);
    json_put(j, "git_branch", r->git_branch);
    json_put(j, "version", r->migsafe_version);
    put_migrations(r, j);
    put_attempts(r, j);
    put_backups(r, j);
    put_steps(r, j);
    findings_json(&r->findings, json_put_array(j, "findings"));
    findings_json(&r->baseline, json_put_array(j, "baseline"));
    json_put_err(j, "error", &r->error);
    put_kept(r, j);
    put_lost(r, j);
    lost_rows_json(&r->lost_rows, j);
    json_put(j, "replay", report_replay(r));
    json_put_int(j, "swap_blocked_ms", r->swap_blocked_ms);
    json_put_int(j, "writes_refused_ms", r->writes_refused_ms);
    if (r->rehearsal.done || r->rehearsal.why != NULL)
        rehearsal_json(&r->rehearsal, json_put_object(j, "rehearsal"));
    else
        json_put(j, "rehearsal", NULL);
    struct json *warnings = json_put_array(j, "warnings");
    for (size_t i = 0; i < r->warnings.count; i++)
        json_push(warnings, r->warnings.items[i]);
    json_put(j, "next", r->next);
    return j;
}

static const char *report_path(struct arena *a, const char *state_dir, const char *run)
{
    return arena_printf(a, "%s/runs/%s/report.json", state_dir, run);
}

bool report_write(struct arena *a, const char *state_dir, const struct run_report *r, struct err *e)
{
    const char *path = report_path(a, state_dir, r->run);
    AUTO(json) struct json *j = report_json(r);
    const char *text = json_pretty(a, j);
    return (fs_mkdirs(a, fs_dirname(a, path), e) &&
            fs_write_atomic(a, path, text, strlen(text), e)) ||
           err_wrap(e, "could not write the report of run %s", r->run);
}

bool report_read(struct arena *a, const char *state_dir, const char *run, struct run_report *r,
                 struct err *e)
{
    char *text;
    size_t length;
    /* A run's id, not a way out of the folder. */
    if (run[0] == '\0' || run[0] == '.' || strchr(run, '/') != NULL)
        return err_set(e, ERR_NOT_FOUND, "no such run: \"%s\"", run);
    const char *path = report_path(a, state_dir, run);
    if (!fs_read(a, path, REPORT_BYTES_MAX, &text, &length, e))
        return err_wrap(e, "could not read the report of run %s", run);
    AUTO(json) struct json *j = json_parse(text, length, e);
    return (j != NULL && report_from_json(a, j, r, e)) || err_wrap(e, "file \"%s\"", path);
}
