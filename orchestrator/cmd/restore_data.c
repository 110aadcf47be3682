#include "cmd/restore_data.h"
#include "cmd/backup_find.h"

#include "base/clock.h"
#include "base/log.h"
#include "cmd/emergency.h"
#include "cmd/restore_data_print.h"
#include "cmd/restore_data_side.h"
#include "cmd/restore_end.h"
#include "core/restore/data_scan.h"
#include "core/restore/data_trial.h"
#include "core/runlock.h"
#include "steps/earlier.h"
#include "steps/recover.h"

enum { KEPT_MS = 30 * 1000 };

struct job {
    struct cmd_context *ctx;
    const struct site *site;
    const struct restore_data_options *options;
    const char *run;
    struct stored backup;
    struct connection to; /* live, as the role that works beside it: it may more */
    struct pg *planner;   /* the session that has read the catalog; NULL: it is not kept */
    struct deadline kept; /* until when: one that idles longer may be cut off unnoticed */
    struct data_wishes wishes;
    struct live live;
    struct data_scans scans;
    struct data_trials trials;
    struct data_plan plan;
    struct journal *journal;
    struct run_report report;
    struct runlock *lock;
    struct stored saved;            /* the emergency backup */
    struct restore_data_side *side; /* with --side */
    struct data_applied done;
};

struct restore_data_options restore_data_options(struct arena *a)
{
    return (struct restore_data_options){.maps = strlist_on(a), .defaults = strlist_on(a)};
}

/* The first option that only data has. */
static const char *first_option(const struct restore_data_options *o)
{
    const struct {
        bool given;
        const char *name;
    } options[] = {
        {o->replace, "replace"},
        {o->merge != NULL, "merge"},
        {o->accept_loss, "accept-loss"},
        {o->triggers, "triggers"},
        {o->maps.count > 0, "map"},
        {o->defaults.count > 0, "default"},
        {o->other_database, "other-database"},
        {o->side, "side"},
    };
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (options[i].given)
            return options[i].name;
    return NULL;
}

bool restore_data_asked(struct arena *a, const char *id, const struct restore_data_options *o,
                        bool *asked, struct err *e)
{
    struct store_id parsed;
    const char *given = first_option(o);
    *asked = o->data_only || (store_id_parse(a, id, &parsed) && strcmp(parsed.kind, "data") == 0);
    if (*asked || given == NULL)
        return true;
    err_set(e, ERR_USAGE, "--%s is for restoring data only, and \"%s\" is no data backup", given,
            id);
    err_hint(e, "Add --data-only to restore only the rows of a full backup.");
    return false;
}

static bool read_wishes(struct job *j, struct err *e)
{
    const struct restore_data_options *o = j->options;
    j->wishes = (struct data_wishes){.accept_loss = o->accept_loss,
                                     .triggers = o->triggers,
                                     .side = o->side,
                                     .maps = o->maps,
                                     .defaults = o->defaults};
    if (o->replace && o->merge != NULL)
        return err_set(e, ERR_USAGE, "--replace and --merge cannot go together");
    if (o->replace)
        j->wishes.mode = DATA_REPLACE;
    if (o->merge == NULL)
        return true;
    j->wishes.mode = strcmp(o->merge, "update") == 0 ? DATA_UPDATE : DATA_SKIP;
    if (j->wishes.mode == DATA_UPDATE || strcmp(o->merge, "skip") == 0)
        return true;
    err_set(e, ERR_USAGE, "unknown way to merge \"%s\"", o->merge);
    err_hint(e, "--merge skip keeps rows that are there, --merge update overwrites them.");
    return false;
}

static bool find_backup(struct job *j, const char *id, struct err *e)
{
    const struct settings *s = j->ctx->settings;
    const char *live = j->site->live.dbname;
    if (!store_find(j->ctx->arena, s->backup_dir, id, &j->backup, e))
        return false;
    const char *of = j->backup.manifest.database.name;
    if (strcmp(of, live) != 0 && !j->options->other_database) {
        err_set(e, ERR_USAGE, "backup \"%s\" is of database \"%s\", not of \"%s\"", id, of, live);
        err_hint(e, "Add --other-database when that is meant.");
        return false;
    }
    log_info("checking the files of backup %s", id);
    return store_verify_files(j->ctx->arena, &j->backup, e);
}

static bool note_commit(void *context, const char *transaction, struct err *e)
{
    struct job *j = context;
    struct json *facts = json_object();
    json_put(facts, "part", "in place");
    json_put(facts, "transaction", transaction);
    return journal_write(j->journal, "restore", "note", facts, NULL, e);
}

static struct data_apply_spec apply_spec(struct job *j)
{
    return (struct data_apply_spec){
        .to = &j->to,
        .folder = j->backup.folder,
        .plan = &j->plan,
        .scans = &j->scans,
        .trials = &j->trials,
        .lock_timeout_ms = j->ctx->settings->lock_timeout_ms,
        .jobs = j->ctx->settings->jobs,
        .progress = j->options->progress,
        .application_name = arena_printf(j->ctx->arena, "migsafe:%s", j->run),
        .committing = note_commit,
        .context = j,
    };
}

