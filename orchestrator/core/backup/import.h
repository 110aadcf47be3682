/*
 * import.h - take a backup into the backup folder: a tar made by `export`, or a folder.
 *
 * It is put together in <id>.partial, named when all of it has been verified; its id stays
 * what it is, and it is pinned: only a person removes it.  What it holds is not believed: see
 * tar.h; files that the manifest does not name are refused.
 */
#ifndef MIGSAFE_CORE_BACKUP_IMPORT_H
#define MIGSAFE_CORE_BACKUP_IMPORT_H

#include "core/backup/progress.h"
#include "core/backup/store.h"

/* Is that one of our backups, rather than a dump made by others?  By its first bytes; a folder, by
 * its manifest. */
MUST_CHECK bool import_is_backup(struct arena *a, const char *path, bool *ours, struct err *e);

struct import_spec {
    const char *path;
    const char *backup_dir;
    int jobs;
    struct progress *progress; /* or NULL */
};
/* ERR_USAGE: a backup of that id is there; ERR_DAMAGED; ERR_SYSTEM.  Nothing is left then. */
MUST_CHECK bool import_backup(struct arena *a, const struct import_spec *spec,
                              struct stored *imported, struct err *e);

#endif
