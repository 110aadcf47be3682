/*
 * pg_dump.h - pg_dump for the schema, on a snapshot that another session holds.
 */
#ifndef MIGSAFE_CORE_BACKUP_PG_DUMP_H
#define MIGSAFE_CORE_BACKUP_PG_DUMP_H

#include "core/connection/connection.h"

struct pg_dump_spec {
    const struct connection *from;
    const char *program; /* path */
    const char *folder;  /* an empty one, or none; made */
    const char *snapshot;
    const char *session; /* its application_name */
    int64_t lock_timeout_ms;
    const char *large; /* large objects alone instead, packed so ("gzip:1"), or NULL */
};

/* From this version on pg_dump keeps large objects in groups with their owners and rights, which it
 * alone knows how to write. */
enum { PG_DUMP_GROUPS_LARGE = 170000 };

/* An archive of the sections pre-data and post-data.  ERR_CHILD with its first error; ERR_SYSTEM
 * when the disk is full or the folder cannot be written; ERR_TIMEOUT when somebody asks for a table
 * meanwhile; ERR_CANCELLED. */
MUST_CHECK bool pg_dump_run(struct arena *a, const struct pg_dump_spec *spec, struct err *e);

#endif
