/*
 * schema_wait.h - ends a pg_dump that waits for ever: its own limit holds for LOCK TABLE only, but
 * reading the definition of a view that somebody is dropping waits too, while our locks keep
 * everybody else from the tables, and the server sees no deadlock.
 */
#ifndef MIGSAFE_CORE_BACKUP_SCHEMA_WAIT_H
#define MIGSAFE_CORE_BACKUP_SCHEMA_WAIT_H

#include "base/clock.h"
#include "ext/pg.h"

struct schema_wait {
    struct pg *holder; /* asks; any session that pg_dump is not */
    int64_t limit_ms;  /* 0: none */
    struct deadline next_look;
    int64_t since_ms; /* first seen waiting; 0: not */
};

/* The name of pg_dump's session, by which it is found. */
char *schema_wait_name(struct arena *a, const struct pg *holder) RETURNS_NONNULL;
/* Looks about once a second.  ERR_TIMEOUT: it waits for longer than the limit; who for, in the
 * detail. */
MUST_CHECK bool schema_wait_look(struct schema_wait *w, struct err *e);

#endif
