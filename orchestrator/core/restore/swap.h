/*
 * swap.h - a side database takes the live name; live becomes the kept database.
 *
 * One transaction by two sessions of the maintenance database (docs/SWAP.md):
 * A: ALTER DATABASE live RENAME TO kept - its lock keeps newcomers waiting and it
 * waits up to 5 s for sessions to end; B meanwhile ends live's sessions, one pid
 * at a time, and wakes A; A: RENAME side TO live, kept closed, COMMIT.  A failure
 * or a kill anywhere leaves live open under its own name, or swapped: never
 * closed, never missing.  Retried for 30 s.
 *
 * A newcomer that waits on the lock of a database that is then renamed is refused
 * by the server ("database does not exist", once).  Where the role may lock
 * pg_database (superuser), newcomers wait there instead, before they look up the
 * name, and nobody is refused.
 *
 * Everything the new database needs is done to it before (database_apply, ANALYZE).
 */
#ifndef MIGSAFE_CORE_RESTORE_SWAP_H
#define MIGSAFE_CORE_RESTORE_SWAP_H

#include "core/connection/connection.h"
#include "core/schema/database.h"

struct swap_spec {
    const struct connection *server; /* the role that swaps */
    const char *maintenance_database;
    const char *live, *side, *kept; /* names */
    const char *live_oid,
        *side_oid;            /* checked inside the transaction: never swap another database */
    const char *kept_comment; /* the mark, see side.h; NULL: none */
    const char *live_comment; /* of the database that takes the live name, until then marked as
                                 ours; NULL: none */
    const char *kept_unfence; /* a statement that takes the fence off what is then called kept, in
                                 the same transaction; NULL: there is none */
    int64_t limit_ms;         /* 0: 30 s */
    const char *run; /* its sessions are called "migsafe:<run> swap"; NULL: "migsafe:swap" */
};

struct swap_result {
    int64_t blocked_ms; /* how long newcomers had to wait */
    int attempts;       /* 0: it was swapped already */
    int sessions_ended;
    bool gated; /* newcomers waited before the name was looked up: none was refused */
};

/* ERR_QUERY or ERR_TIMEOUT with the pids that could not be ended in the detail, ERR_CANCELLED
 * between two attempts; nothing changed then.  ERR_CONNECT: the server went away, and it could not
 * be learned which of the two it is. */
MUST_CHECK bool swap(struct arena *a, const struct swap_spec *spec, struct swap_result *result,
                     struct err *e);

/* Can it work here?  Logical slots, subscriptions, prepared transactions in live (the first two
 * unless accepted), rights to rename and to end the sessions that are there.  ERR_PREFLIGHT names
 * them and what helps. */
MUST_CHECK bool swap_possible(struct arena *a, struct pg *maintenance, const char *live,
                              bool accept_slots, struct err *e);

#endif
