/*
 * data_apply.h - carries a plan out, all or nothing: one transaction on the live database.
 *
 * Tables are locked, the catalog is read once more under the locks and planned again: the
 * plan that was shown and confirmed is the one that is done, or nothing.  Then user triggers
 * off, foreign keys that are in the way taken off and indexes of tables that are filled anew
 * dropped (data_index.h), rows deleted, loaded, checked against the manifest; indexes made again,
 * foreign keys added again and validated, triggers as they were, sequences set behind what is
 * there, COMMIT.  Until then nobody sees any of it, and whatever fails leaves the database as it
 * was.
 */
#ifndef MIGSAFE_CORE_RESTORE_DATA_APPLY_H
#define MIGSAFE_CORE_RESTORE_DATA_APPLY_H

#include "core/backup/progress.h"
#include "core/connection/connection.h"
#include "core/restore/data_plan.h"

struct data_apply_spec {
    const struct connection *to; /* live, as the role that writes */
    /* A session there that has read the catalog a moment ago, which makes reading it again much
     * faster; it is closed.  NULL, or one that has gone: another is opened. */
    struct pg *session;
    const char *folder; /* of the backup */
    const struct data_plan *plan;
    const struct data_scans *scans; /* what the plan was made with */
    const struct data_trials *trials;
    int64_t lock_timeout_ms;
    int jobs;   /* sessions for ANALYZE */
    bool alone; /* a copy of live that nobody else uses, and that is dropped when anything fails:
                 * loaded by `jobs` sessions and in more than one transaction */
    /* The backup that was taken right before: what is deleted must be in it.  Or NULL. */
    const struct manifest *saved;
    struct progress *progress;    /* or NULL */
    const char *application_name; /* of the session that writes; NULL: "migsafe" */
    /* Right before COMMIT, with the transaction's id: the journal.  False: nothing is committed.
     * NULL: nobody is told. */
    bool (*committing)(void *context, const char *transaction, struct err *e);
    void *context;
};

struct data_loaded { /* a table */
    const struct data_table *table;
    int64_t rows;     /* of the backup */
    int64_t inserted; /* of them new in the table; the others were there already */
};

struct data_applied {
    struct data_loaded *tables; /* in the order of loading */
    size_t table_count;
    int64_t inserted, deleted;
    size_t sequences_set;
    bool committed, unknown; /* unknown: the server went away meanwhile and cannot be asked */
    struct strlist warnings; /* what failed after the commit: statistics */
};

/* ERR_TIMEOUT (a lock; the holder in the detail), ERR_PREFLIGHT and ERR_UNSAFE (as data_plan_check;
 * the database changed since the plan was made), ERR_DAMAGED (the backup), ERR_QUERY (names table,
 * row, and why), ERR_CONNECT, ERR_CANCELLED. */
MUST_CHECK bool data_apply(struct arena *a, const struct data_apply_spec *spec,
                           struct data_applied *done, struct err *e);

#endif
