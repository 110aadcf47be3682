/*
 * Each change of a fence is one transaction under an advisory lock of the
 * maintenance database: the run, its watchdog and another migsafe may meet.
 */
#include "core/fence/fence.h"

#include "base/log.h"
#include "base/stop.h"
#include "core/fence/older.h"
#include "sql/queries.h"

enum { PATIENCE_MS = 3000 };

struct state { /* of the database, now */
    const char *oid, *comment, *setting;
    const char *set_by;      /* the transaction that wrote the settings last */
    const char *now, *until; /* until: of a fence that is set now */
    struct fence_mark mark;
};

static bool read_state(struct arena *a, struct pg *db, const char *name, int64_t lease_ms,
                       struct state *s, struct err *e)
{
    struct pg_rows rows;
    const char *lease = arena_printf(a, "%lld", (long long)lease_ms);
    if (!pg_query(a, db, sql_fence_state, PG_ARGS(name, lease), &rows, e))
        return err_wrap(e, "could not look for a fence on database \"%s\"", name);
    if (rows.count == 0) {
        err_set(e, ERR_CONNECT, "database \"%s\" does not exist", name);
        snprintf(e->sqlstate, sizeof(e->sqlstate), "3D000");
        return false;
    }
    *s = (struct state){.oid = pg_cell(&rows, 0, "oid"),
                        .comment = pg_cell(&rows, 0, "comment"),
                        .setting = pg_cell(&rows, 0, "setting"),
                        .set_by = pg_cell(&rows, 0, "set_by"),
                        .now = pg_cell(&rows, 0, "now"),
                        .until = pg_cell(&rows, 0, "until")};
    if (fence_parse(a, s->comment, &s->mark))
        s->mark.expired = strcmp(s->mark.until, s->now) < 0;
    else
        s->mark = (struct fence_mark){.was_setting = s->setting, .was_comment = s->comment};
    return true;
}

bool fence_read(struct arena *a, struct pg *db, const char *name, struct fence_mark *mark,
                struct err *e)
{
    struct state s;
    *mark = (struct fence_mark){0};
    if (!read_state(a, db, name, 0, &s, e))
        return false;
    *mark = s.mark;
    return true;
}

/* --- one transaction -------------------------------------------------------------------------- */

static bool begin(struct arena *a, struct pg *db, const char *live, struct err *e)
{
    struct pg_rows rows;
    return pg_exec(db, "BEGIN; SET LOCAL lock_timeout = '10s'", e) &&
           pg_query(a, db, sql_fence_lock, PG_ARGS(live), &rows, e);
}

static bool end(struct pg *db, bool ok, struct err *e)
{
    struct err ignored = {0};
    if (ok && pg_exec(db, "COMMIT", e))
        return true;
    (void)!pg_exec(db, "ROLLBACK", &ignored);
    return false;
}

static bool write_comment(struct arena *a, struct pg *db, const char *live, const char *comment,
                          struct err *e)
{
    return pg_execf(db, e, "COMMENT ON DATABASE %s IS %s", pg_ident(a, live),
                    pg_literal(a, comment));
}

static bool is_set(const struct state *s)
{
    return str_same(s->setting, "on");
}

/* --- set, renew ------------------------------------------------------------------------------- */

static bool may_set(const struct fence_spec *spec, const struct state *s, struct err *e)
{
    if (!str_same(s->oid, spec->live_oid))
        return err_set(e, ERR_QUERY, "database \"%s\" is not the one meant: oid %s, not %s",
                       spec->live, s->oid, spec->live_oid);
    if (s->mark.run == NULL || s->mark.expired || strcmp(s->mark.run, spec->run) == 0)
        return true;
    err_set(e, ERR_BUSY, "run %s has fenced database \"%s\" until %s", s->mark.run, spec->live,
            s->mark.until);
    err_hint(e, "If that run is dead, its fence is lifted by any migsafe from then on.");
    return false;
}

