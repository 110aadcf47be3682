#include "steps/rehearsing.h"

#include "base/log.h"
#include "base/stop.h"
#include "core/progress_note.h"
#include "core/rehearsal/copies.h"
#include "core/rehearsal/measure.h"
#include "core/rehearsal/reach.h"
#include "core/restore/proof.h"
#include "sql/queries.h"
#include "steps/judging.h"
#include "steps/prisma_at.h"

struct rehearsing {
    struct run *run;
    const struct rehearse_how *how;
    struct deadline limit;
    struct connection copy;
    const char *application_name;
    struct findings
        baseline; /* of live and of the copy: what a restore alone makes does not count */
    struct ledgers live_before;
    struct prisma_outcome outcome;
    struct measure measure;
};

/* --- whether ------------------------------------------------------------------------------------
 */

static void look_for_reach(struct arena *a, const struct rehearse_look *l,
                           struct rehearsal_outlook_facts *f)
{
    for (size_t i = 0; i < l->pending->count && f->reaches_past == NULL; i++) {
        const struct migration *m = migration_find(l->folder, l->pending->items[i]);
        f->reaches_past = m->sql == NULL ? NULL : reach_of(a, m->sql);
        f->reaching = m->name;
    }
    for (size_t i = 0; l->gate != NULL && i < l->gate->count && f->reaches_past == NULL; i++)
        if (strcmp(l->gate->items[i].rule, "global-effect") == 0) {
            f->reaches_past = l->gate->items[i].target;
            f->reaching = l->gate->items[i].file == NULL ? "?" : l->gate->items[i].file;
        }
}

/* db may be a session of the application's role where another one makes the copies. */
static const char *powerless_role(struct arena *a, const struct site *site, struct pg *db)
{
    struct pg_rows rows;
    struct err ignored = {0};
    if (!pg_query(a, db, sql_doctor_role, PG_ARGS(site->live.dbname), &rows, &ignored) ||
        rows.count == 0 || !str_same(pg_cell(&rows, 0, "role"), site->server.user) ||
        pg_cell_bool(&rows, 0, "superuser") || pg_cell_bool(&rows, 0, "createdb"))
        return NULL;
    return pg_ident(a, site->server.user);
}

struct rehearsal_outlook rehearse_outlook(struct arena *a, const struct rehearse_look *l,
                                          struct pg *db)
{
    struct rehearsal_outlook_facts f = {
        .setting = l->settings->rehearse,
        .bytes = l->bytes,
        .backup_ms = l->backup_ms,
        .limit_ms = l->limit_ms,
        .limit_name = l->limit_name,
        .free_bytes = rehearsal_free_bytes(a, db, &l->site->server, l->site->live.dbname),
        .powerless = powerless_role(a, l->site, db),
    };
    look_for_reach(a, l, &f);
    return rehearsal_outlook(a, &f);
}

/* --- the copies ---------------------------------------------------------------------------------
 */

static bool note(void *context, const char *part, const char *purpose, const char *name,
                 const char *oid, struct err *e)
{
    struct run *run = context;
    struct json *facts = json_object();
    json_put(facts, "part", part);
    json_put(facts, "purpose", purpose);
    json_put(facts, "name", name);
    json_put(facts, "oid", oid);
    return journal_write(run->journal, "rehearse", "note", facts, NULL, e);
}

static void take_over(struct run *run, const struct copies *c)
{
    run->rehearsed_on = c->work;
    run->rehearsed_on_oid = c->work_oid;
    run->rehearsal.standby = c->standby;
    run->rehearsal.standby_oid = c->standby_oid;
    run->rehearsal.restore_ms = c->restore_ms;
    run->rehearsal.copy_ms = c->copy_ms;
    if (c->no_standby != NULL)
        run->rehearsal.no_standby = c->no_standby;
}

/* Whatever comes of the rehearsal: the backup was restored, or could not be. */
static void prove(struct run *run, const struct copies *c, bool bad, const struct err *why)
{
    struct err e = {0};
    if ((c->restored || bad) &&
        !store_add_verification(run->arena, &run->stored, "restore", bad ? why->message : "ok", &e))
        run_warn_err(run, &e);
}

static bool make_copies(struct rehearsing *r, bool *backup_bad, struct err *e)
{
    struct run *run = r->run;
    struct copies made;
    struct progress_note told = progress_note_to(run->journal, "rehearse", run->progress);
    const struct copies_spec spec = {
        .server = &run->site.server,
        .maintenance_database = run->settings->maintenance_database,
        .pg_bin = run->settings->pg_bin,
        .backup = &run->stored,
        .live = run->site.live.dbname,
        .run = run->id,
        .jobs = run->settings->jobs,
        .standby = r->how->standby,
        .limit = r->limit,
        .limit_name = r->how->limit_name,
        .also = progress_note_of(&told),
        .note = note,
        .context = run,
    };
    bool ok = copies_make(run->arena, &spec, &made, e);
    /* Where the way back is in place, that this role cannot make such a database says nothing. */
    *backup_bad = !ok && made.work != NULL && !made.restored &&
                  (run->in_place ? e->kind == ERR_DAMAGED : proof_tells_of_backup(e));
    prove(run, &made, *backup_bad, e);
    take_over(run, &made);
    if (*backup_bad) {
        e->kind = ERR_PREFLIGHT;
        return err_wrap(e, "there would be no way back");
    }
    return ok;
}

