/*
 * The backup is restored (which proves it), copied, and the migrations are run on
 * the copy: what fails there never comes to production.  That it cannot be
 * rehearsed is a warning, unless rehearse is "always".  The untouched copy stays
 * until the commit point or the end of the run: the standby of the way back.
 */
#include "base/log.h"
#include "base/stop.h"
#include "core/progress_note.h"
#include "core/rehearsal/copies.h"
#include "steps/fencing.h"
#include "steps/rehearsing.h"

/* --- their end ----------------------------------------------------------------------------------
 */

static bool drop(struct run *run, struct pg *db, const char *name, const char *oid, struct err *e)
{
    if (!copies_are_there(run->arena, db, name, oid))
        return true;
    struct json *facts = json_object();
    json_put(facts, "part", "dropped");
    json_put(facts, "name", name);
    if (copies_drop(run->arena, db, name, oid, e))
        return journal_write(run->journal, "rehearse", "note", facts, NULL, e);
    json_free(facts);
    return false;
}

static bool drop_shielded(struct run *run, const char *name, const char *oid, struct err *e)
{
    if (name == NULL)
        return true;
    stop_shield(true);
    AUTO(pg) struct pg *db = site_open_maintenance(&run->site, run->settings, NULL, e);
    bool ok = db != NULL && drop(run, db, name, oid, e);
    stop_shield(false);
    return ok;
}

static bool drop_copy(struct run *run, struct err *e)
{
    bool ok = drop_shielded(run, run->rehearsed_on, run->rehearsed_on_oid, e);
    if (ok)
        run->rehearsed_on = NULL;
    return ok;
}

static bool drop_standby(struct run *run, struct err *e)
{
    bool ok = drop_shielded(run, run->rehearsal.standby, run->rehearsal.standby_oid, e);
    if (ok)
        run->rehearsal.standby = run->rehearsal.standby_oid = NULL;
    return ok;
}

/* --- what came of it ----------------------------------------------------------------------------
 */

static void tell(struct run *run)
{
    struct err e = {0};
    struct json *facts = json_object();
    struct strlist lines = rehearsal_lines(run->arena, &run->rehearsal);
    for (size_t i = 0; i < lines.count && run->rehearsal.done; i++)
        log_info("rehearsal: %s", str_trim(run->arena, lines.items[i]));
    rehearsal_json(&run->rehearsal, facts);
    run->report.rehearsal = run->rehearsal;
    json_put(facts, "part", "measured");
    if (!journal_write(run->journal, "rehearse", "note", facts, NULL, &e))
        run_warn_err(run, &e);
}

static bool not_rehearsed(struct run *run, const struct err *why, struct err *e)
{
    run->rehearsal.done = false;
    run->rehearsal.why = arena_strdup(run->arena, why->message);
    tell(run);
    if (strcmp(run->settings->rehearse, "always") != 0) {
        run_warn(run, "not rehearsed: %s", why->message);
        return true;
    }
    *e = *why;
    e->kind = ERR_PREFLIGHT;
    err_wrap(e, "the migrations could not be rehearsed");
    if (e->hint[0] == '\0')
        err_hint(e, "Mend that, or deploy with --rehearse auto.");
    return false;
}

/* A refused deploy's backup is one like any other: pinned ones of a restart loop would fill the
 * disk. */
static bool refused(struct run *run)
{
    struct err e = {0};
    if (!store_pin(run->arena, &run->stored, false, &e))
        run_warn_err(run, &e);
    return false;
}

static bool rehearsed(struct run *run, const struct rehearse_how *how, struct err *e)
{
    struct err why = {0}, late = {0};
    bool backup_bad = false;
    int64_t began = clock_ms();
    bool ok = rehearse(run, how, &backup_bad, &why);
    run->rehearsal.total_ms = clock_ms() - began;
    if (!drop_copy(run, &late))
        run_warn_err(run, &late);
    /* Busy: another deploy, which production would have to wait for as long again. */
    bool verdict = why.kind == ERR_UNSAFE || why.kind == ERR_BROKEN || why.kind == ERR_BUSY ||
                   why.kind == ERR_CANCELLED || backup_bad;
    if (!ok && !verdict)
        return not_rehearsed(run, &why, e);
    if (!ok && !run->rehearsal.done)
        run->rehearsal.why = arena_strdup(run->arena, why.message);
    tell(run);
    if (!ok)
        *e = why;
    return ok;
}

static bool look_ahead(struct run *run, const struct rehearse_how *how,
                       struct rehearsal_outlook *outlook, struct err *e)
{
    const struct rehearse_look look = {.settings = run->settings,
                                       .site = &run->site,
                                       .folder = &run->folder,
                                       .pending = &run->history.pending,
                                       .gate = &run->gate,
                                       .bytes = run->facts.bytes,
                                       .backup_ms = run->backup.elapsed_ms,
                                       .limit_ms = how->limit_ms,
                                       .limit_name = how->limit_name};
    AUTO(pg) struct pg *db = site_open_maintenance(&run->site, run->settings, NULL, e);
    if (db == NULL)
        return false;
    *outlook = rehearse_outlook(run->arena, &look, db);
    return true;
}

/* --- before a fence -----------------------------------------------------------------------------
 */

