#include "steps/rollback.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "core/progress_note.h"
#include "core/rehearsal/copies.h"
#include "core/restore/schema_text.h"
#include "steps/hooks.h"

enum {
    TRIES = 3, /* of a restore whose connections are lost */
    PAUSE_MS = 1000,
    PAUSE_MAX_MS = 8000,
};

static bool hold_lock(struct run *run, struct err *e)
{
    return runlock_hold(run->arena, run->lock, &run->site, run->settings, e);
}

static bool note(void *context, const char *part, const struct json *facts, struct err *e)
{
    struct run *run = context;
    bool swaps = strcmp(part, "swap") == 0, swapped = strcmp(part, "swapped") == 0;
    if (swaps && !hold_lock(run, e))
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

/* Prisma's sessions are gone: nothing from here on is the migration's. */
static const char *xid_now(struct run *run)
{
    struct err e = {0};
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, run->settings, NULL, &e);
    return m == NULL ? NULL : run_next_xid(run, m, &e);
}

/* The standby is the restored backup of this run, if it is there still; a recover has found it
 * before. */
static void take_standby(struct run *run)
{
    struct err e = {0};
    const struct rehearsal *r = &run->rehearsal;
    if (r->standby == NULL || run->in_place || run->proven_side_oid != NULL)
        return;
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, run->settings, NULL, &e);
    if (m == NULL)
        return; /* looked for again when the server answers */
    if (!copies_are_there(run->arena, m, r->standby, r->standby_oid)) {
        run_warn(run, "the standby \"%s\" is not there any more: the backup is restored again",
                 r->standby);
        run->rehearsal.standby = NULL;
        return;
    }
    run->proven_side = r->standby;
    run->proven_side_oid = r->standby_oid;
}

static bool restore(struct run *run, struct err *e)
{
    const struct lost_rows_wish lost = {
        .path = arena_printf(run->arena, "%s/" LOST_ROWS_FILE, journal_folder(run->journal)),
        .effects = run->effects,
        .effect_count = run->history.pending.count,
        .default_schema = run->site.live.schema,
        .from = run->xid_before,
        .to = xid_now(run),
    };
    struct progress_note told = progress_note_to(run->journal, "rollback", run->progress);
    struct rollback_spec spec = {
        .server = &run->site.server,
        .maintenance_database = run->settings->maintenance_database,
        .pg_bin = run->settings->pg_bin,
        .backup = &run->stored,
        .lost = &lost,
        .live = run->site.live.dbname,
        .live_oid = run->facts.oid,
        .run = run->id,
        .fence = run->fence_mark.run == NULL ? NULL : &run->fence_mark,
        .proven_side = run->proven_side,
        .proven_side_oid = run->proven_side_oid,
        .jobs = run->settings->jobs,
        .progress = progress_note_of(&told),
        .note = note,
        .context = run,
    };
    bool ok = rollback(run->arena, &spec, &run->rollback, e);
    progress_release(&told.progress);
    return ok;
}

static bool bring_back(struct run *run, struct err *e)
{
    if (run->in_place)
        return roll_back_in_place(run, &run->rolled_back, e);
    take_standby(run);
    bool ok = restore(run, e);
    run->rolled_back = run->rollback.swapped;
    return ok;
}

/* The server went away in the swap: by oid it is seen what became of it. */
static bool was_swapped(struct run *run, bool *swapped, struct err *e)
{
    struct database_facts kept;
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, run->settings, NULL, e);
    if (m == NULL)
        return false;
    bool found =
        run->rollback.kept != NULL && database_read(run->arena, m, run->rollback.kept, &kept, e);
    if (!found && strcmp(e->sqlstate, "3D000") != 0 && e->kind != ERR_NONE)
        return false;
    *e = (struct err){0};
    *swapped = found && strcmp(kept.oid, run->facts.oid) == 0;
    return true;
}

