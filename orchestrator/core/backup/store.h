/*
 * store.h - the backups below the backup folder.
 *
 * An id is <db>_<YYYYMMDD_HHMMSS>_<kind>, db reduced to [a-z0-9_]; "_2" and so on
 * at its end when taken in the same second.  Only folders so named are looked at:
 * one of them without a usable manifest is a damaged backup.  <id>.partial is one
 * in the making, <id>.removed one that is being removed.
 */
#ifndef MIGSAFE_CORE_BACKUP_STORE_H
#define MIGSAFE_CORE_BACKUP_STORE_H

#include "core/backup/manifest.h"

struct stored {
    const char *id, *folder;
    struct manifest manifest; /* valid when damage is NULL */
    const char *damage;       /* why the manifest cannot be used, or NULL */
    int64_t taken_at;         /* seconds since 1970; by the id when the manifest is damaged */
};

struct store {
    struct stored *items; /* oldest first */
    size_t count;
};

/* What the name alone says. */
struct store_id {
    const char *database; /* as reduced */
    const char *kind;
    int64_t taken_at;
};
/* False: no id of a backup. */
bool store_id_parse(struct arena *a, const char *name, struct store_id *id);
/* stamp: clock_stamp(); again: 1, or 2 and so on for more of the same second. */
char *store_id_make(struct arena *a, const char *database, const char *stamp, const char *kind,
                    int again) RETURNS_NONNULL;

/* All backups, damaged ones too; folders that are none are left out.  A folder that does not exist
 * is an empty store. */
MUST_CHECK bool store_read(struct arena *a, const char *backup_dir, struct store *s, struct err *e);
/* ERR_NOT_FOUND, ERR_DAMAGED. */
MUST_CHECK bool store_find(struct arena *a, const char *backup_dir, const char *id,
                           struct stored *found, struct err *e);
/* Every file against the sums of the manifest, several at a time, and SHA256SUMS against them too:
 * ERR_DAMAGED names one file and whose it is; ERR_CANCELLED between two files. */
MUST_CHECK bool store_verify_files(struct arena *a, const struct stored *s, struct err *e);
/* One of them: size and sum.  label: for the error, as store_file_label makes it. */
MUST_CHECK bool store_check_file(struct arena *a, const struct stored *s,
                                 const struct manifest_file *file, const char *label,
                                 struct err *e);
/* "file \"x\" (table \"s\".\"t\")"; t may be NULL. */
char *store_file_label(struct arena *a, const char *file, const struct manifest_table *t)
    RETURNS_NONNULL;
/* The manifest with its files sorted by name: nothing says that they are. */
struct manifest store_sorted(struct arena *a, const struct manifest *m);
/* An archive says 1.dat, the file may be 1.dat.gz or 1.dat.zst.  NULL: there is none. */
const char *store_packed_name(struct arena *a, const struct manifest *sorted, const char *name);
/* Does the sorted manifest name it? */
bool store_has_file(const struct manifest *sorted, const char *name);
/* Does SHA256SUMS say what the manifest says?  A missing one does not. */
MUST_CHECK bool store_sums_agree(struct arena *a, const struct stored *s, bool *same,
                                 struct err *e);
/* Writes SHA256SUMS as `sha256sum -c` reads it. */
MUST_CHECK bool store_write_sums(struct arena *a, const char *folder,
                                 const struct manifest_file *files, size_t count, struct err *e);
/* Rewrites the manifest with pinned changed / one more verification.  Only that changes, whatever
 * else is in it. */
MUST_CHECK bool store_pin(struct arena *a, const struct stored *s, bool pinned, struct err *e);
MUST_CHECK bool store_add_verification(struct arena *a, const struct stored *s, const char *level,
                                       const char *result, struct err *e);
/* Which check says that it is good: the last that went well, one by restoring before one of files;
 * NULL when none has, or when one has failed since.  A failure stands until a check of that level,
 * or a higher one, goes well. */
const struct manifest_check *store_proven_by(const struct manifest *m);
const struct manifest_check *store_failed_by(const struct manifest *m); /* that failure, or NULL */
/* Renames to <id>.removed first, so that a half removed one is never listed. */
MUST_CHECK bool store_remove(struct arena *a, const struct stored *s, struct err *e);

/* A folder for a backup in the making: <id>.partial, locked until the descriptor is closed, so
 * that store_sweep knows it is alive.  ERR_BUSY: it, or the backup itself, exists already; it is
 * somebody else's then. */
MUST_CHECK bool store_begin(struct arena *a, const char *backup_dir, const char *id, int *fd,
                            const char **folder, struct err *e);
/* The folder gets the name of its backup: from now on it is one. */
MUST_CHECK bool store_finish(struct arena *a, const char *backup_dir, const char *id,
                             struct err *e);
/* Removes what store_begin made, finished or not. */
MUST_CHECK bool store_abandon(struct arena *a, const char *backup_dir, const char *id,
                              struct err *e);
/* A run that is known to be dead: partial folders of its database that were begun since it began
 * are removed at once, others when they are a minute old. */
struct store_dead {
    const char *database;
    int64_t began_at; /* seconds since 1970 */
};
/* Removes what killed processes left: <id>.removed, and <id>.partial that nobody has locked.  dead
 * may be NULL. */
MUST_CHECK bool store_sweep(struct arena *a, const char *backup_dir, const struct store_dead *dead,
                            struct err *e);

#endif
