/*
 * verify.h - is a backup on disk what was written?
 *
 * Every file against its size and SHA-256; every member unpacked to its end; the rows,
 * NULLs and content of every table counted in its text and compared with the manifest;
 * toc.dat readable; large objects counted.  In parallel, also within one table; memory
 * does not grow with the backup.
 */
#ifndef MIGSAFE_CORE_BACKUP_VERIFY_H
#define MIGSAFE_CORE_BACKUP_VERIFY_H

#include "core/backup/progress.h"
#include "core/backup/store.h"

struct verify_damage {
    const char *file;           /* name below the folder, or NULL */
    const char *schema, *table; /* whose file it is, or NULL */
    const char *what;           /* "file \"x\" (table \"s\".\"t\") is missing" */
};

struct verify_spec {
    const struct stored *backup;
    int jobs;
    struct progress *progress; /* or NULL */
};

struct verify_result {
    struct verify_damage *damages; /* in the order of the manifest */
    size_t damage_count;
    int64_t files, bytes, tables, rows, text_bytes;
    int64_t tables_by_content; /* whose content was compared too */
};

/* True: everything was looked at; whether it is good the damages say.  ERR_CANCELLED, ERR_SYSTEM.
 */
MUST_CHECK bool backup_verify(struct arena *a, const struct verify_spec *spec,
                              struct verify_result *result, struct err *e);
/* ERR_DAMAGED from the first damage, the next in the detail; true when there is none. */
MUST_CHECK bool verify_verdict(struct arena *a, const struct stored *backup,
                               const struct verify_damage *damages, size_t count, struct err *e);

#endif
