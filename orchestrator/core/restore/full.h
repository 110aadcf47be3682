/*
 * full.h - restore a full backup into an empty database, and prove it.
 *
 * pg_restore makes the tables, migsafe loads the rows by itself (rows.h) and makes the indexes of
 * large tables (own_index.h), pg_restore makes all else that comes after the rows.  Data files are
 * never read by pg_restore: they may be packed in a way that it does not know.  Backups that
 * pg_dump alone made go the same way.
 */
#ifndef MIGSAFE_CORE_RESTORE_FULL_H
#define MIGSAFE_CORE_RESTORE_FULL_H

#include "core/backup/progress.h"
#include "core/backup/store.h"
#include "core/connection/connection.h"
#include "core/restore/archive.h"
#include "core/restore/compare.h"

struct restore_spec {
    const struct connection *server; /* the role that restores; its dbname does not count */
    const char *target;              /* an empty database of that server */
    const struct stored *backup;     /* kind full; its files were verified */
    const char *pg_bin;
    int jobs;
    bool no_owner, no_acl;
    struct progress *progress; /* bytes of text; or NULL */
};

/* Then the rows that the server took for every table, all sequences and the number of large objects
 * are compared with the manifest, and everything is analyzed.  ERR_CHILD (the first error of
 * pg_restore in the message), ERR_QUERY, ERR_DAMAGED (a file, or a table that differs: named with
 * both numbers). */
MUST_CHECK bool restore_full(struct arena *a, const struct restore_spec *spec, struct err *e);

#endif
