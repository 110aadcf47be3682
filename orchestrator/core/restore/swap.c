#include "core/restore/swap.h"

#include "base/clock.h"
#include "base/stop.h"
#include "core/restore/sessions.h"
#include "sql/queries.h"

/*
 * Times.  The locks of an attempt keep newcomers waiting, so it waits for nothing
 * long: less than deadlock_timeout (1 s) for a lock, because a session that is
 * just starting may hold one that we want and want one that we hold.
 */
enum {
    LIMIT_MS = 30000,
    PAUSE_MS = 200,     /* between two attempts: clients of live go on meanwhile */
    ROUND_MS = 2,       /* between two rounds of ending sessions */
    SLOW_ROUND_MS = 20, /* ... when they take their time */
    SLOW_AFTER_MS = 200,
    WAKES = 25,          /* of the 50 looks that RENAME takes before it gives up */
    SETTLE_MS = 5,       /* for those who had read pg_authid when the gate closed */
    GATE_TRIES = 10,     /* pg_authid is held by whoever dumps a schema or makes a role: */
    GATE_PAUSE_MS = 200, /* newcomers go on between two tries */
    ANSWER_MS = 15000,
};

struct swapper {
    struct arena *arena;
    const struct swap_spec *spec;
    struct swap_result *result;
    struct pg *mover, *ender; /* sessions A and B */
    struct strlist ended;
    int64_t blocked_from; /* newcomers wait since: clock_ms */
    bool final;           /* trying again cannot help */
};

/*
 * Everything in one message: from the first RENAME on the server needs nobody to
 * finish, neither us nor the network.  The SELECT makes an error (22P02) unless
 * both names now belong to the databases that were meant.
 */
static const char *swap_batch(struct arena *a, const struct swap_spec *s)
{
    const char *live = pg_ident(a, s->live), *side = pg_ident(a, s->side),
               *kept = pg_ident(a, s->kept);
    struct str b = str_on(a);
    str_printf(&b, "ALTER DATABASE %s RENAME TO %s; ALTER DATABASE %s RENAME TO %s; ", live, kept,
               side, live);
    str_printf(&b, "ALTER DATABASE %s ALLOW_CONNECTIONS false; ", kept);
    if (s->kept_unfence != NULL)
        str_printf(&b, "%s; ", s->kept_unfence);
    str_printf(&b, "COMMENT ON DATABASE %s IS %s; COMMENT ON DATABASE %s IS %s; ", kept,
               pg_literal(a, s->kept_comment), live, pg_literal(a, s->live_comment));
    str_printf(&b,
               "SELECT CASE WHEN count(*) = 2 THEN 0"
               " ELSE ('only ' || count(*) || ' of 2 databases are the ones meant')::int END"
               " FROM pg_database WHERE (datname, oid) IN ((%s, %s::oid), (%s, %s::oid)); COMMIT",
               pg_literal(a, s->live), pg_literal(a, s->side_oid), pg_literal(a, s->kept),
               pg_literal(a, s->live_oid));
    return b.text;
}

enum position { POSITION_BEFORE, POSITION_SWAPPED, POSITION_OTHER };

static bool swap_position(struct swapper *w, enum position *position, struct err *e)
{
    const struct swap_spec *s = w->spec;
    struct pg_rows rows;
    if (!pg_query(w->arena, w->ender, sql_swap_position, PG_ARGS(s->live_oid, s->side_oid, s->kept),
                  &rows, e))
        return false;
    const char *live = pg_cell(&rows, 0, "live"), *side = pg_cell(&rows, 0, "side"),
               *kept_oid = pg_cell(&rows, 0, "kept_oid");
    if (str_same(live, s->kept) && str_same(side, s->live)) {
        *position = POSITION_SWAPPED;
        return true;
    }
    *position = POSITION_OTHER;
    w->final = true;
    if (str_same(pg_cell(&rows, 0, "here"), s->live))
        return err_set(e, ERR_PREFLIGHT, "session for the swap is in database \"%s\" itself",
                       s->live);
    if (!str_same(live, s->live) || !str_same(side, s->side))
        return err_set(e, ERR_QUERY,
                       "databases are not the ones meant: oid %s is \"%s\" instead of \"%s\","
                       " oid %s is \"%s\" instead of \"%s\"",
                       s->live_oid, live ? live : "(gone)", s->live, s->side_oid,
                       side ? side : "(gone)", s->side);
    if (kept_oid != NULL)
        return err_set(e, ERR_QUERY, "database \"%s\" already exists", s->kept);
    w->final = false;
    *position = POSITION_BEFORE;
    return true;
}

