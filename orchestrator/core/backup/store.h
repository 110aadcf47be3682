/*
 * store.h - the backups below the backup folder.
 *
 * An id is <db>_<YYYYMMDD_HHMMSS>_<kind>, db reduced to [a-z0-9_].
 */
#ifndef MIGSAFE_CORE_BACKUP_STORE_H
#define MIGSAFE_CORE_BACKUP_STORE_H

#include "core/backup/manifest.h"

struct stored {
    const char *id, *folder;
    struct manifest manifest; /* valid when damage is NULL */
    const char *damage;       /* why the manifest cannot be used, or NULL */
};

struct store {
    struct stored *items; /* oldest first */
    size_t count;
};

/* All backups, damaged ones too; folders that are none are left out.  A folder that does not exist
 * is an empty store. */
MUST_CHECK bool store_read(struct arena *a, const char *backup_dir, struct store *s, struct err *e);
/* ERR_NOT_FOUND, ERR_DAMAGED. */
MUST_CHECK bool store_find(struct arena *a, const char *backup_dir, const char *id,
                           struct stored *found, struct err *e);
/* Checks SHA256SUMS of every file: ERR_DAMAGED names the file. */
MUST_CHECK bool store_verify_files(struct arena *a, const struct stored *s, struct err *e);
/* Rewrites the manifest with pinned changed / one more verification. */
MUST_CHECK bool store_pin(struct arena *a, const struct stored *s, bool pinned, struct err *e);
MUST_CHECK bool store_add_verification(struct arena *a, const struct stored *s, const char *level,
                                       const char *result, struct err *e);
/* Renames to <id>.removed first, so that a half removed one is never listed. */
MUST_CHECK bool store_remove(struct arena *a, const struct stored *s, struct err *e);

#endif