static bool is_off(const struct run *run)
{
    return strcmp(run->settings->rehearse, "never") == 0;
}

/* Will there be a fence that a rehearsal under it would outlast?  Half of its time is for that,
 * half for the migration itself. */
static bool outlasts_fence(struct run *run, int64_t estimated_ms, bool *outlasts, struct err *e)
{
    const char *why;
    AUTO(pg) struct pg *live = site_open_live(&run->site, NULL, e);
    if (live == NULL || !fencing_wanted(run, live, outlasts, &why, e))
        return false;
    *outlasts = *outlasts && estimated_ms > run->settings->fence_limit_ms / 2;
    return true;
}

/* Of the database as it is now; the one that counts is taken under the fence. */
static bool take_backup_ahead(struct run *run, struct err *e)
{
    struct backup_spec spec = run_backup_spec(run, "pre-deploy", BACKUP_FULL);
    struct progress_note told = progress_note_to(run->journal, "rehearse-ahead", run->progress);
    spec.label = "for a rehearsal before the fence";
    spec.progress = progress_note_of(&told);
    bool ok = backup_take(run->arena, &spec, &run->backup, e);
    progress_release(&told.progress);
    return ok &&
           store_find(run->arena, run->settings->backup_dir, run->backup.full_id, &run->stored,
                      e) &&
           store_verify_files(run->arena, &run->stored, e);
}

static bool rehearse_on_backup_ahead(struct run *run, const struct rehearse_how *how, struct err *e)
{
    log_info("a rehearsal under the fence would take too long: it comes before it");
    bool ok = take_backup_ahead(run, e) && rehearsed(run, how, e);
    run->backup = (struct backup_done){0};
    run->stored = (struct stored){0};
    return ok;
}

static bool apply_ahead(struct run *run, struct err *e)
{
    const struct rehearse_how how = {.limit_ms = run->settings->rehearse_limit_ms,
                                     .limit_name = "rehearse-limit"};
    struct rehearsal_outlook outlook;
    bool outlasts;
    if (is_off(run))
        return true;
    if (!look_ahead(run, &how, &outlook, e) ||
        !outlasts_fence(run, outlook.estimated_ms, &outlasts, e))
        return false;
    if (!outlasts || !outlook.rehearse)
        return true;
    run->rehearsal.no_standby = "it was rehearsed before the fence, on an earlier backup";
    return rehearse_on_backup_ahead(run, &how, e);
}

/* --- the step -----------------------------------------------------------------------------------
 */

static struct rehearse_how how_long(const struct run *run)
{
    const struct settings *s = run->settings;
    struct rehearse_how how = {.limit_ms = s->rehearse_limit_ms, .limit_name = "rehearse-limit"};
    int64_t fenced_ms = run->fenced ? clock_ms() - run->fenced_at_ms : 0;
    int64_t half_ms = (s->fence_limit_ms - fenced_ms) / 2;
    if (!run->fenced || (how.limit_ms > 0 && how.limit_ms <= half_ms))
        return how;
    return (struct rehearse_how){.limit_ms = half_ms > 0 ? half_ms : 1,
                                 .limit_name = "fence-limit"};
}

static bool apply(struct run *run, struct err *e)
{
    struct rehearse_how how = how_long(run);
    struct rehearsal_outlook outlook;
    if (run->rehearsal.done || run->rehearsal.why != NULL)
        return true; /* before the fence, or it could not be */
    if (!look_ahead(run, &how, &outlook, e))
        return false;
    if (is_off(run)) {
        log_info("not rehearsed: %s", outlook.why);
        run->rehearsal.why = run->report.rehearsal.why = outlook.why;
        return true;
    }
    if (!outlook.rehearse) {
        struct err why = {0};
        err_set(&why, ERR_PREFLIGHT, "%s", outlook.why);
        return not_rehearsed(run, &why, e) || refused(run);
    }
    run->rehearsal.no_standby = run->in_place ? "no swap is possible here" : outlook.no_standby;
    how.standby = outlook.standby && !run->in_place;
    return rehearsed(run, &how, e) || refused(run);
}

/* The way back (migrate's undo) was before this and has made live of the standby, if it needed to.
 * Could it not, the standby is what a person, or recover, goes on with. */
static bool undo(struct run *run, struct err *e)
{
    bool ok = drop_copy(run, e);
    if (run->changed && !run->rolled_back) {
        if (run->rehearsal.standby != NULL)
            run_warn(run,
                     "the standby \"%s\" stays, closed: it is the backup, restored and untouched",
                     run->rehearsal.standby);
        return ok;
    }
    struct err second = {0};
    if (drop_standby(run, &second))
        return ok;
    if (ok)
        *e = second;
    return false;
}

const struct step step_rehearse = {
    .name = "rehearse",
    .what = "rehearse the migrations on a copy of the backup",
    .apply = apply,
    .undo = undo,
};

const struct step step_rehearse_ahead = {
    .name = "rehearse-ahead",
    .what = "rehearse before the fence where that would take too long under it",
    .apply = apply_ahead,
    .undo = drop_copy,
};

const struct step step_drop_standby = {
    .name = "drop-standby",
    .what = "drop the copy that stood by for the way back",
    .apply = drop_standby,
};
