/*
 * backup.h - take a backup: one snapshot, a full and a data-only backup of it.
 *
 * Files appear in <backup-dir>/<id>.partial and get their name when complete
 * (fsynced, manifest last): a folder with another name is never a backup.  All
 * sessions are closed when it returns: an open one would block the migration.
 * On failure the partial folders are removed.
 *
 * A full backup is a directory archive that stock pg_restore takes (unless its manifest
 * says not_stock), with manifest.json and SHA256SUMS beside it.  A data backup has the same
 * data files (hard links where the file system has them) and no toc.dat: what a restore
 * needs is in its manifest.
 */
#ifndef MIGSAFE_CORE_BACKUP_H
#define MIGSAFE_CORE_BACKUP_H

#include "core/backup/manifest.h"
#include "core/backup/progress.h"
#include "core/connection/connection.h"

enum { BACKUP_FULL = 1, BACKUP_DATA = 2 };

struct backup_spec {
    const struct connection *live;
    const char *backup_dir;
    const char *pg_bin; /* or NULL */
    unsigned kinds;     /* BACKUP_FULL | BACKUP_DATA */
    const char *reason, *label, *run;
    const char *project_dir; /* for the git facts; or NULL */
    /* What database it shall be of, where live only stands for it (an import); NULL: live itself.
     */
    const struct database_facts *as;
    bool only_filled; /* of a data backup: tables without rows are not in it */
    int jobs;
    const char *compression;   /* as the setting: "auto", "none", "gzip:N", "zstd:N" */
    int64_t split_size;        /* bytes; larger tables are copied by several workers; 0: none */
    int64_t lock_timeout_ms;   /* for our LOCKs and pg_dump's */
    struct progress *progress; /* or NULL */
};

struct backup_done {
    const char *full_id, *data_id; /* NULL when not asked for */
    struct manifest manifest;      /* of the full one, or of the data one */
    struct manifest data;          /* of the data one */
    int64_t elapsed_ms;
};

/* ERR_SYSTEM (disk, folder; the detail says how much is free), ERR_CHILD (no pg_dump of that
 * version, or it failed), ERR_QUERY, ERR_CONNECT, ERR_TIMEOUT (a lock; the blocker is named),
 * ERR_CANCELLED. */
MUST_CHECK bool backup_take(struct arena *a, const struct backup_spec *spec,
                            struct backup_done *done, struct err *e);

#endif
