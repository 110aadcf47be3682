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
/* Is it still ours?  Asked again before migrate and before a swap: ERR_BUSY when the session that
 * held it is gone. */
MUST_CHECK bool runlock_check(struct arena *a, struct runlock *lock, struct err *e);

#endif
