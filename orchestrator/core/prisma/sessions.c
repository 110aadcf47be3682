#include "base/clock.h"
#include "base/stop.h"
#include "core/prisma/deploy.h"
#include "sql/queries.h"

enum { END_LIMIT_MS = 10000, END_EVERY_MS = 100, LOCK_EVERY_MS = 200 };

static bool list_sessions(struct arena *a, struct pg *db, const char *database, const char *name,
                          struct strlist *pids, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_prisma_sessions, PG_ARGS(database, name), &rows, e))
        return err_wrap(e, "could not list Prisma's sessions");
    *pids = strlist_on(a);
    for (size_t i = 0; i < rows.count; i++)
        if (!strlist_has(pids, pg_cell(&rows, i, "pid")))
            strlist_add(pids, pg_cell(&rows, i, "pid"));
    return true;
}

/* One at a time: an error about one must not keep the others alive. */
static bool end_one(struct arena *a, struct pg *db, const char *pid, struct err *e)
{
    struct pg_rows rows;
    if (pg_query(a, db, "SELECT pg_terminate_backend($1::int)", PG_ARGS(pid), &rows, e))
        return true;
    if (strcmp(e->sqlstate, "42501") == 0) {
        e->kind = ERR_PREFLIGHT;
        err_wrap(e, "could not end Prisma's session (pid %s)", pid);
        err_hint(e, "Grant pg_signal_backend to the role of admin-url, or make it a member of the "
                    "application's role.");
        return false;
    }
    return err_wrap(e, "could not end Prisma's session (pid %s)", pid);
}

bool prisma_sessions_end(struct arena *a, struct pg *maintenance, const char *database,
                         const char *application_name, struct err *e)
{
    struct deadline limit = deadline_in(END_LIMIT_MS);
    for (;;) {
        struct strlist pids;
        struct err refused = {0};
        if (!list_sessions(a, maintenance, database, application_name, &pids, e))
            return false;
        if (pids.count == 0)
            return true;
        for (size_t i = 0; i < pids.count; i++)
            if (!end_one(a, maintenance, pids.items[i], e)) {
                if (e->kind != ERR_PREFLIGHT)
                    return false;
                refused = *e;
            }
        if (refused.kind != ERR_NONE) {
            *e = refused;
            return false;
        }
        if (deadline_passed(&limit))
            return err_set(e, ERR_TIMEOUT, "Prisma's sessions did not end within %d s: pid %s",
                           END_LIMIT_MS / 1000, strlist_join(&pids, ", "));
        if (!stop_sleep_ms(END_EVERY_MS, e))
            return false;
    }
}

bool prisma_lock_holder(struct arena *a, struct pg *maintenance, const char *database,
                        const char **who, struct err *e)
{
    struct pg_rows rows;
    *who = NULL;
    if (!pg_query(a, maintenance, sql_prisma_lock_holder, PG_ARGS(database), &rows, e))
        return err_wrap(e, "could not look at Prisma's migration lock");
    if (rows.count == 0)
        return true;
    const char *application = pg_cell(&rows, 0, "application_name");
    const char *client = pg_cell(&rows, 0, "client");
    *who = arena_printf(a, "pid %s, application \"%s\", client %s", pg_cell(&rows, 0, "pid"),
                        application ? application : "", client ? client : "local");
    return true;
}

static bool busy(const char *database, const char *who, struct err *e)
{
    err_set(e, ERR_BUSY,
            "Prisma's migration lock in database \"%s\" is held by another session (%s)", database,
            who);
    err_hint(e,
             "Another deploy seems to run: wait for its end. migsafe never ends a session that is "
             "not its own.");
    return false;
}

bool prisma_lock_wait(struct arena *a, struct pg *maintenance, const char *database,
                      int64_t wait_ms, struct err *e)
{
    int64_t until = clock_ms() + wait_ms;
    for (;;) {
        const char *who;
        if (!prisma_lock_holder(a, maintenance, database, &who, e))
            return false;
        if (who == NULL)
            return true;
        if (clock_ms() >= until)
            return busy(database, who, e);
        if (!stop_sleep_ms(LOCK_EVERY_MS, e))
            return false;
    }
}
