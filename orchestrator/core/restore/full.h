/*
 * full.h - restore a full backup into an empty database, and prove it.
 */
#ifndef MIGSAFE_CORE_RESTORE_FULL_H
#define MIGSAFE_CORE_RESTORE_FULL_H

#include "core/backup/store.h"
#include "core/connection/connection.h"

struct restore_spec {
    const struct connection *server; /* the role that restores; its dbname does not count */
    const char *target;              /* an empty database of that server */
    const struct stored *backup;     /* kind full */
    const char *pg_bin;
    int jobs;
    bool no_owner, no_acl;
};

/* pg_restore of the server's major version, --exit-on-error, then row counts of every table and all
 * sequences compared with the manifest, then ANALYZE.  ERR_CHILD (its first error in the message),
 * ERR_DAMAGED (a table differs; named with both numbers). */
MUST_CHECK bool restore_full(struct arena *a, const struct restore_spec *spec, struct err *e);

/* Only the pg_restore: any archive, no comparison. */
struct archive_spec {
    const struct connection *server;
    const char *target, *folder, *pg_bin;
    const char *format; /* NULL: directory */
    int jobs;           /* more than one: not of a tar */
    bool schema_only, no_owner, no_acl;
};
MUST_CHECK bool restore_archive(struct arena *a, const struct archive_spec *spec, struct err *e);

/* Row counts and sequences of an open database against a manifest. */
MUST_CHECK bool restore_compare(struct arena *a, struct pg *db, const struct manifest *m,
                                struct err *e);

#endif
