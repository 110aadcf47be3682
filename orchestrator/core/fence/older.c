#include "core/fence/older.h"

#include "base/clock.h"
#include "base/stop.h"
#include "core/restore/sessions.h"
#include "sql/queries.h"

enum { LIMIT_MS = 10000, ROUND_MS = 10, SLOW_ROUND_MS = 100 };

bool older_is_ours(const char *name)
{
    return name != NULL && (strcmp(name, "migsafe") == 0 || str_starts(name, "migsafe "));
}

/* The starting ones first: one that is missing there has either read the settings already, and is
 * among the others, or has yet to read them. */
static bool list(struct arena *a, const struct older_spec *spec, struct strlist *starting,
                 struct strlist *pids, struct err *e)
{
    struct pg_rows now, there;
    *starting = *pids = strlist_on(a);
    if (!pg_query(a, spec->db, sql_fence_starting, PG_ARGS(spec->oid), &now, e) ||
        !pg_query(a, spec->db, sql_swap_sessions, PG_ARGS(spec->oid, spec->oid), &there, e))
        return false;
    for (size_t i = 0; i < now.count; i++) {
        strlist_add(starting, pg_cell(&now, i, "pid"));
        strlist_add(pids, pg_cell(&now, i, "pid"));
    }
    for (size_t i = 0; i < there.count; i++) {
        const char *name = pg_cell(&there, i, "application_name");
        if (!older_is_ours(name) && (name == NULL || !strlist_has(spec->spare, name)))
            strlist_add(pids, pg_cell(&there, i, "pid"));
    }
    return true;
}

static bool still_starting(struct arena *a, const struct older_spec *spec,
                           const struct strlist *starting, bool *still, struct err *e)
{
    struct pg_rows now;
    *still = false;
    if (starting->count == 0)
        return true;
    if (!pg_query(a, spec->db, sql_fence_starting, PG_ARGS(spec->oid), &now, e))
        return false;
    for (size_t i = 0; i < now.count && !*still; i++)
        *still = strlist_has(starting, pg_cell(&now, i, "pid"));
    return true;
}

static bool give_up(const struct session_ender *s, struct err *e)
{
    if (!s->refused)
        return err_set(e, ERR_TIMEOUT, "sessions of it do not end: %s",
                       s->survivors == NULL ? "one is starting" : s->survivors);
    err_set(e, ERR_PREFLIGHT, "sessions of it may not be ended: %s", s->survivors);
    err_hint(e, "Grant pg_signal_backend to the role, close sessions of superusers, or give a role "
                "that may end them as admin-url.");
    return false;
}

static bool rounds(struct arena *a, const struct older_spec *spec, struct session_ender *s,
                   const struct strlist *starting, struct err *e)
{
    int64_t began = clock_ms();
    for (;;) {
        size_t left;
        bool still;
        if (!still_starting(a, spec, starting, &still, e) || !sessions_end(s, &left, e))
            return false;
        if (left == 0 && !still)
            return true;
        int64_t passed = clock_ms() - began;
        if (passed > (s->refused ? spec->refused_limit_ms : LIMIT_MS))
            return give_up(s, e);
        if (!stop_sleep_ms(passed < SLOW_ROUND_MS ? ROUND_MS : SLOW_ROUND_MS, e))
            return false;
    }
}

bool older_end(struct arena *a, const struct older_spec *spec, int *ended, struct err *e)
{
    struct strlist starting, pids, gone = strlist_on(a);
    if (!list(a, spec, &starting, &pids, e))
        return false;
    struct session_ender s = {
        .db = spec->db, .oids = {spec->oid, spec->oid}, .only = &pids, .ended = &gone};
    bool ok = rounds(a, spec, &s, &starting, e);
    arena_free(s.round);
    *ended = (int)gone.count;
    return ok;
}
