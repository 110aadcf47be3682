/*
 * source.h - what a side database is filled with: a backup, or a dump made by others.
 */
#ifndef MIGSAFE_CORE_RESTORE_SOURCE_H
#define MIGSAFE_CORE_RESTORE_SOURCE_H

#include "core/restore/full.h"

struct source {
    const struct database_facts *like; /* what the database shall be, but for its name */
    const struct manifest *before;     /* what was in it; NULL: not known */
    const void *context;
    /* Into an empty database: data, proof, ANALYZE. */
    bool (*fill)(struct arena *a, const void *context, const char *target, struct err *e);
};

/* spec must live as long; its target does not count. */
struct source source_of_backup(const struct restore_spec *spec);

#endif
