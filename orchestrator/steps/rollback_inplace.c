/*
 * The way back where no swap is possible.  What is in live, with all that others wrote since the
 * backup, is saved first: a restore in place throws it away.
 */
#include "base/log.h"
#include "base/stop.h"
#include "core/progress_note.h"
#include "core/restore/inplace.h"
#include "core/restore/sessions.h"
#include "steps/fencing.h"
#include "steps/rollback.h"

enum { TRIES = 6 };

static bool save(struct run *run, struct err *e)
{
    struct backup_done done;
    struct backup_spec spec = run_backup_spec(run, "emergency", BACKUP_FULL | BACKUP_DATA);
    spec.label = "before a rollback in place";
    log_info("taking an emergency backup");
    if (!backup_take(run->arena, &spec, &done, e))
        return err_wrap(e, "could not save what is there before a restore in place");
    struct json *facts = json_object();
    json_put(facts, "emergency", done.full_id);
    run_warn(run, "what was in the database before the rollback is backup %s", done.full_id);
    return journal_write(run->journal, "rollback", "note", facts, NULL, e);
}

static bool committing(void *context, const char *transaction, struct err *e)
{
    struct run *run = context;
    struct json *facts = json_object();
    json_put(facts, "part", "in place");
    json_put(facts, "transaction", transaction);
    return runlock_check(run->arena, run->lock, e) &&
           journal_write(run->journal, "rollback", "note", facts, NULL, e);
}

/* Those who hold what the transaction wants; who may not be ended is waited for. */
static bool end_others(struct run *run, struct err *e)
{
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, run->settings, NULL, e);
    struct strlist ended = strlist_on(run->arena);
    struct session_ender ender = {
        .db = m, .oids = {run->facts.oid, run->facts.oid}, .ended = &ended};
    size_t left;
    bool ok = m != NULL && sessions_end(&ender, &left, e);
    arena_free(ender.round);
    if (ok && ended.count > 0)
        log_info("ended %s that used the database's tables",
                 str_plural(run->arena, (int64_t)ended.count, "session", "sessions"));
    return ok;
}

/* 55P03 lock timeout, 40P01 deadlock: others use the tables, and nothing was changed. */
static bool in_use(const struct err *e)
{
    return strcmp(e->sqlstate, "55P03") == 0 || strcmp(e->sqlstate, "40P01") == 0;
}

static bool restore(struct run *run, const struct inplace_spec *spec, bool *done, struct err *e)
{
    for (int i = 1; !inplace_restore(run->arena, spec, done, e) && !*done; i++) {
        if (!in_use(e) || i == TRIES)
            return false;
        *e = (struct err){0};
        if (!end_others(run, e))
            return false;
    }
    return true;
}

static void set_properties(struct run *run)
{
    struct err late = {0};
    if (!fencing_lift(run, &late)) /* the properties are those without it */
        run_warn_err(run, &late);
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, run->settings, NULL, &late);
    if (m == NULL || !database_apply(run->arena, m, run->site.live.dbname,
                                     &run->stored.manifest.database, &late))
        run_warn_err(run, &late);
}

bool roll_back_in_place(struct run *run, bool *done, struct err *e)
{
    const struct settings *s = run->settings;
    const struct connection live = connection_to(&run->site.server, run->site.live.dbname);
    struct progress_note told = progress_note_to(run->journal, "rollback", run->progress);
    const struct inplace_spec spec = {
        .live = &live,
        .backup = &run->stored,
        .pg_bin = s->pg_bin,
        .jobs = s->jobs,
        .lock_timeout_ms = s->lock_timeout_ms,
        .progress = progress_note_of(&told),
        .application_name = run->application_name,
        .committing = committing,
        .context = run,
    };
    *done = false;
    bool ok = save(run, e) && restore(run, &spec, done, e);
    progress_release(&told.progress);
    if (*done)
        set_properties(run);
    return ok;
}
