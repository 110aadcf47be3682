/*
 * breach.h - what others wrote though the fence stood, as far as it can be seen.
 *
 * The server's counters of rows written - while Prisma runs, of the tables that it
 * cannot have written itself; sessions with a transaction id while Prisma runs;
 * sessions of roles that have a default_transaction_read_only of their own.  A
 * session may keep its counters to itself for some seconds.
 */
#ifndef MIGSAFE_CORE_FENCE_BREACH_H
#define MIGSAFE_CORE_FENCE_BREACH_H

#include "base/str.h"
#include "ext/pg.h"

struct fence_watch;

/* Right after the fence stands; live: a session there.  prisma: application name of the sessions
 * that are allowed to write.  NULL on failure. */
MUST_CHECK struct fence_watch *fence_watch_begin(struct arena *a, struct pg *live,
                                                 const char *prisma, struct err *e);
/* What Prisma itself may have written. */
struct fence_own {
    bool anything;      /* any table */
    bool nothing;       /* no row of any */
    struct strlist sql; /* of its migrations: else the tables that it names, and those that follow
                           them by foreign keys; any table, where triggers or rules are about */
};
/* Prisma is about to start. */
void fence_watch_pause(struct fence_watch *w);
/* Its sessions are gone. */
MUST_CHECK bool fence_watch_restart(struct fence_watch *w, struct pg *live,
                                    const struct fence_own *own, struct err *e);
/* Sessions that write now; any session of the server will do.  At most every 100 ms; never fails:
 * while the server does not answer nothing is seen. */
void fence_watch_look(struct fence_watch *w, struct pg *db);
/* *writes: all that was seen so far, one line for people each; none: provably unbroken as far as it
 * can be seen.  Before Prisma starts, and at the verdict. */
MUST_CHECK bool fence_breaches(struct fence_watch *w, struct pg *live, struct strlist *writes,
                               struct err *e);

/* Rows written in live since its counters began, all tables together. */
MUST_CHECK bool fence_count(struct pg *live, int64_t *written, struct err *e);

#endif
