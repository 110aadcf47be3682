/*
 * foreign.h - a dump that others made: plain SQL, also gzipped, or an archive of pg_dump.
 *
 * Recognised by its first bytes, never by its name: "PGDMP" (custom archive), a
 * folder with toc.dat (directory archive), a tar with toc.dat, gzip (looked into),
 * else text that must be SQL.
 *
 * Plain SQL goes through psql into a side database, in one transaction, stopping
 * at the first error.  psql would also obey lines like "\connect live" or "\! rm":
 * the text is read first, as psql would read it (quotes, dollar quotes, comments,
 * COPY data), and any such command but \restrict and \unrestrict of pg_dump refuses
 * the file.  So do CREATE, DROP and ALTER DATABASE.
 *
 * What it restores has no manifest: nothing can be compared, the tables and rows
 * are counted and told.  Properties of the database (owner, ACL, settings) are
 * those of live now.
 */
#ifndef MIGSAFE_CORE_FOREIGN_H
#define MIGSAFE_CORE_FOREIGN_H

#include "core/connection/connection.h"

enum foreign_kind { FOREIGN_SQL, FOREIGN_CUSTOM, FOREIGN_TAR, FOREIGN_DIRECTORY };

struct foreign {
    enum foreign_kind kind;
    const char *path;    /* of what is restored: for gzipped SQL the unpacked copy in scratch */
    bool unpacked;       /* path is such a copy: foreign_close removes it */
    const char *made_by; /* "PostgreSQL 15.14, pg_dump 15.14", or NULL */
    bool names_owner;    /* it sets owners by itself */
    int64_t bytes;
};

/* Opens and reads it whole.  "-": standard input, kept in a file below scratch (0600).
 * ERR_NOT_FOUND: no such file.  ERR_DAMAGED: empty, not SQL and no archive, cut off, or it holds
 * what is refused (with its line). */
MUST_CHECK bool foreign_open(struct arena *a, const char *file, const char *scratch,
                             struct foreign *f, struct err *e);
void foreign_close(const struct foreign *f); /* removes what foreign_open made */

struct foreign_restore {
    const struct connection *server; /* the role that restores; its dbname does not count */
    const char *target;              /* an empty database of that server */
    const char *pg_bin;
    const char *owner; /* whom objects shall belong to where the dump names no owners */
    int jobs;
};
struct foreign_counts {
    int64_t tables, rows;
};
/* ERR_DAMAGED: the dump's SQL failed (first error, its line), or it made no table; ERR_CHILD. */
MUST_CHECK bool foreign_restore(struct arena *a, const struct foreign *f,
                                const struct foreign_restore *spec, struct foreign_counts *counts,
                                struct err *e);

#endif