/* Three times: each plan says what else must be known. */
static bool make_plan(struct job *j, struct err *e)
{
    struct arena *a = j->ctx->arena;
    struct manifest *m = &j->backup.manifest;
    const struct session_use use = {.application_name = "migsafe"};
    struct data_inputs from = {.manifest = m, .live = &j->live, .wishes = &j->wishes};
    size_t count;
    AUTO(pg) struct pg *db = connection_open(&j->to, &use, e);
    if (db == NULL || !live_read(a, db, m, &j->live, e))
        return false;
    backup_warn_elsewhere(a, db, &j->backup);
    live_mark_generated(&j->live, m);
    if (!data_plan_make(a, &from, &j->plan, e))
        return false;
    struct live_table **targets = data_plan_targets(a, &j->plan, &count);
    if (!live_count(a, db, targets, count, e))
        return false;
    j->scans = j->plan.wanted;
    from.scans = &j->scans;
    if (!data_scan(a, j->backup.folder, m, &j->scans, e) || !data_plan_make(a, &from, &j->plan, e))
        return false;
    const struct data_apply_spec trial = apply_spec(j);
    from.trials = &j->trials;
    if (!data_try(a, &trial, &j->trials, e) || !data_plan_make(a, &from, &j->plan, e))
        return false;
    if (!j->options->dry_run && !j->options->side) { /* a swap ends all sessions there */
        j->kept = deadline_in(KEPT_MS);
        j->planner = TAKE(db);
    }
    return true;
}

/* Once: who gets it closes it. */
static struct pg *take_planner(struct job *j)
{
    AUTO(pg) struct pg *db = TAKE(j->planner);
    return deadline_passed(&j->kept) ? NULL : TAKE(db);
}

static void begin_report(struct job *j)
{
    const struct manifest *m = &j->backup.manifest;
    j->report = report_new(j->ctx->arena, j->run, "restore");
    report_add_backup(&j->report, &(struct report_backup){.id = j->backup.id,
                                                          .kind = m->kind,
                                                          .path = j->backup.folder,
                                                          .bytes = m->bytes,
                                                          .rows = manifest_rows(m)});
    j->report.database = j->site->live.dbname;
    j->report.host = j->site->live.host;
}

static bool write_begin(struct job *j, struct err *e)
{
    struct json *facts = json_object();
    json_put(facts, "database", j->site->live.dbname);
    json_put(facts, "host", j->site->live.host);
    json_put(facts, "server", runlock_server(j->lock));
    json_put(facts, "backup", j->backup.id);
    json_put_bool(facts, "data_only", true);
    json_put(facts, "live_oid", j->options->side ? j->live.oid : NULL);
    return journal_write(j->journal, "run", "begin", facts, NULL, e);
}

static bool run_hooks(struct job *j, enum hook_point point, struct err *e)
{
    const struct hook_run hooks = {
        .settings = j->ctx->settings, .report = &j->report, .journal = j->journal};
    return hooks_run(j->ctx->arena, &hooks, point, e);
}

/* The way back from what follows: of all that is there now. */
static bool back_up(struct job *j, struct err *e)
{
    struct arena *a = j->ctx->arena;
    const char *label = arena_printf(a, "before the data of %s", j->backup.id);
    if (!journal_write(j->journal, "backup", "begin", NULL, NULL, e) ||
        !emergency_backup(j->ctx, &j->to, j->run, label, &j->saved, e))
        return false;
    const struct report_backup b = {
        .id = j->saved.id,
        .kind = "full",
        .path = j->saved.folder,
        .bytes = j->saved.manifest.bytes,
        .rows = manifest_rows(&j->saved.manifest),
    };
    report_add_backup(&j->report, &b);
    struct json *facts = json_object();
    json_put(facts, "id", j->saved.id);
    return journal_write(j->journal, "backup", "done", facts, NULL, e);
}

static bool apply_aside(struct job *j, struct err *e)
{
    j->side = ARENA_NEW(j->ctx->arena, struct restore_data_side);
    *j->side = (struct restore_data_side){
        .ctx = j->ctx,
        .site = j->site,
        .run = j->run,
        .journal = j->journal,
        .lock = j->lock,
        .saved = &j->saved,
        .apply = apply_spec(j),
        .done = &j->done,
    };
    bool ok = restore_data_side(j->side, e);
    if (j->side->result.swapped)
        report_set_rollback(&j->report, &j->side->result);
    return ok;
}