/*
 * The gate: a newcomer reads pg_authid, looks up the database's name, locks the
 * database, and is refused when the name means another one by then.  So newcomers
 * of the whole server are kept waiting at pg_authid for the few milliseconds of an
 * attempt.  (Not at pg_database: one that has the database's lock reads that again.)
 * Ending sessions asks for their roles: B has read all of them before.
 *
 * Not while a standby replays us: the lock would be taken there too and could end
 * long queries.  Without the right to it, or when someone goes on holding pg_authid,
 * we go without, and so does every attempt after one that failed.
 */
static bool gate_close(struct swapper *w, struct err *e)
{
    for (int tries = 1;; tries++) {
        struct err refused = {0};
        if (!pg_exec(w->mover, "SAVEPOINT gate; SET LOCAL lock_timeout = '50ms'", e))
            return false;
        w->blocked_from = clock_ms();
        w->result->gated =
            pg_exec(w->mover, "LOCK TABLE pg_catalog.pg_authid IN ACCESS EXCLUSIVE MODE", &refused);
        if (w->result->gated)
            return stop_sleep_ms(SETTLE_MS, e);
        if (refused.kind != ERR_QUERY) {
            *e = refused;
            return false;
        }
        if (!pg_exec(w->mover, "ROLLBACK TO SAVEPOINT gate", e))
            return false;
        if (tries == GATE_TRIES)
            return true;
        if (!stop_sleep_ms(GATE_PAUSE_MS, e))
            return false;
    }
}

static bool swap_gate(struct swapper *w, struct err *e)
{
    const char *wanted = pg_value(w->arena, w->ender, sql_swap_gate, PG_NONE, e);
    w->result->gated = false;
    if (wanted == NULL)
        return false;
    return wanted[0] != 't' || w->result->attempts > 1 || gate_close(w, e);
}

static bool swap_begin(struct swapper *w, struct err *e)
{
    /* The last line: should we vanish with the lock held and no FIN reaches the server. */
    return pg_exec(w->mover, "BEGIN; SET LOCAL idle_in_transaction_session_timeout = '2s'", e) &&
           swap_gate(w, e) &&
           pg_execf(w->mover, e,
                    "SET LOCAL lock_timeout = '500ms'; SET LOCAL statement_timeout = '%s'",
                    w->result->gated ? "2s" : "6s");
}

/* Session B's part, until A has its answer. */
static void end_sessions(struct swapper *w, struct session_ender *sessions)
{
    struct err ignored = {0};
    int64_t began = clock_ms();
    int wakes = 0;
    bool able = true;
    while (!pg_is_done(w->mover) && clock_ms() - began < ANSWER_MS) {
        size_t left = 1;
        able = able && sessions_end(sessions, &left, &ignored);
        /* RENAME looks again every 100 ms; a notification wakes it as soon as it is worth it. */
        if (able && left == 0 && wakes++ < WAKES)
            able = pg_exec(w->ender, "NOTIFY migsafe_swap", &ignored);
        (void)!stop_sleep_ms(clock_ms() - began < SLOW_AFTER_MS ? ROUND_MS : SLOW_ROUND_MS,
                             &ignored);
    }
}

