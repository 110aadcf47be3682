/*
 * dump.h - one run of pg_dump on a snapshot that another session holds.
 */
#ifndef MIGSAFE_CORE_BACKUP_DUMP_H
#define MIGSAFE_CORE_BACKUP_DUMP_H

#include "core/backup/freeze.h"
#include "core/connection/connection.h"

struct dump_spec {
    const struct connection *from;
    const char *pg_dump; /* path */
    const char *folder;  /* an empty one */
    const struct frozen *frozen;
    struct pg *holder; /* the frozen session; kept alive meanwhile */
    int jobs, level;   /* of gzip, 0: none */
    int64_t lock_timeout_ms;
};

/* ERR_CHILD with its first error; ERR_SYSTEM when the disk is full or the folder cannot be written;
 * ERR_TIMEOUT when somebody asks for a table meanwhile (who, in the detail); ERR_CONNECT when the
 * holder was lost; ERR_CANCELLED. */
MUST_CHECK bool dump_run(struct arena *a, const struct dump_spec *spec, struct err *e);

/* "auto", "none" or "gzip:1" to "gzip:9" as a level.  ERR_CONFIG. */
MUST_CHECK bool dump_level(const char *compression, int *level, struct err *e);

#endif
