/*
 * schema_dump.h - pg_dump --schema-only of a database, for what is tried before it is needed.
 */
#ifndef MIGSAFE_CORE_RESTORE_SCHEMA_DUMP_H
#define MIGSAFE_CORE_RESTORE_SCHEMA_DUMP_H

#include "core/connection/connection.h"

struct schema_dump_spec {
    const struct connection *from;
    const char *pg_bin;
    int server_version;
    const char *format; /* "plain", "directory" */
    const char *to;     /* file, or a folder that is not there yet */
};

/* As tool_run; gives up on a table that is locked for 10 s. */
MUST_CHECK bool schema_dump(struct arena *a, const struct schema_dump_spec *spec, struct err *e);

#endif
