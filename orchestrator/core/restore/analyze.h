/*
 * analyze.h - statistics of a restored database, which no dump has: ANALYZE by several sessions.
 */
#ifndef MIGSAFE_CORE_RESTORE_ANALYZE_H
#define MIGSAFE_CORE_RESTORE_ANALYZE_H

#include "core/backup/manifest.h"
#include "core/connection/connection.h"

/* done: which tables of m have their statistics already; NULL: none. */
MUST_CHECK bool analyze_parallel(struct arena *a, const struct connection *to,
                                 const struct manifest *m, const bool *done, int jobs,
                                 struct err *e);

#endif
