#include "steps/rollback.h"

#include "base/log.h"
#include "base/stop.h"
#include "core/progress_note.h"
#include "core/restore/schema_text.h"
#include "steps/hooks.h"

static bool note(void *context, const char *part, const struct json *facts, struct err *e)
{
    struct run *run = context;
    bool swaps = strcmp(part, "swap") == 0, swapped = strcmp(part, "swapped") == 0;
    if (swaps && !runlock_check(run->arena, run->lock, e))
        return false;
    struct json *data = json_copy(facts);
    json_put(data, "part", part);
    return journal_write(run->journal, swaps || swapped ? "swap" : "rollback",
                         swaps     ? "begin"
                         : swapped ? "done"
                                   : "note",
                         data, NULL, e);
}

/* Prisma's own sessions must be gone, and nobody else of Prisma at work, before live is replaced.
 */
static bool quiet(struct run *run, struct err *e)
{
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, run->settings, NULL, e);
    return m != NULL &&
           prisma_sessions_end(run->arena, m, run->site.live.dbname, run->application_name, e) &&
           prisma_lock_wait(run->arena, m, run->site.live.dbname, run->settings->wait_ms, e);
}

static bool restore(struct run *run, struct err *e)
{
    struct progress_note told = progress_note_to(run->journal, "rollback", run->progress);
    struct rollback_spec spec = {
        .server = &run->site.server,
        .maintenance_database = run->settings->maintenance_database,
        .pg_bin = run->settings->pg_bin,
        .backup = &run->stored,
        .live = run->site.live.dbname,
        .live_oid = run->facts.oid,
        .run = run->id,
        .jobs = run->settings->jobs,
        .progress = progress_note_of(&told),
        .note = note,
        .context = run,
    };
    bool ok = rollback(run->arena, &spec, &run->rollback, e);
    progress_release(&told.progress);
    return ok;
}

static struct snapshot in_sense(struct arena *a, const struct snapshot *s)
{
    struct snapshot sense = {.lines = strlist_on(a), .digest = s->digest};
    for (size_t i = 0; i < s->lines.count; i++)
        strlist_add(&sense.lines, schema_text_sense(a, s->lines.items[i]));
    strlist_sort(&sense.lines);
    return sense;
}

/* The restored database must be what it was: its catalogs are compared with those before the
 * migration.  Rows were compared with the manifest before the swap. */
static void compare(struct run *run)
{
    struct err e = {0};
    struct snapshot now;
    AUTO(pg) struct pg *db = site_open_live(&run->site, NULL, &e);
    if (db == NULL || !snapshot_take(run->arena, db, &now, &e)) {
        run_warn_err(run, &e);
        return;
    }
    struct snapshot was = in_sense(run->arena, &run->schema_before),
                    is = in_sense(run->arena, &now);
    struct strlist differs = snapshot_difference(run->arena, &was, &is, 20);
    for (size_t i = 0; i < differs.count; i++)
        run_warn(run, "the restored catalogs differ: %s", differs.items[i]);
}

static bool roll_back_shielded(struct run *run, struct err *e)
{
    log_info("rolling back: restoring backup %s beside the database, then swapping",
             run->stored.id);
    struct json *facts = json_object();
    json_put(facts, "backup", run->stored.id);
    json_put(facts, "live", run->site.live.dbname);
    json_put(facts, "live_oid", run->facts.oid);
    if (!journal_write(run->journal, "rollback", "begin", facts, NULL, e))
        return false;
    bool ok = runlock_check(run->arena, run->lock, e) && quiet(run, e) && restore(run, e);
    struct err ignored = {0};
    if (!journal_write(run->journal, "rollback", ok ? "done" : "failed", NULL, ok ? NULL : e,
                       &ignored))
        log_err_as(LOG_WARNING, &ignored);
    run->rolled_back = run->rollback.swapped;
    if (!run->rolled_back)
        return err_wrap(e, "could not roll back");
    if (!ok) /* only its last note could not be journaled: live is the restored one */
        run_warn_err(run, e);
    if (run->rollback.lost_note != NULL)
        run_warn(run, "%s", run->rollback.lost_note);
    report_set_rollback(&run->report, &run->rollback);
    struct err late = {0};
    if (!store_add_verification(run->arena, &run->stored, "restore", "ok", &late))
        run_warn_err(run, &late);
    compare(run);
    return true;
}

bool roll_back(struct run *run, struct err *e)
{
    if (!run->changed)
        return true;
    if (run->elsewhere)
        return err_set(e, ERR_BROKEN, "Prisma did not work on database \"%s\"",
                       run->site.live.dbname);
    stop_shield(true);
    run_hooks_or_warn(run, HOOK_PRE_RESTORE, NULL);
    bool ok = roll_back_shielded(run, e);
    run_hooks_or_warn(run, HOOK_POST_RESTORE, NULL);
    stop_shield(false);
    return ok;
}
