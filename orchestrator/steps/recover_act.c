#include "steps/recover_act.h"

#include "base/log.h"
#include "core/recover/leftovers.h"
#include "core/restore/lost_rows.h"
#include "core/restore/side.h"
#include "steps/hooks.h"
#include "steps/rollback.h"

/* The server, or somebody, was in the way: another time it may go. */
static bool may_go_later(const struct err *e)
{
    return e->kind == ERR_CONNECT || e->kind == ERR_CANCELLED || e->kind == ERR_BUSY ||
           e->kind == ERR_TIMEOUT;
}

/* As the journal knows it, where the mark is gone: a migration has written another comment over it,
 * or somebody has lifted the fence, and may have died before the sessions under it were ended. */
static bool lift_known(struct recovery *r, bool *lifted, struct err *e)
{
    const struct past *p = &r->past;
    const struct fence_known known = {
        .live = r->run->site.live.dbname,
        .live_oid = p->live_oid,
        .mark = {.run = p->run, .was_setting = p->fence_was, .was_comment = p->fence_was_comment},
        .set_by = p->fence_set_by};
    return fence_lift_known(r->arena, r->maintenance, &known, lifted, e) &&
           (*lifted || fence_free(r->arena, r->maintenance, &known, e));
}

static bool lift(struct recovery *r, bool *lifted, struct err *e)
{
    const char *live = r->run->site.live.dbname;
    struct fence_mark mark;
    if (!fence_read(r->arena, r->maintenance, live, &mark, e))
        return false;
    if (mark.run != NULL || !r->past.fence_set || r->past.live_oid == NULL)
        return fence_lift(r->arena, r->maintenance, live, r->past.run, lifted, e);
    return lift_known(r, lifted, e);
}

/* From here on what is set is not the fence's. */
static bool note_lifted(struct recovery *r, struct err *e)
{
    if (!r->past.fence_set)
        return true;
    struct json *j = json_object();
    json_put(j, "part", "lifted");
    r->past.fence_set = false;
    return journal_write(r->run->journal, "fence", "note", j, NULL, e);
}

static bool lift_fence(struct recovery *r, struct err *e)
{
    struct err late = {0};
    bool lifted = false;
    if (r->facts.truth.live == LIVE_IS_MISSING)
        return true;
    bool ok = lift(r, &lifted, &late);
    if (lifted)
        log_info("the fence of run %s is lifted", r->past.run);
    if (!ok && lifted) /* sessions that could not be ended: they cannot write yet */
        run_warn_err(r->run, &late);
    if (ok || lifted)
        return note_lifted(r, e);
    *e = late;
    return err_wrap(e, "could not lift the fence of run %s", r->past.run);
}

/* What cannot be dropped now is no reason to leave the run without an end. */
static bool tidy(struct recovery *r, struct err *e)
{
    struct err late = {0};
    const struct leftovers_spec spec = {
        .settings = r->run->settings,
        .maintenance = r->maintenance,
        .live = r->run->site.live.dbname,
        .past = &r->past,
        .run_folder = r->run_folder,
    };
    bool ok = leftovers_clear(r->arena, &spec, &r->out->cleared, &late);
    for (size_t i = 0; i < r->out->cleared.count; i++)
        log_info("left by run %s, cleared: %s", r->past.run, r->out->cleared.items[i]);
    if (ok)
        return true;
    if (may_go_later(&late)) {
        *e = late;
        return false;
    }
    run_warn_err(r->run, &late);
    return true;
}

/* What pre-restore stopped is to be started again. */
static bool clean(struct recovery *r, struct err *e)
{
    if (!lift_fence(r, e) || !tidy(r, e))
        return false;
    if (r->past.is_restore && !r->past.is_replay && r->past.into == NULL)
        run_hooks_or_warn(r->run, HOOK_POST_RESTORE, NULL);
    return true;
}

static void told(struct run *run, const struct step *step, const char *result, int64_t elapsed_ms,
                 const struct err *error)
{
    report_add_step(&run->report, step->name, result, elapsed_ms);
    if (error != NULL && strcmp(result, "warning") == 0)
        run_warn_err(run, error);
}