static bool set_in_transaction(struct arena *a, const struct fence_spec *spec,
                               struct fence_result *result, struct err *e)
{
    struct state s;
    struct fence_mark *mark = &result->mark;
    if (!read_state(a, spec->maintenance, spec->live, spec->lease_ms, &s, e) ||
        !may_set(spec, &s, e))
        return false;
    *mark = s.mark;
    mark->run = spec->run;
    mark->until = s.until;
    mark->expired = false;
    if (!pg_execf(spec->maintenance, e, "ALTER DATABASE %s SET default_transaction_read_only = on",
                  pg_ident(a, spec->live)) ||
        !write_comment(a, spec->maintenance, spec->live, fence_comment(a, mark), e) ||
        !read_state(a, spec->maintenance, spec->live, 0, &s, e))
        return false;
    result->set_by = s.set_by;
    return true;
}

/* A COMMIT that was not answered may have been done: then it counts as standing, and is lifted. */
static bool mark_it(struct arena *a, const struct fence_spec *spec, struct fence_result *result,
                    struct err *e)
{
    struct pg *db = spec->maintenance;
    bool ok = begin(a, db, spec->live, e) && set_in_transaction(a, spec, result, e);
    if (end(db, ok, e))
        return true;
    if (!ok || e->kind == ERR_QUERY)
        *result = (struct fence_result){0};
    if (strcmp(e->sqlstate, "42501") == 0) {
        e->kind = ERR_PREFLIGHT;
        err_hint(e, "Only the owner of the database may: deploy as its owner, or give its role as "
                    "admin-url.");
    }
    return err_wrap(e, "could not fence database \"%s\"", spec->live);
}

bool fence_renew(struct arena *a, struct pg *maintenance, const char *live, const char *run,
                 int64_t lease_ms, struct err *e)
{
    struct state s;
    bool ok = begin(a, maintenance, live, e) && read_state(a, maintenance, live, lease_ms, &s, e);
    if (ok && !str_same(s.mark.run, run))
        ok = err_set(e, ERR_NOT_FOUND, "database \"%s\" has no fence of run %s", live, run);
    if (ok) {
        s.mark.until = s.until;
        ok = write_comment(a, maintenance, live, fence_comment(a, &s.mark), e);
    }
    return end(maintenance, ok, e);
}

/* --- lift ------------------------------------------------------------------------------------- */

struct lift {
    const char *live;
    const char *live_oid;           /* NULL: whichever is called so */
    const char *run;                /* NULL: of any */
    const struct fence_mark *known; /* the mark as it was set; NULL: only what the comment says */
    const char *set_by;             /* with known: the transaction that set it; NULL: not known */
    bool only_expired;
    bool at_once; /* those that may not be ended began before it */
};

/* Without the mark: the comment of before is back where the fence was lifted, and what has been set
 * since is somebody's own; another comment was written over the mark. */
static bool is_left(const struct lift *l, const struct state *s)
{
    return l->known != NULL && is_set(s) && !fence_was_on(l->known) &&
           (l->set_by == NULL || str_same(s->set_by, l->set_by) ||
            !str_same(s->comment, l->known->was_comment));
}

static bool concerns(const struct lift *l, const struct state *s)
{
    if (l->live_oid != NULL && !str_same(l->live_oid, s->oid))
        return false;
    if (s->mark.run == NULL)
        return is_left(l, s);
    return (l->run == NULL || strcmp(l->run, s->mark.run) == 0) &&
           (!l->only_expired || s->mark.expired);
}

static bool lift_in_transaction(struct arena *a, struct pg *db, const struct lift *l,
                                struct state *s, bool *lifted, struct err *e)
{
    *lifted = false;
    if (!read_state(a, db, l->live, 0, s, e))
        return false;
    const struct fence_mark *was = s->mark.run == NULL ? l->known : &s->mark;
    if (was == NULL || !concerns(l, s))
        return true;
    *lifted = true;
    /* What a migration has set since stays. */
    if (is_set(s) && !pg_exec(db, fence_setting_sql(a, l->live, was), e))
        return false;
    s->setting = is_set(s) ? was->was_setting : s->setting;
    return s->mark.run == NULL || write_comment(a, db, l->live, s->mark.was_comment, e);
}

