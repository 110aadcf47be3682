/*
 * inplace.h - restore a full backup within the live database, in one transaction: where a swap is
 * impossible.
 *
 * What the backup's schemas hold now is dropped and made again from the archive, rows are loaded
 * and judged, and only then is it committed: any failure before leaves everything as it was.
 * The tables are locked meanwhile, for writers and readers.  Extensions stay, with the rows
 * that they brought.
 *
 * Possible only when the locks of it fit into the lock table, when what goes with a drop lies
 * wholly in the backup's schemas, and when this role may drop it and make it again.
 */
#ifndef MIGSAFE_CORE_RESTORE_INPLACE_H
#define MIGSAFE_CORE_RESTORE_INPLACE_H

#include "core/restore/full.h"

struct inplace_spec {
    const struct connection *live; /* the role that restores, in the live database */
    const struct stored *backup;   /* full; its files were verified */
    const char *pg_bin;
    int jobs; /* of the ANALYZE after it */
    int64_t lock_timeout_ms;
    struct progress *progress;
    const char *application_name; /* of the session that does it; NULL: "migsafe" */
    /* Right before COMMIT, with the transaction's id: the journal.  False: nothing is committed.
     * NULL: nobody is told. */
    bool (*committing)(void *context, const char *transaction, struct err *e);
    void *context;
};

struct inplace_plan {
    struct strlist schemas; /* of the backup */
    int64_t dropped;        /* objects, with all that goes with them */
    int64_t made;           /* about as many */
    int64_t locks, lock_table;
};

/* Changes nothing.  ERR_PREFLIGHT says why it cannot be and what to do. */
MUST_CHECK bool inplace_look(struct arena *a, const struct inplace_spec *spec,
                             struct inplace_plan *plan, struct err *e);
/* Looks again, and does it.  *restored: it is committed, though what came after may have failed
 * (the ANALYZE). */
MUST_CHECK bool inplace_restore(struct arena *a, const struct inplace_spec *spec, bool *restored,
                                struct err *e);

#endif
