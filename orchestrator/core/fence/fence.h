/*
 * fence.h - live is read-only for others, from the snapshot to the verdict.
 *
 * A guard, not a proof: default_transaction_read_only of the database, and all
 * sessions that began before it ended.  SELECT goes on.  Who gets through: roles
 * and sessions that set it for themselves, BEGIN READ WRITE, large object
 * functions.  So what others wrote is measured at the end (breach.h).
 *
 * The mark is the first line of the database's comment, written in the same
 * transaction, so that any migsafe can lift it without a journal:
 *
 *     migsafe-fence run=<run> until=<RFC 3339, server's clock> was=<on|off|none>
 *     <the comment that was there before>
 *
 * It is lifted by the run that set it, by recover, by the watchdog when that run
 * dies (watchdog.h), and by any migsafe that finds it expired.  A session keeps
 * the setting that it began with, so lifting ends those that began under the fence.
 * Every session of ours may write (ext/pg.h); Prisma's get FENCE_EXEMPT.
 */
#ifndef MIGSAFE_CORE_FENCE_H
#define MIGSAFE_CORE_FENCE_H

#include "core/connection/connection.h"
#include "core/schema/database.h"

#define FENCE_EXEMPT "-c default_transaction_read_only=off"

/* How long a fence stands without being renewed: until the run behind it counts as dead. */
enum { FENCE_LEASE_MS = 60000 };

struct fence_mark {
    const char *run, *until; /* NULL run: no fence */
    bool expired;            /* by the server's clock */
    const char *was_setting; /* "on", "off", as it was written; NULL: the database had none */
    const char *was_comment; /* NULL: none */
};

/* Is there a fence on database `name`?  Through any session of the server.  Without one, run is
 * NULL and was_* are what the database has. */
MUST_CHECK bool fence_read(struct arena *a, struct pg *db, const char *name,
                           struct fence_mark *mark, struct err *e);
/* The same out of a comment (database_facts.comment), without expired: a pure function. */
bool fence_parse(struct arena *a, const char *comment, struct fence_mark *mark);
/* The comment of a fenced database. */
char *fence_comment(struct arena *a, const struct fence_mark *mark) RETURNS_NONNULL;
/* What the database is without the fence: facts read while it stood, or after. */
void fence_take_out(struct arena *a, struct database_facts *facts);
/* Was the database read-only before by a setting of its own?  Then Prisma is not exempt from that.
 */
bool fence_was_on(const struct fence_mark *mark);
/* SQL that gives database `name` the setting back that it had before the fence. */
char *fence_setting_sql(struct arena *a, const char *name, const struct fence_mark *mark)
    RETURNS_NONNULL;

struct fence_spec {
    struct pg *maintenance; /* of the role that may alter live: its owner */
    const char *live, *live_oid;
    const char *run;
    int64_t lease_ms;     /* until: now + this */
    struct strlist spare; /* application names whose sessions are not ended, besides "migsafe" and
                             what begins with "migsafe " */
};
struct fence_result {
    struct fence_mark mark; /* run NULL: it never stood */
    const char *set_by;     /* the transaction that set it; or NULL */
    int sessions_ended;
};
/* Sets it, then ends every older session of others, idle ones too, until none is left.
 * ERR_PREFLIGHT (not the owner, sessions that may not be ended: named), ERR_TIMEOUT; lifted again
 * then.  ERR_BUSY: a fence of another run that has not expired. */
MUST_CHECK bool fence_set(struct arena *a, const struct fence_spec *spec,
                          struct fence_result *result, struct err *e);
/* Later until; ERR_NOT_FOUND when the mark is not this run's any more. */
MUST_CHECK bool fence_renew(struct arena *a, struct pg *maintenance, const char *live,
                            const char *run, int64_t lease_ms, struct err *e);
/* Setting and comment as the mark says they were; nothing to do when there is none of this run
 * (run NULL: of any).  Sessions that began under it are ended: false with *lifted where one of them
 * could not be.  *lifted may be NULL. */
MUST_CHECK bool fence_lift(struct arena *a, struct pg *maintenance, const char *live,
                           const char *run, bool *lifted, struct err *e);
/* A fence as it was set, by who remembers it. */
struct fence_known {
    const char *live, *live_oid;
    struct fence_mark mark;
    const char *set_by; /* NULL: not known; was_comment is not then, either */
};
/* As fence_lift of its run, of that database only; also where a migration has written another
 * comment over the mark: then that comment stays.  Where the mark is gone because the fence was
 * lifted, and somebody has made the database read-only since, that stays, too. */
MUST_CHECK bool fence_lift_known(struct arena *a, struct pg *maintenance,
                                 const struct fence_known *known, bool *lifted, struct err *e);
/* The fence is off, but who lifted it may not have come to end the sessions that began under it:
 * now.  Nothing to do while it stands, or on another database. */
MUST_CHECK bool fence_free(struct arena *a, struct pg *maintenance, const struct fence_known *known,
                           struct err *e);
/* Lifts one that has expired, whoever set it; none or not expired: nothing. */
MUST_CHECK bool fence_lift_expired(struct arena *a, struct pg *maintenance, const char *live,
                                   struct err *e);

#endif
