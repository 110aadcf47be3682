/*
 * older.h - end the sessions of a database that began before now.
 *
 * They are told by pid, not by the time they began, which a role without
 * pg_read_all_stats does not see: the sessions that are there, and those that
 * hold the lock of a session that is starting and may have read the settings of
 * before.  Who comes later reads the settings of now, and is left alone.
 */
#ifndef MIGSAFE_CORE_FENCE_OLDER_H
#define MIGSAFE_CORE_FENCE_OLDER_H

#include "base/str.h"
#include "ext/pg.h"

struct older_spec {
    struct pg *db;               /* in another database */
    const char *oid;             /* of the database */
    int64_t refused_limit_ms;    /* how long one that may not be ended may take to go by itself */
    const struct strlist *spare; /* application names; "migsafe" and "migsafe ..." are spared too */
};

/* Is it a session of ours by its application name?  (Prisma's are called "migsafe:<run>".) */
bool older_is_ours(const char *application_name);

/* In rounds, until none is left.  ERR_PREFLIGHT: may not end some, which are named; ERR_TIMEOUT:
 * they do not end. */
MUST_CHECK bool older_end(struct arena *a, const struct older_spec *spec, int *ended,
                          struct err *e);

#endif
