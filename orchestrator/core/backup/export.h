/*
 * export.h - a backup as plain SQL for psql, or as one tar.
 *
 * A file is written aside, fsynced, named, 0600, and never over another.
 */
#ifndef MIGSAFE_CORE_EXPORT_H
#define MIGSAFE_CORE_EXPORT_H

#include "core/backup/store.h"

enum export_format { EXPORT_SQL, EXPORT_TAR };

struct export_spec {
    const struct stored *backup;
    enum export_format format;
    const char *pg_bin;
    const char *scratch; /* folder for a while; private */
    const char *to;      /* a file; NULL: out */
    FILE *out;
    bool gzip;
    /* Of SQL: */
    bool inserts; /* INSERT with column names, one a row, instead of COPY */
    bool clean;   /* full: DROP ... IF EXISTS first */
    bool no_owner, no_acl;
    bool disable_triggers; /* data: foreign keys too; the loading role must be a superuser */
};
/* ERR_SYSTEM, ERR_USAGE (an existing file is not overwritten; an option that the kind does not
 * have), ERR_CHILD, ERR_DAMAGED. */
MUST_CHECK bool backup_export(struct arena *a, const struct export_spec *spec, struct err *e);

#endif
