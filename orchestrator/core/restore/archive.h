/*
 * archive.h - pg_restore of an archive into a database, whole or in the two parts between which
 * migsafe loads the rows by itself.
 *
 * Rights are given in the second part, as pg_restore does it after the rows: an owner may
 * have taken from himself the right to insert.
 */
#ifndef MIGSAFE_CORE_RESTORE_ARCHIVE_H
#define MIGSAFE_CORE_RESTORE_ARCHIVE_H

#include "core/backup/toc.h"
#include "core/connection/connection.h"

enum archive_part {
    ARCHIVE_ALL,
    ARCHIVE_BEFORE_ROWS, /* tables, types, functions; large objects without their contents */
    ARCHIVE_AFTER_ROWS,  /* indexes, constraints, triggers, rights, materialized views */
};

struct archive_spec {
    const struct connection *server;
    const char *target, *folder, *pg_bin;
    const char *format;      /* NULL: directory */
    int jobs;                /* more than one: not of a tar */
    const char *lc_monetary; /* in which its money is written; or NULL */
    bool schema_only, data_only, no_owner, no_acl;
    enum archive_part part;
    const struct toc *toc; /* of the archive, for its parts; NULL: it cannot be read, so they are
                            * the sections of pg_restore */
    const bool *left_out;  /* by entry of toc: not this one; NULL: all */
};

/* pg_restore of the target server's major version, --exit-on-error.  ERR_CHILD (its first error in
 * the message). */
MUST_CHECK bool restore_archive(struct arena *a, const struct archive_spec *spec, struct err *e);
/* A part as SQL, in the archive's encoding, without commands of psql; no rows; the session's
 * lock_timeout stays as it is.  spec: folder,
 * pg_bin, part and toc. */
MUST_CHECK bool archive_text(struct arena *a, const struct archive_spec *spec, int server_version,
                             const char **sql, struct err *e);

#endif