static bool run_step(struct recovery *r, const struct step *step, struct err *e)
{
    struct steps_end end;
    const struct step *const steps[] = {step};
    const struct steps_plan plan = {
        .steps = steps, .count = 1, .journal = r->run->journal, .told = told};
    return steps_run(&plan, r->run, &end, e);
}

static bool has_done(const struct recovery *r, const char *step)
{
    return journal_last(r->journaled.records, step, "done") != NULL;
}

/* From the commit point on failures are warnings. */
static bool finish_migrated(struct recovery *r, struct err *e)
{
    struct err late = {0};
    if (!lift_fence(r, e))
        return false;
    if (!has_done(r, step_backup_after.name) && !run_step(r, &step_backup_after, &late)) {
        err_wrap(&late, "step \"%s\" failed after the deploy", step_backup_after.name);
        run_warn_err(r->run, &late);
    }
    return tidy(r, e);
}

static bool broken(struct recovery *r, const struct err *why, struct err *cause)
{
    r->out->verdict = "broken";
    *cause = *why;
    return true;
}

static void choose_side(struct recovery *r)
{
    const struct past *p = &r->past;
    const struct past_database *side = NULL;
    if (r->judgement.action == RECOVER_SWAP)
        side = &p->side;
    else if (r->facts.truth.standby_there)
        side = &p->standby;
    if (side == NULL)
        return;
    r->run->proven_side = side->name;
    r->run->proven_side_oid = side->oid;
}

static bool go_back(struct recovery *r, struct err *cause, struct err *e)
{
    struct err failed = {0};
    r->out->verdict = "restored";
    choose_side(r);
    if (!roll_back(r->run, &failed)) {
        if (!may_go_later(&failed))
            return broken(r, &failed, cause);
        *e = failed;
        return false;
    }
    r->out->kept_database = r->run->rollback.kept;
    return lift_fence(r, e) && tidy(r, e);
}

static bool go_forward(struct recovery *r, struct err *cause, struct err *e)
{
    struct err unhealthy = {0};
    if (run_step(r, &step_health, &unhealthy))
        return finish_migrated(r, e);
    if (may_go_later(&unhealthy)) {
        *e = unhealthy;
        return false;
    }
    if (!r->judgement.may_go_back) {
        err_detail(&unhealthy, "The database may not be restored by itself: %s",
                   truth_text(r->arena, &r->past, &r->facts));
        return broken(r, &unhealthy, cause);
    }
    *cause = unhealthy;
    return go_back(r, cause, e);
}

/* As rollback() would have written it. */
static void write_lost(struct recovery *r)
{
    struct run *run = r->run;
    const struct lost_rows_wish wish = {
        .path = arena_printf(r->arena, "%s/" LOST_ROWS_FILE, r->run_folder),
        .effects = run->effects,
        .effect_count = run->history.pending.count,
        .default_schema = run->site.live.schema,
        .from = run->xid_before,
    };
    const struct lost_rows_spec spec = {
        .wish = &wish,
        .server = &run->site.server,
        .maintenance = r->maintenance,
        .kept = run->rollback.kept,
        .live = run->site.live.dbname,
        .kept_oid = run->rollback.kept_oid,
        .backup = &run->stored,
        .tables = run->rollback.lost,
        .table_count = run->rollback.lost_count,
        .all_tables = run->rollback.lost_note != NULL,
        .run = run->id,
    };
    lost_rows_write(r->arena, &spec, &run->rollback.rows);
    if (run->rollback.rows.note != NULL)
        run_warn(run, "%s", run->rollback.rows.note);
}

