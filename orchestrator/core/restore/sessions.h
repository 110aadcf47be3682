/*
 * sessions.h - end the sessions of two databases while a swap waits for that.
 *
 * One pid a statement: pg_terminate_backend raises an error for a session that
 * this role may not end, and one such must not save the others.
 */
#ifndef MIGSAFE_CORE_RESTORE_SESSIONS_H
#define MIGSAFE_CORE_RESTORE_SESSIONS_H

#include "base/str.h"
#include "ext/pg.h"

struct session_ender {
    struct pg *db;              /* in the maintenance database, never in one of the two */
    const char *oids[2];        /* of the databases */
    const struct strlist *only; /* these pids; NULL: all sessions of the two */
    struct strlist *ended;      /* pids, each once */
    struct arena *round;        /* holds what follows; the caller frees it */
    const char *survivors;      /* of the last round: "pid 7, role \"x\": why; ..."; NULL: none */
    bool refused;               /* one of them may not be ended by this role */
};

/* One round; *left is how many it saw.  False: the session is lost (ERR_CONNECT), or a time limit.
 */
MUST_CHECK bool sessions_end(struct session_ender *s, size_t *left, struct err *e);

#endif
