/*
 * watch.h - look at Prisma's sessions from outside while it runs.
 *
 *     struct prisma_watch w = {.arena = a, .db = db, .database = "app", .application_name = name};
 *     while (...) prisma_watch_look(&w);
 *
 * The server does not keep who blocked a statement once its lock_timeout has
 * ended it; so it must be seen while it waits.
 */
#ifndef MIGSAFE_CORE_PRISMA_WATCH_H
#define MIGSAFE_CORE_PRISMA_WATCH_H

#include "ext/pg.h"

struct prisma_blocker {
    int pid; /* 0: none seen; -1: a prepared transaction */
    /* As pg_stat_activity has them; "" where this role may not see them. */
    const char *application, *query, *waiting_statement;
    int64_t waited_ms; /* as far as it was seen */
};

struct prisma_watch {
    struct arena *arena;
    struct pg *db; /* NULL: every look does nothing */
    const char *database, *application_name;
    /* Found so far: */
    bool session_seen;
    struct prisma_blocker blocker; /* of the longest wait */
    /* Its own: */
    struct prisma_blocker present;
    int present_waiter; /* pid of the session that waits now, 0: none */
    int64_t present_since_ms, next_look_ms;
};

/* One cheap query, at most every 150 ms, more often until a session was seen.  Never fails: when
 * the session is lost it stops looking. */
void prisma_watch_look(struct prisma_watch *w);

#endif
