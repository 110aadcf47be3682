/*
 * copies.h - the databases of a rehearsal: the backup restored, and a copy of that to work on.
 *
 *     <db>__migsafe_standby_<run>      restored from the backup, proven; closed from then on, so
 *                                      that nobody can write into it: the standby
 *     <db>__migsafe_rehearsal_<run>    its copy by CREATE DATABASE ... TEMPLATE
 *
 * Where no copy can or shall be made, the restored one is worked on and there is
 * no standby.
 */
#ifndef MIGSAFE_CORE_REHEARSAL_COPIES_H
#define MIGSAFE_CORE_REHEARSAL_COPIES_H

#include "base/clock.h"
#include "core/backup/progress.h"
#include "core/backup/store.h"
#include "core/connection/connection.h"

struct copies_spec {
    const struct connection *server; /* the role that restores */
    const char *maintenance_database, *pg_bin;
    const struct stored *backup; /* full */
    const char *live, *run;
    int jobs;
    bool standby;                /* make the copy */
    struct deadline limit;       /* for all of it */
    const char *limit_name;      /* the setting that says so */
    const struct progress *also; /* hears the restore; or NULL */
    /* Before and after each is made: part "create", "created", "standby". */
    bool (*note)(void *context, const char *part, const char *purpose, const char *name,
                 const char *oid, struct err *e);
    void *context;
};

struct copies {
    const char *work, *work_oid;       /* to rehearse on; NULL: none */
    const char *standby, *standby_oid; /* NULL: none */
    const char *no_standby;            /* why, where one was asked for */
    bool restored;                     /* the backup is proven */
    int64_t restore_ms, copy_ms;
};

/* What was made is in copies, also on failure: copies_drop.  ERR_TIMEOUT: the limit passed;
 * else as side_create, restore_full, database_apply. */
MUST_CHECK bool copies_make(struct arena *a, const struct copies_spec *spec, struct copies *c,
                            struct err *e);
/* Only when the database of that name is the one of that oid (NULL name: nothing to do). */
MUST_CHECK bool copies_drop(struct arena *a, struct pg *maintenance, const char *name,
                            const char *oid, struct err *e);
/* Is the database of that name the one of that oid? */
bool copies_are_there(struct arena *a, struct pg *maintenance, const char *name, const char *oid);

#endif
