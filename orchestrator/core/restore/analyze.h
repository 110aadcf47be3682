/*
 * analyze.h - statistics of a restored database, which no dump has: ANALYZE by several sessions.
 *
 * A table that the server cannot make them of is a warning in the log.  One that foreign tables are
 * part of is left out: ANALYZE would ask their servers.
 */
#ifndef MIGSAFE_CORE_RESTORE_ANALYZE_H
#define MIGSAFE_CORE_RESTORE_ANALYZE_H

#include "core/backup/manifest.h"
#include "core/connection/connection.h"

/* done: which tables of m have their statistics already; NULL: none. */
MUST_CHECK bool analyze_parallel(struct arena *a, const struct connection *to,
                                 const struct manifest *m, const bool *done, int jobs,
                                 struct err *e);

/* These tables, quoted, the largest first: it begins at once in `own`, a session that is there
 * already, or NULL. */
MUST_CHECK bool analyze_tables(const struct connection *to, struct pg *own,
                               const struct strlist *names, int jobs, struct err *e);

#endif
