/*
 * runlock.h - one run of migsafe at a time on a database, wherever it is started.
 *
 * The lock is PostgreSQL's advisory lock on a session of its own in the
 * maintenance database: a session in live would be ended by our own swap, and
 * would block its RENAME.  It is polled with pg_try_advisory_lock, never waited
 * for inside the server: a waiting statement holds a snapshot, and CREATE INDEX
 * CONCURRENTLY waits for those.  The key is a hash of the live database's name
 * and the server's system identifier.
 *
 * The lock file in the state folder only informs people (run, pid, host): pids
 * repeat in containers.
 */
#ifndef MIGSAFE_CORE_RUNLOCK_H
#define MIGSAFE_CORE_RUNLOCK_H

#include "core/settings/settings.h"
#include "core/site.h"

struct runlock;
void runlock_release(struct runlock *lock); /* accepts NULL */
DEFINE_AUTO(runlock, struct runlock *, runlock_release);

/* NULL: ERR_BUSY after wait-for-other, naming who holds it; ERR_CONNECT; ERR_CANCELLED. */
MUST_CHECK struct runlock *runlock_take(struct arena *a, const struct site *site,
                                        const struct settings *s, const char *run,
                                        const char *command, struct err *e);
struct runlock_claim {
    const char *run, *command;
    /* What the run does while it waits, about twice a second: `holder` is the run that has the lock
     * ("": not known), `migrated` that it said so.  *enough: nothing is left to wait for.  NULL:
     * only waits. */
    bool (*meanwhile)(void *context, const char *holder, bool migrated, bool *enough,
                      struct err *e);
    void *context;
};
/* As runlock_take; true with *lock NULL when `meanwhile` said that it is enough. */
MUST_CHECK bool runlock_await(struct arena *a, const struct site *site, const struct settings *s,
                              const struct runlock_claim *claim, struct runlock **lock,
                              struct err *e);
/* Is a run at work on database `live` that has not said so far that it migrated?  Through any
 * session of the server; takes nothing. */
MUST_CHECK bool runlock_busy(struct arena *a, struct pg *db, const char *live, bool *is_busy,
                             struct err *e);
/* The identity of the server that it is held on (sql/server_identity.sql); NULL: the server does
 * not tell, or no lock. */
const char *runlock_server(const struct runlock *lock);
/* Tells those who wait that this run has passed its commit point: they need not wait for its last
 * backup.  By the name of the lock's session, so also to other machines. */
MUST_CHECK bool runlock_say_migrated(struct runlock *lock, struct err *e);
/* Is it still ours?  Asked again before migrate and before a swap: ERR_BUSY when the session that
 * held it is gone. */
MUST_CHECK bool runlock_check(struct arena *a, struct runlock *lock, struct err *e);
/* For what must be brought to its end, the way back: where that session is gone (the server was
 * restarted, connections were cut) the lock is taken anew, once the server answers, for up to
 * `wait`.  ERR_CONNECT; ERR_BUSY when another run has it by then. */
MUST_CHECK bool runlock_hold(struct arena *a, struct runlock *lock, const struct site *site,
                             const struct settings *s, struct err *e);

#endif