static bool swap_attempt(struct swapper *w, struct err *e)
{
    struct err ignored = {0};
    struct session_ender sessions = {
        .db = w->ender, .oids = {w->spec->live_oid, w->spec->side_oid}, .ended = &w->ended};
    const char *batch = swap_batch(w->arena, w->spec);
    bool ok = swap_begin(w, e);
    if (!w->result->gated)
        w->blocked_from = clock_ms();
    ok = ok && pg_start(w->mover, batch, e);
    if (ok) {
        end_sessions(w, &sessions);
        ok = pg_finish(w->mover, e);
    }
    if (!ok)
        (void)!pg_exec(w->mover, "ROLLBACK", &ignored);
    w->result->blocked_ms = clock_ms() - w->blocked_from;
    w->result->sessions_ended = (int)w->ended.count;
    if (!ok && sessions.survivors != NULL)
        err_detail(e, "Sessions that were left: %s.", sessions.survivors);
    arena_free(sessions.round);
    /* Missing rights stay missing.  A name that is gone or taken is judged by the next position. */
    w->final = !ok && strcmp(e->sqlstate, "42501") == 0;
    return ok;
}

static bool swap_open(struct swapper *w, struct err *e)
{
    const struct swap_spec *s = w->spec;
    struct err ignored = {0};
    const char *name =
        s->run == NULL ? "migsafe:swap" : arena_printf(w->arena, "migsafe:%s swap", s->run);
    const struct session_use mover = {.application_name = name, .query_deadline_ms = ANSWER_MS},
                             ender = {.application_name = name,
                                      .statement_timeout_ms = 2000,
                                      .query_deadline_ms = ANSWER_MS};
    w->mover = connection_open_maintenance(s->server, s->maintenance_database, &mover, e);
    if (w->mover == NULL)
        return false;
    w->ender = connection_open_maintenance(s->server, s->maintenance_database, &ender, e);
    if (w->ender == NULL)
        return false;
    /* From 14 on, and not everywhere: RENAME ends when we are gone, not after its 5 s. */
    (void)!pg_exec(w->mover, "SET client_connection_check_interval = '100ms'", &ignored);
    return pg_exec(w->mover, "LISTEN migsafe_swap", e) &&
           pg_exec(w->ender, "SET synchronous_commit = off", e);
}

static bool swap_try(struct swapper *w, struct err *e)
{
    enum position position = POSITION_OTHER;
    bool ok = swap_open(w, e) && swap_position(w, &position, e);
    if (ok && position == POSITION_BEFORE) {
        w->result->attempts++;
        stop_shield(true);
        ok = swap_attempt(w, e);
        stop_shield(false);
    }
    pg_close(TAKE(w->mover));
    pg_close(TAKE(w->ender));
    return ok;
}

bool swap(struct arena *a, const struct swap_spec *spec, struct swap_result *result, struct err *e)
{
    int64_t limit_ms = spec->limit_ms > 0 ? spec->limit_ms : LIMIT_MS;
    struct deadline limit = deadline_in(limit_ms);
    struct swapper w = {.arena = a, .spec = spec, .result = result, .ended = strlist_on(a)};
    *result = (struct swap_result){0};
    for (;;) {
        if (swap_try(&w, e))
            return true;
        if (e->kind == ERR_CANCELLED || w.final)
            return err_wrap(e, "could not swap database \"%s\"", spec->live);
        if (deadline_passed(&limit)) {
            e->kind = e->kind == ERR_CONNECT ? ERR_CONNECT : ERR_TIMEOUT;
            return err_wrap(e, "could not swap database \"%s\" within %s", spec->live,
                            clock_human_ms(a, limit_ms));
        }
        if (!stop_sleep_ms(PAUSE_MS, e))
            return err_wrap(e, "could not swap database \"%s\"", spec->live);
        *e = (struct err){0};
    }
}
