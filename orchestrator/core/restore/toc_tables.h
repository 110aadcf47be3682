/*
 * toc_tables.h - which table of the manifest an entry of the archive is about: by what it depends
 * on, since no entry says it.
 */
#ifndef MIGSAFE_CORE_RESTORE_TOC_TABLES_H
#define MIGSAFE_CORE_RESTORE_TOC_TABLES_H

#include "core/backup/manifest.h"
#include "core/backup/toc.h"

struct toc_table;

struct toc_tables {
    struct toc_table *items; /* by dump id */
    size_t count;
};

/* Of all tables that the manifest has; none without an archive (NULL). */
struct toc_tables toc_tables_of(struct arena *a, const struct toc *toc, const struct manifest *m);
/* The manifest's number of the table that has this dump id; -1: it is none of them. */
int64_t toc_tables_find(const struct toc_tables *tables, const char *dump_id);

/* Has an index or a constraint, by its SQL, an expression or a condition?  It may call functions,
 * and these may look at whatever they like. */
bool toc_computes(const char *definition);

#endif