/* It is swapped, and only the news of it was lost. */
static bool finish(struct run *run, struct err *e)
{
    struct rollback_result *r = &run->rollback;
    AUTO(json) struct json *facts = json_object();
    run->rolled_back = r->swapped = true;
    r->swapped_at_ms = clock_ms();
    r->kept_oid = run->facts.oid;
    r->lost_note = "the server went away in the swap: not counted";
    json_put(facts, "live", run->site.live.dbname);
    json_put(facts, "kept", r->kept);
    json_put(facts, "kept_oid", r->kept_oid);
    return note(run, "swapped", facts, e);
}

/* The server was restarted or connections were cut: what the dead ones had begun is begun again,
 * once it answers. */
static bool bring_back_again(struct run *run, struct err *e)
{
    bool swapped = false;
    log_err_as(LOG_WARNING, e);
    *e = (struct err){0};
    if (!hold_lock(run, e) || !was_swapped(run, &swapped, e))
        return false;
    return swapped ? finish(run, e) : quiet(run, e) && bring_back(run, e);
}

/* What a child program says of it is no ERR_CONNECT, but then the session of the lock is gone, too.
 */
static bool lost_server(struct run *run, const struct err *e)
{
    struct err ignored = {0};
    return e->kind == ERR_CONNECT || !runlock_check(run->arena, run->lock, &ignored);
}

/* Who waited for the migration's locks has taken all connections: they come free when it is gone.
 * Our session of the lock lives on, so that this is no loss of the server. */
static bool wait_for_room(int tried, struct err *e)
{
    struct err stopped = {0};
    int64_t pause = tried < 4 ? PAUSE_MS << (tried - 1) : PAUSE_MAX_MS;
    if (stop_sleep_ms(pause, &stopped))
        return true;
    *e = stopped;
    return false;
}

static bool bring_back_surely(struct run *run, struct err *e)
{
    struct deadline limit = deadline_in(run->settings->wait_ms);
    bool ok = hold_lock(run, e) && quiet(run, e) && bring_back(run, e);
    for (int tried = 1; !ok && !run->rolled_back; tried++) {
        bool crowded = connection_crowded(e);
        if (crowded ? deadline_passed(&limit) || !wait_for_room(tried, e)
                    : tried >= TRIES || !lost_server(run, e))
            break;
        ok = bring_back_again(run, e);
    }
    if (!ok && connection_crowded(e))
        e->kind = ERR_CONNECT; /* it passes */
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
    if (run->schema_before.digest == NULL)
        return;
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
    take_standby(run);
    const bool standby = run->proven_side != NULL;
    log_info(run->in_place ? "rolling back: restoring backup %s in place, in one transaction"
             : standby     ? "rolling back: the standby, restored from backup %s, is swapped in"
                           : "rolling back: restoring backup %s beside the database, then swapping",
             run->stored.id);
    struct json *facts = json_object();
    json_put(facts, "backup", run->stored.id);
    json_put(facts, "live", run->site.live.dbname);
    json_put(facts, "live_oid", run->facts.oid);
    json_put_bool(facts, "in_place", run->in_place);
    if (standby)
        json_put(facts, "standby", run->proven_side);
    if (!journal_write(run->journal, "rollback", "begin", facts, NULL, e))
        return false;
    bool ok = bring_back_surely(run, e);
    struct err ignored = {0};
    if (!journal_write(run->journal, "rollback", ok ? "done" : "failed", NULL, ok ? NULL : e,
                       &ignored))
        log_err_as(LOG_WARNING, &ignored);
    if (!run->rolled_back)
        return err_wrap(e, "could not roll back");
    if (!ok) /* only its last note could not be journaled: live is the restored one */
        run_warn_err(run, e);
    if (run->rollback.lost_note != NULL)
        run_warn(run, "%s", run->rollback.lost_note);
    if (run->rollback.rows.note != NULL)
        run_warn(run, "%s", run->rollback.rows.note);
    if (!run->in_place)
        report_set_rollback(&run->report, &run->rollback);
    struct err late = {0};
    if (!standby && !store_add_verification(run->arena, &run->stored, "restore", "ok", &late))
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
