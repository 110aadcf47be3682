#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "cmd/backup_output.h"
#include "cmd/cmd.h"
#include "cmd/progress_line.h"
#include "core/backup/backup.h"
#include "core/fence/clear.h"
#include "core/hook/hook.h"

struct options {
    const char *kind, *reason, *label;
    bool verbose;
};

static bool read_kind(const char *kind, unsigned *kinds, struct err *e)
{
    static const struct {
        const char *name;
        unsigned kinds;
    } known[] = {{"full", BACKUP_FULL}, {"data", BACKUP_DATA}, {"both", BACKUP_FULL | BACKUP_DATA}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i].name, kind) == 0) {
            *kinds = known[i].kinds;
            return true;
        }
    err_set(e, ERR_USAGE, "unknown kind of backup \"%s\"", kind);
    err_hint(e, "--kind is full, data or both.");
    return false;
}

static bool check_reason(const char *reason, struct err *e)
{
    static const char *const known[] = {"manual", "pre-deploy", "post-deploy", "hourly",
                                        "daily",  "weekly",     "emergency"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(known[i], reason) == 0)
            return true;
    err_set(e, ERR_USAGE, "unknown reason \"%s\"", reason);
    err_hint(e, "--reason is manual, pre-deploy, post-deploy, hourly, daily, weekly or emergency: "
                "how long a backup is kept goes by it.");
    return false;
}

/* A failure here is no failure of the backup. */
static void apply_retention(struct cmd_context *ctx, const char *database, struct strlist *removed)
{
    struct retention_run r = {.backup_dir = ctx->settings->backup_dir,
                              .database = database,
                              .rules = retention_of(ctx->settings)};
    struct err e = {0};
    if (!retention_apply(ctx->arena, &r, &e)) {
        err_wrap(&e, "could not remove old backups");
        log_err_as(LOG_WARNING, &e);
    }
    for (size_t i = 0; r.choices != NULL && i < r.store.count; i++)
        if (!r.choices[i].keep && !fs_exists(r.choices[i].backup->folder)) {
            log_info("removed backup %s (%s)", r.choices[i].backup->id, r.choices[i].why);
            strlist_add(removed, r.choices[i].backup->id);
        }
}

static void show(struct cmd_context *ctx, const struct backup_done *done,
                 const struct strlist *removed)
{
    const char *const ids[] = {done->full_id, done->data_id};
    const struct manifest *const manifests[] = {&done->manifest, &done->data};
    AUTO(json) struct json *j = json_object();
    struct json *list = json_put_array(j, "backups"), *gone = json_put_array(j, "removed");
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        if (ids[i] == NULL)
            continue;
        const struct stored s = {.id = ids[i],
                                 .folder = fs_join(ctx->arena, ctx->settings->backup_dir, ids[i]),
                                 .manifest = *manifests[i]};
        backup_json(&s, NULL, json_push_object(list));
        if (!ctx->json)
            fprintf(ctx->out, "%s  %s, %s, %s rows, %s\n", s.id,
                    str_bytes(ctx->arena, s.manifest.bytes),
                    str_plural(ctx->arena, (int64_t)s.manifest.table_count, "table", "tables"),
                    str_count(ctx->arena, manifest_rows(&s.manifest)),
                    clock_human_ms(ctx->arena, done->elapsed_ms));
    }
    for (size_t i = 0; i < removed->count; i++)
        json_push(gone, removed->items[i]);
    json_put_int(j, "elapsed_ms", done->elapsed_ms);
    if (ctx->json)
        cmd_print(ctx, TAKE(j));
}

static void add_to_report(struct run_report *r, const struct backup_spec *spec, const char *id,
                          const char *kind)
{
    if (id != NULL)
        report_add_backup(r, &(struct report_backup){
                                 .id = id,
                                 .kind = kind,
                                 .path = fs_join(r->arena, spec->backup_dir, id),
                             });
}

/* The backup between its hooks.  A run of its own, though without journal and report file: `end` is
 * told the verdict. */
static bool take(struct cmd_context *ctx, const struct backup_spec *spec, struct backup_done *done,
                 struct err *e)
{
    struct arena *a = ctx->arena;
    struct err late = {0};
    struct run_report report = report_new(a, NULL, "backup");
    const struct hook_run hooks = {
        .settings = ctx->settings, .report = &report, .reason = spec->reason};
    report.database = spec->live->dbname;
    report.host = spec->live->host;
    bool ok = hooks_run(a, &hooks, HOOK_PRE_BACKUP, e) && backup_take(a, spec, done, e);
    if (ok) {
        add_to_report(&report, spec, done->full_id, "full");
        add_to_report(&report, spec, done->data_id, "data");
    }
    if (ok && !hooks_run(a, &hooks, HOOK_POST_BACKUP, &late))
        log_err_as(LOG_WARNING, &late);
    report_end(&report, ok ? "done" : "failed", ok ? 0 : err_exit_status(e->kind), ok ? NULL : e);
    if (!hooks_run(a, &hooks, HOOK_END, &late))
        log_err_as(LOG_WARNING, &late);
    return ok;
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct options o = {.kind = "both", .reason = "manual"};
    const struct opt opts[] = {
        {"kind", OPT_TEXT, &o.kind, "KIND", "full, data, or both of one snapshot (default: both)"},
        {"reason", OPT_TEXT, &o.reason, "REASON",
         "manual (default), pre-deploy, post-deploy, hourly, daily, weekly, emergency"},
        {"label", OPT_TEXT, &o.label, "TEXT", "a note that list and show tell"},
        {"verbose", OPT_FLAG, &o.verbose, NULL, "a line in the log for every table"},
    };
    struct site site;
    unsigned kinds;
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e) || !read_kind(o.kind, &kinds, e) ||
        !check_reason(o.reason, e) || !cmd_site(ctx, &site, e) ||
        !hooks_check(ctx->arena, ctx->settings, e))
        return false;
    fence_clear_expired(ctx->arena, &site, ctx->settings);
    struct progress_line progress = progress_line_new(ctx->settings, o.verbose);
    const struct backup_spec spec = {
        .live = &site.live,
        .backup_dir = ctx->settings->backup_dir,
        .pg_bin = ctx->settings->pg_bin,
        .kinds = kinds,
        .reason = o.reason,
        .label = o.label,
        .project_dir = ctx->settings->project,
        .jobs = ctx->settings->jobs,
        .compression = ctx->settings->compression,
        .split_size = ctx->settings->split_size,
        .lock_timeout_ms = ctx->settings->lock_timeout_ms,
        .progress = progress_line_of(&progress),
    };
    struct backup_done done;
    struct strlist removed = strlist_on(ctx->arena);
    log_info("backing up %s", connection_label(ctx->arena, &site.live));
    bool ok = take(ctx, &spec, &done, e);
    progress_line_end(&progress);
    if (!ok)
        return false;
    apply_retention(ctx, done.manifest.database.name, &removed);
    show(ctx, &done, &removed);
    return true;
}

const struct command cmd_backup = {
    .name = "backup",
    .args = "",
    .summary = "back up the database: full, data only, or both of one snapshot",
    .details = "Writes below backup-dir. A full backup is a directory archive that pg_restore\n"
               "reads too; a data backup can also be restored into a changed schema. Then removes\n"
               "old backups by the rules of \"migsafe prune\".",
    .run = run,
};
