/*
 * data_index.h - indexes that are not kept up while rows come by the ten thousand, but made of all
 * of them in the end, within the same transaction: the catalog's text of them is what is run.
 *
 * Only what can come back with nothing lost is taken off (sql/data_indexes.sql); that it came back
 * as it was is looked at before the commit.
 */
#ifndef MIGSAFE_CORE_RESTORE_DATA_INDEX_H
#define MIGSAFE_CORE_RESTORE_DATA_INDEX_H

#include "core/restore/data_live.h"

/* Those of live->tables. */
MUST_CHECK bool data_index_read(struct arena *a, struct pg *db, struct live *live, struct err *e);

MUST_CHECK bool data_index_off(struct pg *db, const struct live_index *x, struct err *e);
/* ERR_QUERY (the rows do not fit a unique one, and which): names it and its table. */
MUST_CHECK bool data_index_on(struct pg *db, const struct live_index *x, struct err *e);
/* ERR_QUERY: one is not what it was. */
MUST_CHECK bool data_index_check(struct pg *db, const struct live_index *const *items, size_t count,
                                 struct err *e);

#endif