static bool apply(struct job *j, struct err *e)
{
    struct data_apply_spec spec = apply_spec(j);
    spec.saved = &j->saved.manifest;
    spec.session = take_planner(j);
    log_info("restoring the data of backup %s", j->backup.id);
    if (!journal_write(j->journal, "data", "begin", NULL, NULL, e))
        return false;
    bool ok = j->options->side ? apply_aside(j, e) : data_apply(j->ctx->arena, &spec, &j->done, e);
    for (size_t i = 0; i < j->done.warnings.count; i++) {
        log_warning("%s", j->done.warnings.items[i]);
        strlist_add(&j->report.warnings, j->done.warnings.items[i]);
    }
    if (!ok)
        return false;
    struct json *facts = json_object();
    json_put_int(facts, "rows_inserted", j->done.inserted);
    json_put_int(facts, "rows_deleted", j->done.deleted);
    return journal_write(j->journal, "data", "done", facts, NULL, e);
}

static bool between_hooks(struct job *j, struct err *e)
{
    struct err late = {0};
    bool ok = run_hooks(j, HOOK_PRE_RESTORE, e) && back_up(j, e) && apply(j, e);
    if (!run_hooks(j, HOOK_POST_RESTORE, &late))
        restore_warn(j->ctx->arena, &j->report, &late);
    return ok;
}

static void conclude(struct job *j, const struct err *error)
{
    const struct restore_end end = {.settings = j->ctx->settings,
                                    .journal = j->journal,
                                    .report = &j->report,
                                    .restored = j->done.committed};
    restore_end(j->ctx->arena, &end, error);
}

/* Whoever lost the server while it committed does not know: a run without an end says so. */
static bool carry_out(struct job *j, struct err *e)
{
    int64_t began = clock_ms();
    AUTO(journal)
    struct journal *journal = journal_open(j->ctx->settings->state_dir, j->run, "restore", e);
    j->journal = journal;
    begin_report(j);
    if (journal == NULL || !write_begin(j, e))
        return false;
    bool ok = between_hooks(j, e);
    if (!j->done.unknown)
        conclude(j, ok ? NULL : e);
    if (!ok && !j->done.committed && !j->done.unknown)
        log_info("database \"%s\" is as it was", j->site->live.dbname);
    if (ok || j->done.committed)
        restore_data_print_done(j->ctx, &(struct restore_data_result){
                                            .backup = &j->backup,
                                            .plan = &j->plan,
                                            .done = &j->done,
                                            .run = j->run,
                                            .emergency = j->saved.id,
                                            .swapped = j->side == NULL ? NULL : &j->side->result,
                                            .elapsed_ms = clock_ms() - began});
    return ok;
}

static bool carry_out_locked(struct job *j, struct err *e)
{
    struct earlier earlier;
    struct arena *a = j->ctx->arena;
    const struct settings *s = j->ctx->settings;
    AUTO(runlock)
    struct runlock *lock = runlock_take(a, j->site, s, j->run, "restore", e);
    j->lock = lock;
    return lock != NULL && recover_first(a, s, j->site, lock, e) &&
           earlier_read(a, s->state_dir,
                        &(struct earlier_of){j->site->live.dbname, runlock_server(lock)}, &earlier,
                        e) &&
           earlier_refuse_broken(&earlier, e) && carry_out(j, e);
}

static const char *question(const struct job *j)
{
    struct arena *a = j->ctx->arena;
    return arena_printf(
        a,
        "%s of backup %s go into database \"%s\"%s. A full backup of it is taken "
        "before.%s",
        str_plural(a, j->plan.rows, "row", "rows"), j->backup.id, j->plan.live->database,
        j->plan.deleted == 0 ? ""
                             : arena_printf(a, ", %s there now deleted",
                                            str_plural(a, j->plan.deleted, "row is", "rows are")),
        j->options->side
            ? " A copy takes its place: its sessions are ended, it is kept under another"
              " name, with what others write to it meanwhile."
            : "");
}

static bool preview(struct job *j, struct err *e)
{
    struct json *document;
    if (!j->ctx->json) {
        restore_data_print_plan(j->ctx, j->ctx->out, &j->backup, &j->plan);
        fflush(j->ctx->out);
    } else if (j->options->dry_run) {
        document = restore_data_plan_json(j->ctx, &j->backup, &j->plan);
        json_put_bool(document, "dry_run", true);
        cmd_print(j->ctx, document);
    }
    return data_plan_check(j->ctx->arena, &j->plan, e);
}

bool restore_data(struct cmd_context *ctx, const struct site *site, const char *id, const char *run,
                  const struct restore_data_options *o, struct err *e)
{
    struct job j = {.ctx = ctx, .site = site, .options = o, .run = run};
    j.to = connection_to(&site->server, site->live.dbname);
    bool ok = read_wishes(&j, e) && hooks_check(ctx->arena, ctx->settings, e) &&
              (!o->side || restore_data_side_look(ctx, site, e)) && find_backup(&j, id, e) &&
              make_plan(&j, e) && preview(&j, e) &&
              (o->dry_run || (cmd_confirm(ctx, o->yes, question(&j), site->live.dbname, e) &&
                              carry_out_locked(&j, e)));
    pg_close(j.planner);
    return ok;
}
