#include "core/recover/quiet.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/stop.h"
#include "core/prisma/deploy.h"

#include <signal.h>

enum { END_LIMIT_MS = 10000, END_EVERY_MS = 50, TRIES = 5 };

/* A pid alone says nothing: they repeat, in containers soon. */
static bool is_same_process(struct arena *a, const struct past *p)
{
    return p->child > 1 && p->child_start > 0 && p->child_boot != NULL &&
           strcmp(p->child_boot, proc_boot_id(a)) == 0 &&
           proc_start_time(p->child) == p->child_start;
}

static bool end_child(struct arena *a, const struct past *p, struct err *e)
{
    struct deadline limit = deadline_in(END_LIMIT_MS);
    if (!is_same_process(a, p))
        return true;
    log_info("ending Prisma of run %s (process group %d)", p->run, (int)p->child);
    kill(-p->child, SIGKILL);
    while (is_same_process(a, p)) {
        if (deadline_passed(&limit))
            return err_set(e, ERR_TIMEOUT, "process %d, Prisma of run %s, does not end",
                           (int)p->child, p->run);
        if (!stop_sleep_ms(END_EVERY_MS, e))
            return false;
    }
    return true;
}

bool quiet_make(struct arena *a, const struct quiet_spec *spec, struct err *e)
{
    const struct past *p = spec->past;
    const char *name = arena_printf(a, "migsafe:%s", p->run);
    return end_child(a, p, e) && prisma_sessions_end(a, spec->maintenance, NULL, name, e);
}

struct pg *quiet_hold(struct arena *a, const struct quiet_spec *spec, struct err *e)
{
    const char *live = spec->site->live.dbname;
    AUTO(pg) struct pg *db = site_open_live(spec->site, "migsafe recover", e);
    for (int i = 0; db != NULL && i < TRIES; i++) {
        if (!prisma_lock_wait(a, spec->maintenance, live, spec->settings->wait_ms, e))
            return NULL;
        const char *got = pg_value(a, db, "SELECT pg_try_advisory_lock(72707369)", PG_NONE, e);
        if (got == NULL)
            return NULL;
        if (got[0] == 't')
            return TAKE(db);
    }
    if (db != NULL)
        err_set(e, ERR_BUSY, "Prisma's migration lock in database \"%s\" is taken again and again",
                live);
    return NULL;
}