/* What others wrote meanwhile, in the database that is kept. */
static void count_lost(struct recovery *r)
{
    struct run *run = r->run;
    struct err ignored = {0};
    struct database_facts kept;
    const struct lost_spec lost = {
        .server = &run->site.server,
        .maintenance = r->maintenance,
        .kept = run->rollback.kept,
        .kept_oid = run->rollback.kept_oid,
        .before = &run->stored.manifest,
    };
    if (!database_read(r->arena, r->maintenance, run->rollback.kept, &kept, &ignored))
        return;
    run->rollback.kept_bytes = kept.bytes;
    /* A copy with the data of a backup was made of an emergency backup, not of that one. */
    const struct json *begin = journal_first(r->journaled.records, "run", "begin");
    if (json_bool(json_find(begin, "data"), "data_only", false))
        run->rollback.lost_note = "What others wrote meanwhile was not counted.";
    if (!run->has_backup || run->rollback.lost_note != NULL)
        return;
    run->rollback.lost_note =
        lost_count(r->arena, &lost, &run->rollback.lost, &run->rollback.lost_count);
    write_lost(r);
}

static void finish_swap(struct recovery *r)
{
    struct run *run = r->run;
    const char *kept = r->past.kept != NULL
                           ? r->past.kept
                           : side_name(r->arena, run->site.live.dbname, "kept", r->past.run);
    run->rolled_back = true;
    run->rollback = (struct rollback_result){.swapped = true,
                                             .kept = kept,
                                             .kept_oid = r->past.live_oid,
                                             .kept_bytes = -1,
                                             .swap.blocked_ms = -1};
    count_lost(r);
    if (run->rollback.lost_note != NULL)
        run_warn(run, "%s", run->rollback.lost_note);
    report_set_rollback(&run->report, &run->rollback);
    r->out->kept_database = kept;
}

/* After the one transaction: what comes with a full backup but is not in it. */
static bool finish_in_place(struct recovery *r, struct err *e)
{
    struct run *run = r->run;
    const struct json *begin = journal_first(r->journaled.records, "run", "begin");
    if (!run->has_backup || json_bool(json_find(begin, "data"), "data_only", false))
        return true;
    return database_apply(r->arena, r->maintenance, run->site.live.dbname,
                          &run->stored.manifest.database, e);
}

/* The health of what was restored is only told: there is nothing to go back to. */
static void tell_health(struct recovery *r)
{
    struct run *run = r->run;
    struct err e = {0};
    struct findings now = findings_on(r->arena);
    AUTO(pg) struct pg *db = site_open_live(&run->site, NULL, &e);
    const struct health_context context = {.db = db, .deploy = true};
    if (db == NULL || !health_check(r->arena, &context, &now, &e)) {
        run_warn_err(run, &e);
        return;
    }
    struct findings new = findings_new(r->arena, &now, &run->baseline);
    for (size_t i = 0; i < new.count; i++)
        run_warn(run, "%s", finding_line(r->arena, &new.items[i]));
}

static bool finish_restored(struct recovery *r, struct err *e)
{
    struct err late = {0};
    bool in_place = r->past.stage == PAST_IN_PLACE;
    /* First: the properties are those without it, and its sessions must be freed. */
    if (in_place && !lift_fence(r, e))
        return false;
    if (!in_place)
        finish_swap(r);
    else if (!finish_in_place(r, &late)) {
        err_wrap(&late, "the rows are restored, not all properties of the database");
        run_warn_err(r->run, &late);
    }
    if (!r->past.is_restore)
        tell_health(r);
    if (!r->past.is_replay)
        run_hooks_or_warn(r->run, HOOK_POST_RESTORE, NULL);
    return lift_fence(r, e) && tidy(r, e);
}

bool recovery_act(struct recovery *r, struct err *cause, struct err *e)
{
    r->out->verdict = r->judgement.verdict;
    switch (r->judgement.action) {
    case RECOVER_CLEAN:
        return clean(r, e);
    case RECOVER_FORWARD:
        return go_forward(r, cause, e);
    case RECOVER_COMMITTED:
        return finish_migrated(r, e);
    case RECOVER_BACK:
    case RECOVER_SWAP:
        return go_back(r, cause, e);
    case RECOVER_RESTORED:
        return finish_restored(r, e);
    case RECOVER_NOTHING:
        break;
    }
    return true;
}
