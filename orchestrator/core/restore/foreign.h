/*
 * foreign.h - a dump that others made: plain SQL, also gzipped, or an archive of pg_dump.
 *
 * Recognised by its first bytes, never by its name: "PGDMP" (custom archive), a
 * folder with toc.dat (directory archive), a tar with toc.dat, gzip (looked into),
 * else text that must be SQL.
 *
 * Plain SQL goes through psql into a side database, in one transaction, stopping
 * at the first error.  psql would also obey lines like "\connect live" or "\! rm":
 * the text is read first, as psql would read it (foreign_scan.h), and again on its
 * way into psql, which is besides told to take no commands (\restrict) where it
 * knows how.  Packed SQL is unpacked on the way: no copy of it is made.
 *
 * What it restores has no manifest: nothing can be compared, the tables and rows
 * are counted and told.  Properties of the database (owner, ACL, settings) are
 * those of live now.
 */
#ifndef MIGSAFE_CORE_FOREIGN_H
#define MIGSAFE_CORE_FOREIGN_H

#include "core/restore/source.h"
#include "core/scratch.h"

enum foreign_kind { FOREIGN_SQL, FOREIGN_CUSTOM, FOREIGN_TAR, FOREIGN_DIRECTORY };

struct foreign {
    enum foreign_kind kind;
    const char *given;       /* file "dump.sql.gz", or: standard input */
    const char *name;        /* dump.sql.gz, or: - */
    const char *path;        /* of what is restored: the file, or one of the copies */
    struct scratch spooled;  /* of what is no file */
    struct scratch unpacked; /* of an archive that was packed */
    const char *made_by;     /* "PostgreSQL 15.14, pg_dump 15.14", or NULL */
    bool packed;             /* SQL, by gzip */
    bool names_owner;        /* it sets owners by itself; archives always do */
    bool only_data;          /* rows, and no table for them, as far as can be told */
    int64_t bytes;           /* as it was given */
};

/* "plain SQL", "plain SQL, gzipped", "custom archive" ... */
const char *foreign_kind_name(const struct foreign *f);

/* Opens and reads it whole.  "-": standard input, kept in a file below scratch (0600); so is what
 * is no file and no folder.  Such files of killed processes are removed then.  ERR_NOT_FOUND: no
 * such file.  ERR_DAMAGED: empty, not SQL and no archive, cut off, or it holds what is refused
 * (with its line).  On failure nothing is left. */
MUST_CHECK bool foreign_open(struct arena *a, const char *file, const char *scratch,
                             struct foreign *f, struct err *e);
void foreign_close(const struct foreign *f); /* removes what foreign_open made */
/* ERR_DAMAGED: it is of data alone. */
MUST_CHECK bool foreign_has_tables(const struct foreign *f, struct err *e);

struct foreign_counts {
    int64_t tables, rows;
};
struct foreign_restore {
    const struct foreign *file;
    const struct connection *server; /* the role that restores; its dbname does not count */
    const char *pg_bin;
    const char *owner; /* whom objects shall belong to where the dump names no owners */
    int jobs;
    struct foreign_counts *counts; /* what was made */
    const char *schema; /* a folder of pg_dump: its tables are made for the rows of the file, whose
                         * own are not, and its keys and triggers when they are there; or NULL */
};
/* Fills an empty database of that server, and analyzes it.  ERR_DAMAGED: the dump's SQL failed
 * (first error, its line), or it made no table; ERR_CHILD. */
MUST_CHECK bool foreign_restore(struct arena *a, const struct foreign_restore *spec,
                                const char *target, struct err *e);
/* spec and like must live as long; like: what the database shall be. */
struct source foreign_source(const struct foreign_restore *spec, const struct database_facts *like);

#endif
