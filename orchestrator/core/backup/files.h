/*
 * files.h - the files of a backup: summed, on the disk, linked into a data backup.
 */
#ifndef MIGSAFE_CORE_BACKUP_FILES_H
#define MIGSAFE_CORE_BACKUP_FILES_H

#include "base/str.h"
#include "core/backup/plan.h"

/* All files of folder: m->files, m->bytes.  What p's files had while they were written is taken
 * from it.  left: the names of those that are not on the disk yet. */
MUST_CHECK bool files_take(struct arena *a, const char *folder, const struct plan *p,
                           struct manifest *m, struct strlist *left, struct err *e);

/* These files are on the disk, by several threads. */
MUST_CHECK bool files_sync(struct arena *a, const char *folder, const struct strlist *names,
                           int jobs, struct err *e);

/* m without its toc.dat. */
struct manifest files_without_toc(struct arena *a, const struct manifest *m);

/* Hard links, or copies, of m's files in another folder. */
MUST_CHECK bool files_link(struct arena *a, const struct manifest *m, const char *from,
                           const char *to, struct err *e);

#endif