/* --- the run of Prisma --------------------------------------------------------------------------
 */

/* Another one than on live: a session of that name in live is never one of the rehearsal. */
static const char *rehearsal_name(const struct run *run)
{
    return arena_printf(run->arena, "migsafe-rehearsal:%s", run->id);
}

static bool journal_child(void *context, pid_t pid, struct err *e)
{
    struct run *run = context;
    struct json *facts = prisma_at_child(run, pid, rehearsal_name(run));
    return journal_write(run->journal, "rehearse", "note", facts, NULL, e);
}

/* Prisma's own lock, held in live meanwhile: should the project's config send Prisma there whatever
 * URL it is given, it waits and gives up instead of migrating. */
static struct pg *hold_live(struct rehearsing *r, struct err *e)
{
    struct run *run = r->run;
    struct history ignored;
    const char *got = NULL;
    int64_t patience = run->settings->wait_for_other_ms;
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, run->settings, NULL, e);
    AUTO(pg) struct pg *live = m == NULL ? NULL : site_open_live(&run->site, NULL, e);
    if (live == NULL || !run_read_ledgers(run, live, &r->live_before, &ignored, e) ||
        !prisma_lock_wait(run->arena, m, run->site.live.dbname, patience, e))
        return NULL;
    got = pg_value(run->arena, live, "SELECT pg_try_advisory_lock(72707369)", PG_NONE, e);
    if (got != NULL && got[0] == 't')
        return TAKE(live);
    if (got != NULL)
        err_set(e, ERR_BUSY, "another session has just taken Prisma's migration lock");
    return NULL;
}

/* What is written to a foreign table leaves the copy. */
static bool check_foreign(const struct rehearsing *r, struct pg *db, struct err *e)
{
    struct run *run = r->run;
    struct pg_rows rows;
    if (!pg_query(run->arena, db, sql_rehearsal_foreign, PG_NONE, &rows, e))
        return false;
    for (size_t i = 0; i < run->history.pending.count; i++)
        for (size_t k = 0; k < rows.count; k++) {
            const struct migration *m = run_pending(run, i);
            const char *table = pg_cell(&rows, k, "name");
            if (m->sql != NULL && strcasestr(m->sql, table) != NULL)
                return err_set(e, ERR_QUERY,
                               "migration \"%s\" names foreign table \"%s\": it would reach past "
                               "the copy",
                               m->name, table);
        }
    return true;
}

static bool look_before(struct rehearsing *r, struct err *e)
{
    struct run *run = r->run;
    const struct session_use use = {.application_name = "migsafe"};
    AUTO(pg) struct pg *db = connection_open(&r->copy, &use, e);
    struct health_context health = {.db = db, .history = &run->history, .deploy = true};
    r->baseline = findings_on(run->arena);
    if (db == NULL || !check_foreign(r, db, e) ||
        !health_check(run->arena, &health, &r->baseline, e))
        return false;
    for (size_t i = 0; i < run->baseline.count; i++)
        findings_add(&r->baseline, run->baseline.items[i]);
    return true;
}

static int64_t time_left(const struct rehearsing *r)
{
    int64_t limit = r->run->settings->migrate_timeout_ms;
    if (r->limit.at_ms == 0)
        return limit;
    int64_t left = deadline_left_ms(&r->limit) + 1;
    return limit > 0 && limit < left ? limit : left;
}

/* Killing the CLI does not stop its SQL. */
static bool settle(const struct rehearsing *r, struct err *e)
{
    struct run *run = r->run;
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, run->settings, NULL, e);
    return m != NULL && prisma_sessions_end(run->arena, m, r->copy.dbname, r->application_name, e);
}

static bool migrate(struct rehearsing *r, struct err *e)
{
    struct run *run = r->run;
    const struct prisma_place copy = {
        .where = &r->copy,
        .url = connection_url_to(run->arena, run->site.url, r->copy.dbname),
        .application_name = r->application_name,
        .timeout_ms = time_left(r),
        .started = journal_child,
        .context = run,
    };
    struct err late = {0};
    bool ok = measure_begin(run->arena, &r->copy, &r->measure, e);
    ok = ok && prisma_at(run, &copy, &r->outcome, e);
    run->rehearsal.migrate_ms = r->outcome.elapsed_ms;
    if (!ok) {
        measure_abandon(run->arena, &r->measure);
        return false;
    }
    if (!settle(r, e)) {
        measure_abandon(run->arena, &r->measure);
        return false;
    }
    if (!measure_end(run->arena, &r->measure, &run->rehearsal, &late))
        run_warn_err(run, &late);
    return true;
}

