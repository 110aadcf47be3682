/*
 * count.h - rows, columns and values of every table, in the snapshot of a frozen session.
 */
#ifndef MIGSAFE_CORE_BACKUP_COUNT_H
#define MIGSAFE_CORE_BACKUP_COUNT_H

#include "core/backup/freeze.h"
#include "core/backup/manifest.h"

/* Fills m->tables (but for their files) and m->large_objects. */
MUST_CHECK bool count_contents(struct arena *a, struct pg *db, const struct frozen *f,
                               struct manifest *m, struct err *e);

#endif
