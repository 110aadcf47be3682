/*
 * dataloss.h - what a migration lost, though it succeeded.
 *
 * Live against the manifest of the backup just taken: tables gone, columns gone
 * that held values, DROP+ADD of the same shape (a rename that lost its data),
 * rows fewer, columns all NULL that were not.  Rows fewer and NULLs are errors
 * only for tables that the migration touches or under an unbroken fence;
 * otherwise warnings with both numbers: others may have deleted them.
 *
 * Rules: drop-table, drop-column, renamed-column, rows-lost, values-lost
 * (dataloss_match.h says how a rename is told from a loss).
 */
#ifndef MIGSAFE_CORE_HEALTH_DATALOSS_H
#define MIGSAFE_CORE_HEALTH_DATALOSS_H

#include "core/backup/manifest.h"
#include "core/health/finding.h"
#include "core/prisma/effects.h"

struct dataloss_context {
    struct pg *db;
    const struct manifest *before;
    const struct effects *effects; /* one per migration of the run; NULL when there are none */
    size_t effect_count;
    const char *default_schema; /* where names without a schema go */
    bool fenced;
};

/* One count(*) for every table of the manifest, more only where columns changed.  Sets
 * found->default_schema.  ERR_QUERY, ERR_CONNECT, ERR_TIMEOUT, ERR_CANCELLED. */
MUST_CHECK bool dataloss_check(struct arena *a, const struct dataloss_context *c,
                               struct findings *found, struct err *e);
/* The rules as rows of a Markdown table; called by health_list. */
void dataloss_list(FILE *to);

#endif