/* --- the verdict --------------------------------------------------------------------------------
 */

static bool went_elsewhere(struct rehearsing *r, struct err *e)
{
    struct run *run = r->run;
    struct ledgers now;
    struct history ignored;
    AUTO(pg) struct pg *live = site_open_live(&run->site, NULL, e);
    if (live == NULL || !run_read_ledgers(run, live, &now, &ignored, e))
        return false;
    if (!ledgers_equal(&r->live_before, &now)) {
        run->elsewhere = true;
        return err_set(e, ERR_BROKEN,
                       "Prisma migrated database \"%s\" instead of the copy that it was given",
                       run->site.live.dbname);
    }
    err_set(e, ERR_QUERY, "Prisma did not work on the copy that it was given");
    err_hint(e, "See where prisma.config or the schema name the database by another way than %s.",
             run->project.url_variables.items[0]);
    return false;
}

/* The copy was in the way, not the migration: it could not be reached, there was no room, somebody
 * ended a session. */
static bool says_nothing(const struct failure *f)
{
    static const char *const codes[] = {"P1000", "P1003", "P1010"};
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (strcmp(f->code, codes[i]) == 0)
            return true;
    return f->class == FAILURE_BEFORE || f->class == FAILURE_TRANSIENT ||
           str_starts(f->sqlstate, "53") || str_starts(f->sqlstate, "28") ||
           strstr(f->message, "denied access on the database") != NULL;
}

static void hint(struct arena *a, struct err *e)
{
    err_hint(e, "%s",
             arena_printf(a, "%s%sThis was the rehearsal on a copy: production was not touched.",
                          e->hint, e->hint[0] ? " " : ""));
}

/* Not every Prisma says which migration it was; the copy's ledger does. */
static bool judge_failure(struct rehearsing *r, const struct history *now, struct err *e)
{
    const struct prisma_outcome *o = &r->outcome;
    if (o->end.timed_out && deadline_passed(&r->limit))
        return err_set(e, ERR_TIMEOUT, "%s has passed", r->how->limit_name);
    prisma_at_failed(o, 1, e);
    if (e->detail[0] == '\0' && now->failed.count > 0)
        err_detail(e, "Migration \"%s\", on the copy.", now->failed.items[0]);
    if (!o->end.timed_out && says_nothing(&o->failure))
        return false;
    e->kind = ERR_UNSAFE;
    hint(r->run->arena, e);
    r->run->permanent = true;
    return false;
}

static bool is_complete(const struct run *run, const struct history *now)
{
    for (size_t i = 0; i < run->history.pending.count; i++)
        if (!strlist_has(&now->applied, run->history.pending.items[i]))
            return false;
    return now->failed.count == 0;
}

static bool judge(struct rehearsing *r, struct err *e)
{
    struct run *run = r->run;
    struct ledgers ledgers;
    struct history now;
    const struct session_use use = {.application_name = "migsafe"};
    AUTO(pg) struct pg *db = connection_open(&r->copy, &use, e);
    if (db == NULL || !run_read_ledgers(run, db, &ledgers, &now, e))
        return false;
    const struct connection *live = &run->site.live;
    measure_migrations(run->arena, ledgers_main(&ledgers, live->schema, live->schema_given),
                       &run->history.pending, &run->rehearsal);
    bool passed = r->outcome.failure.class == FAILURE_NONE, complete = is_complete(run, &now);
    bool seen = r->outcome.session_seen || !ledgers_equal(&r->live_before, &ledgers);
    if (r->outcome.elsewhere || (passed && !complete && !seen))
        return went_elsewhere(r, e);
    run->rehearsal.done = true;
    if (passed && complete)
        return true;
    if (passed)
        prisma_at_disproved(run, &now, &r->outcome);
    run->rehearsal.done = !says_nothing(&r->outcome.failure);
    return judge_failure(r, &now, e);
}

static bool judge_findings(struct rehearsing *r, struct err *e)
{
    struct run *run = r->run;
    struct findings now = findings_on(run->arena);
    const struct judging copy = {.where = &r->copy, .baseline = &r->baseline, .alone = true};
    if (!judge_health(run, &copy, &now, e))
        return err_wrap(e, "could not check the health of the copy");
    if (judged_unhealthy(run->arena, &now, ERR_UNSAFE, e))
        return true;
    hint(run->arena, e);
    run->permanent = true;
    return false;
}

/* Whom this waits for does not count against the limit. */
bool rehearse(struct run *run, const struct rehearse_how *how, bool *backup_bad, struct err *e)
{
    struct rehearsing r = {.run = run, .how = how};
    AUTO(pg) struct pg *guard = hold_live(&r, e);
    if (guard == NULL)
        return false;
    r.limit = deadline_in(how->limit_ms);
    r.application_name = rehearsal_name(run);
    if (!make_copies(&r, backup_bad, e))
        return false;
    r.copy = connection_to(&run->site.live, run->rehearsed_on);
    return look_before(&r, e) && migrate(&r, e) && judge(&r, e) && judge_findings(&r, e);
}
