/*
 * export.h - a full backup as plain SQL for psql, made by pg_restore from the backup's own archive.
 */
#ifndef MIGSAFE_CORE_EXPORT_H
#define MIGSAFE_CORE_EXPORT_H

#include "core/backup/store.h"

struct export_spec {
    const struct stored *backup; /* full */
    const char *pg_bin;
    const char *to; /* a file, written aside, fsynced, renamed, 0600; NULL: out */
    FILE *out;
    bool gzip;
    bool clean; /* DROP ... IF EXISTS first */
    bool no_owner, no_acl;
};
/* ERR_SYSTEM (an existing file is not overwritten: ERR_USAGE), ERR_CHILD, ERR_DAMAGED. */
MUST_CHECK bool backup_export(struct arena *a, const struct export_spec *spec, struct err *e);

#endif
