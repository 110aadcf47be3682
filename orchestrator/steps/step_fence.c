/*
 * The fence stands from before the snapshot of the backup until after the commit
 * point, or until the way back is done.  Its watchdog is there before it is.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "steps/fencing.h"
#include "steps/recover.h"

enum { LIFT_TRIES = 3, LIFT_PAUSE_MS = 1000 };

static int64_t lease(const struct run *run)
{
    return run->settings->fence_limit_ms < FENCE_LEASE_MS ? run->settings->fence_limit_ms
                                                          : FENCE_LEASE_MS;
}

static struct json *begin_facts(struct run *run)
{
    struct json *j = json_object();
    json_put(j, "live", run->site.live.dbname);
    json_put(j, "live_oid", run->facts.oid);
    return j;
}

static bool start_watchdog(struct run *run, struct pg *maintenance, struct err *e)
{
    struct fence_watchdog_spec spec = {
        .site = &run->site,
        .settings = run->settings,
        .run = run->id,
        .live_oid = run->facts.oid,
        .prisma = run->application_name,
        .lease_ms = lease(run),
        .recover = recover_dead,
    };
    if (!fence_read(run->arena, maintenance, run->site.live.dbname, &spec.mark, e))
        return false;
    run->watchdog = fence_watchdog_start(run->arena, &spec, e);
    return run->watchdog != NULL;
}

static bool note_set(struct run *run, const struct fence_result *result, const char *why,
                     struct err *e)
{
    struct json *j = json_object();
    json_put(j, "part", "set");
    json_put(j, "why", why);
    json_put(j, "was", result->mark.was_setting);
    json_put(j, "was_comment", result->mark.was_comment);
    json_put(j, "set_by", result->set_by);
    json_put_int(j, "sessions_ended", result->sessions_ended);
    return journal_write(run->journal, "fence", "note", j, NULL, e);
}

static bool set(struct run *run, const char *why, struct err *e)
{
    struct fence_result result;
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, run->settings, NULL, e);
    if (m == NULL || !start_watchdog(run, m, e))
        return false;
    const struct fence_spec spec = {.maintenance = m,
                                    .live = run->site.live.dbname,
                                    .live_oid = run->facts.oid,
                                    .run = run->id,
                                    .lease_ms = lease(run),
                                    .spare = strlist_on(run->arena)};
    run->fenced = true; /* as far as undo is concerned */
    run->fenced_at_ms = clock_ms();
    if (!fence_set(run->arena, &spec, &result, e)) {
        run->fenced = result.mark.run != NULL;
        return false;
    }
    run->fence_mark = result.mark;
    run->fence_set_by = result.set_by;
    log_info("fence: writes of others are refused from now on (%s); %s ended", why,
             str_plural(run->arena, result.sessions_ended, "session was", "sessions were"));
    AUTO(pg) struct pg *live = site_open_live(&run->site, NULL, e);
    if (live == NULL)
        return false;
    run->fence_watch = fence_watch_begin(run->arena, live, run->application_name, e);
    return run->fence_watch != NULL && note_set(run, &result, why, e);
}

static bool note_none(struct run *run, const char *why, struct err *e)
{
    struct json *j = json_object();
    json_put(j, "part", "none");
    json_put(j, "why", why);
    log_info("no fence: %s", why);
    return journal_write(run->journal, "fence", "note", j, NULL, e);
}

/* Sessions of ours must not be in the way of a swap: this one is closed before the fence is set. */
static bool decide(struct run *run, bool *wanted, const char **why, struct err *e)
{
    AUTO(pg) struct pg *live = site_open_live(&run->site, NULL, e);
    return live != NULL && fencing_wanted(run, live, wanted, why, e);
}

/* --- lift ------------------------------------------------------------------------------------- */

/* Again: the one before may have been done, and only its answer was lost. */
static bool try_lift(struct run *run, bool again, bool *lifted, struct err *e)
{
    const struct fence_known known = {run->site.live.dbname, run->facts.oid, run->fence_mark,
                                      run->fence_set_by};
    *lifted = false;
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, run->settings, NULL, e);
    if (m == NULL)
        return false;
    if (run->fence_mark.run == NULL)
        return fence_lift(run->arena, m, run->site.live.dbname, run->id, lifted, e);
    return fence_lift_known(run->arena, m, &known, lifted, e) &&
           (!again || *lifted || fence_free(run->arena, m, &known, e));
}

static void note_lifted(struct run *run)
{
    struct err late = {0};
    int64_t swapped_at = run->rollback.swapped_at_ms,
            until = swapped_at > 0 ? swapped_at : clock_ms();
    struct json *j = json_object();
    run->report.writes_refused_ms = until - run->fenced_at_ms;
    log_info("fence: lifted; writes of others were refused for %s",
             clock_human_ms(run->arena, run->report.writes_refused_ms));
    json_put(j, "part", "lifted");
    json_put_int(j, "writes_refused_ms", run->report.writes_refused_ms);
    if (!journal_write(run->journal, "fence", "note", j, NULL, &late))
        run_warn_err(run, &late);
}

bool fencing_lift(struct run *run, struct err *e)
{
    bool ok = false, lifted = false;
    if (!run->fenced) {
        fence_watchdog_end(run->watchdog);
        run->watchdog = NULL;
        return true;
    }
    stop_shield(true);
    for (int i = 0; i < LIFT_TRIES && !ok && !lifted; i++) {
        struct err ignored = {0};
        if (i > 0)
            (void)!stop_sleep_ms(LIFT_PAUSE_MS, &ignored);
        *e = (struct err){0};
        ok = try_lift(run, i > 0, &lifted, e);
    }
    if (ok || lifted) {
        run->fenced = false;
        fence_watchdog_end(run->watchdog);
        run->watchdog = NULL;
        note_lifted(run);
    } else {
        err_hint(e, "A process of migsafe stays behind and goes on trying; any migsafe that comes "
                    "by when the fence has expired lifts it, too.");
    }
    stop_shield(false);
    return ok;
}

/* The database is what it is, with a fence or without: that alone breaks no way back. */
static bool undo(struct run *run, struct err *e)
{
    if (!fencing_lift(run, e))
        run_warn_err(run, e);
    *e = (struct err){0};
    return true;
}

/* Nobody has asked for it: where it cannot be, the deploy goes on as without. */
static bool go_without(struct run *run, struct err *e)
{
    struct err late = {0};
    if (!fencing_lift(run, &late))
        run_warn_err(run, &late);
    err_wrap(e, "no fence, so writes of others from here on would be lost by a rollback");
    run_warn_err(run, e);
    *e = (struct err){0};
    return note_none(run, "it is not possible here", e);
}

static bool apply(struct run *run, struct err *e)
{
    bool wanted;
    const char *why;
    if (!decide(run, &wanted, &why, e))
        return false;
    if (!wanted)
        return note_none(run, why, e);
    if (set(run, why, e))
        return true;
    return strcmp(run->settings->fence, "auto") == 0 && e->kind == ERR_PREFLIGHT &&
           go_without(run, e);
}

const struct step step_fence = {
    .name = "fence",
    .what = "refuse writes of others, where it is asked for or others write",
    .apply = apply,
    .undo = undo,
    .facts = begin_facts,
};

const struct step step_unfence = {
    .name = "unfence",
    .what = "let others write again",
    .apply = fencing_lift,
};
