/*
 * dump.h - the one pass over a frozen database: schema by pg_dump, everything else by
 * workers of our own, at the same time.
 */
#ifndef MIGSAFE_CORE_BACKUP_DUMP_H
#define MIGSAFE_CORE_BACKUP_DUMP_H

#include "core/backup/copy.h"

struct dump_spec {
    const struct connection *from;
    const char *pg_dump;       /* path; NULL: no schema, only data */
    const char *folder;        /* of data files; it is there */
    const char *schema_folder; /* for pg_dump: not there yet */
    const char *large_folder;  /* likewise, for large objects that pg_dump writes; NULL: we do */
    const struct frozen *frozen;
    struct pg *holder; /* the frozen session; kept alive meanwhile */
    int jobs;
    int64_t split_size, lock_timeout_ms;
    struct compression compression;
    struct progress *progress; /* or NULL */
};

/* Fills m's tables (files named by oid), sequences and large objects; p tells the rest, release it.
 * ERR_TIMEOUT when somebody asks for a table meanwhile (who, in the detail); ERR_CONNECT when the
 * holder was lost; ERR_SYSTEM when the disk is full; ERR_CHILD, ERR_QUERY, ERR_CANCELLED. */
MUST_CHECK bool dump_run(struct arena *a, const struct dump_spec *spec, struct manifest *m,
                         struct plan *p, struct err *e);

#endif
