/*
 * own_index.h - indexes of large tables, made by the sessions that load rows as soon as a table
 * has its own.  pg_restore would begin when all rows are there, and in any order.
 *
 * What is run is the archive's own text.  Whatever is not known for certain stays with pg_restore.
 */
#ifndef MIGSAFE_CORE_RESTORE_OWN_INDEX_H
#define MIGSAFE_CORE_RESTORE_OWN_INDEX_H

#include "core/restore/toc_tables.h"
#include "ext/pg.h"

struct own_index {
    size_t entry; /* of the archive */
    size_t table; /* of the manifest */
    bool alone;   /* locks out all others of its table */
    bool last;    /* runs functions, which may look at other tables */
};

/* Indexes, primary keys, unique and exclusion constraints of ordinary tables. */
void own_index_plan(struct arena *a, const struct toc *toc, const struct manifest *m,
                    struct own_index **items, size_t *count);

/* Memory enough to make an index in; for the session. */
MUST_CHECK bool own_index_memory(struct pg *db, struct err *e);
/* A session that makes them: as one of pg_restore. */
MUST_CHECK bool own_index_session(struct pg *db, struct err *e);
/* ERR_QUERY names the index or constraint, and the table. */
MUST_CHECK bool own_index_make(struct pg *db, const struct toc_entry *entry,
                               const struct manifest_table *table, struct err *e);

#endif
