/*
 * files.h - the files of a backup: summed, matched with the tables, linked into a
 * data backup.
 */
#ifndef MIGSAFE_CORE_BACKUP_FILES_H
#define MIGSAFE_CORE_BACKUP_FILES_H

#include "core/backup/freeze.h"
#include "core/backup/manifest.h"

/* Reads the archive that pg_dump left in folder: m->files, m->bytes, each table's file, the
 * sequences as a restore will set them, and the version of pg_dump. */
MUST_CHECK bool files_take(struct arena *a, const char *folder, const struct frozen *f,
                           struct manifest *m, struct err *e);

/* m without its toc.dat. */
struct manifest files_without_toc(struct arena *a, const struct manifest *m);

/* Hard links, or copies, of m's files in another folder. */
MUST_CHECK bool files_link(struct arena *a, const struct manifest *m, const char *from,
                           const char *to, struct err *e);

#endif