/* A session reads the database's settings once, when it begins: those that began under the fence
 * would refuse to write for as long as they live. */
static bool free_sessions(struct arena *a, struct pg *db, const struct lift *l,
                          const struct state *s, struct err *e)
{
    const struct strlist none = strlist_on(a);
    const struct older_spec older = {
        .db = db, .oid = s->oid, .refused_limit_ms = l->at_once ? 0 : PATIENCE_MS, .spare = &none};
    int ended = 0;
    if (is_set(s) || older_end(a, &older, &ended, e))
        return true;
    return err_wrap(e, "the fence is lifted, but sessions that began under it cannot write");
}

static bool lift(struct arena *a, struct pg *db, const struct lift *l, bool *lifted, struct err *e)
{
    struct state s;
    bool did = false;
    bool ok = begin(a, db, l->live, e) && lift_in_transaction(a, db, l, &s, &did, e);
    if (lifted != NULL)
        *lifted = false;
    if (!end(db, ok, e))
        return err_wrap(e, "could not lift the fence of database \"%s\"", l->live);
    if (lifted != NULL)
        *lifted = did;
    return !did || free_sessions(a, db, l, &s, e);
}

bool fence_set(struct arena *a, const struct fence_spec *spec, struct fence_result *result,
               struct err *e)
{
    *result = (struct fence_result){0};
    if (!mark_it(a, spec, result, e))
        return false;
    const struct older_spec older = {.db = spec->maintenance,
                                     .oid = spec->live_oid,
                                     .refused_limit_ms = PATIENCE_MS,
                                     .spare = &spec->spare};
    if (older_end(a, &older, &result->sessions_ended, e))
        return true;
    err_wrap(e, "could not fence database \"%s\"", spec->live);
    const struct lift back = {.live = spec->live, .run = spec->run, .at_once = true};
    struct err late = {0};
    bool lifted = false;
    stop_shield(true);
    if (!lift(a, spec->maintenance, &back, &lifted, &late) && !lifted)
        log_err_as(LOG_WARNING, &late);
    stop_shield(false);
    return false;
}

bool fence_lift(struct arena *a, struct pg *maintenance, const char *live, const char *run,
                bool *lifted, struct err *e)
{
    return lift(a, maintenance, &(struct lift){.live = live, .run = run}, lifted, e);
}

bool fence_lift_known(struct arena *a, struct pg *maintenance, const struct fence_known *known,
                      bool *lifted, struct err *e)
{
    const struct lift l = {.live = known->live,
                           .live_oid = known->live_oid,
                           .run = known->mark.run,
                           .known = &known->mark,
                           .set_by = known->set_by};
    return lift(a, maintenance, &l, lifted, e);
}

bool fence_free(struct arena *a, struct pg *maintenance, const struct fence_known *known,
                struct err *e)
{
    struct state s;
    const struct lift l = {.live = known->live};
    if (!read_state(a, maintenance, known->live, 0, &s, e))
        return false;
    bool stands = s.mark.run != NULL || is_set(&s) || !str_same(s.oid, known->live_oid);
    return stands || free_sessions(a, maintenance, &l, &s, e);
}

bool fence_lift_expired(struct arena *a, struct pg *maintenance, const char *live, struct err *e)
{
    struct fence_mark mark;
    bool lifted = false;
    if (!fence_read(a, maintenance, live, &mark, e))
        return false;
    if (mark.run == NULL || !mark.expired)
        return true;
    const struct lift l = {.live = live, .run = mark.run, .only_expired = true};
    bool ok = lift(a, maintenance, &l, &lifted, e);
    if (lifted)
        log_warning("the fence of run %s on database \"%s\" expired at %s and is lifted", mark.run,
                    live, mark.until);
    return ok;
}
