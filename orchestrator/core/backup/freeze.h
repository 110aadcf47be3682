/*
 * freeze.h - the moment of a backup: all tables locked, then a snapshot.
 *
 * In this order, because TRUNCATE and rewriting ALTER TABLE are not MVCC-safe: what
 * commits between a snapshot and its locks makes tables look empty, without an
 * error.  LOCK takes no snapshot in REPEATABLE READ; the first query after it does.
 */
#ifndef MIGSAFE_CORE_BACKUP_FREEZE_H
#define MIGSAFE_CORE_BACKUP_FREEZE_H

#include "base/str.h"
#include "ext/pg.h"

struct frozen_table {
    const char *oid, *schema, *name;
    bool counted; /* in the manifest: an ordinary table, no member of an extension */
    int64_t inserted, updated, deleted;
};

struct frozen {
    const char *snapshot, *xmax, *lsn, *lc_monetary;
    struct frozen_table *tables; /* by schema and name */
    size_t count;
};

/* Leaves db in a transaction that holds the locks and the snapshot; closing db ends both.  Starts
 * over when tables changed meanwhile.  ERR_TIMEOUT: a lock was not to be had; the detail names who
 * has it.  ERR_QUERY 42501: a table that may not be read. */
MUST_CHECK bool freeze(struct arena *a, struct pg *db, int64_t lock_timeout_ms, struct frozen *f,
                       struct err *e);

/* When all is copied, in the transaction that freeze left: have the tables and the values of enums
 * the names that they had?  The locks keep a table from being renamed, not its schema, and no enum
 * from anything.  ERR_TIMEOUT: no. */
MUST_CHECK bool freeze_held(struct pg *db, const struct frozen *f, struct err *e);

/* Names whoever keeps the tables locked, in the detail of e; may end db's transaction. */
void freeze_name_blocker(struct pg *db, const struct frozen *f, struct err *e);

#endif
