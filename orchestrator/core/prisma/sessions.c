#include "core/prisma/deploy.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "sql/queries.h"

enum { END_MS = 15000, POLL_MS = 50, SLOW_POLL_MS = 500 };

static bool end_one(struct arena *a, struct pg *maintenance, const char *pid, struct err *e)
{
    const char *ended =
        pg_value(a, maintenance, "SELECT pg_terminate_backend($1::int)", PG_ARGS(pid), e);
    if (ended != NULL)
        return true;
    if (strcmp(e->sqlstate, "42501") == 0) {
        e->kind = ERR_PREFLIGHT;
        err_hint(e, "Grant pg_signal_backend to the role, or give \"admin-url\".");
    }
    return err_wrap(e, "could not end session %s of Prisma", pid);
}

bool prisma_sessions_end(struct arena *a, struct pg *maintenance, const char *database,
                         const char *application_name, struct err *e)
{
    struct deadline limit = deadline_in(END_MS);
    for (;;) {
        struct pg_rows rows;
        if (!pg_query(a, maintenance, sql_prisma_sessions, PG_ARGS(database, application_name),
                      &rows, e))
            return false;
        if (rows.count == 0)
            return true;
        if (deadline_passed(&limit))
            return err_set(e, ERR_TIMEOUT, "session %s of Prisma does not end",
                           pg_cell(&rows, 0, "pid"));
        for (size_t i = 0; i < rows.count; i++)
            if (!end_one(a, maintenance, pg_cell(&rows, i, "pid"), e))
                return false;
        if (!stop_sleep_ms(POLL_MS, e))
            return false;
    }
}

bool prisma_lock_wait(struct arena *a, struct pg *maintenance, const char *database,
                      int64_t wait_ms, struct err *e)
{
    struct deadline limit = deadline_in(wait_ms > 0 ? wait_ms : 1);
    bool told = false;
    for (;;) {
        struct pg_rows rows;
        if (!pg_query(a, maintenance, sql_prisma_lock, PG_ARGS(database), &rows, e))
            return false;
        if (rows.count == 0)
            return true;
        const char *pid = pg_cell(&rows, 0, "pid"), *name = pg_cell(&rows, 0, "application_name");
        if (deadline_passed(&limit)) {
            err_set(e, ERR_BUSY, "session %s holds Prisma's migration lock in database \"%s\"", pid,
                    database);
            err_detail(e, "It is \"%s\", not a session of this run: it is not ended.",
                       name ? name : "");
            return false;
        }
        if (!told)
            log_info("session %s (%s) holds Prisma's migration lock: waiting for it", pid,
                     name ? name : "unknown");
        told = true;
        if (!stop_sleep_ms(SLOW_POLL_MS, e))
            return false;
    }
}
