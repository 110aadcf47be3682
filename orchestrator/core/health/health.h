/*
 * health.h - the checks of a database, one table of them.
 *
 * A check has an id (the rule of its findings), a level, a query in sql/ or a
 * function, and a sentence of advice.  `health_check` runs all; a deploy runs
 * them in preflight (the baseline) and after the migration, and only what the
 * baseline lacks counts.
 */
#ifndef MIGSAFE_CORE_HEALTH_H
#define MIGSAFE_CORE_HEALTH_H

#include "core/health/finding.h"
#include "core/prisma/history.h"
#include "ext/pg.h"

struct health_context {
    struct pg *db;                 /* a session in live */
    bool deploy;                   /* what is no reason to roll back is a warning */
    const struct history *history; /* NULL: no migrations folder, ledger checks are left out */
};

/* Findings are not errors: false only when a check could not run (ERR_QUERY, ERR_CONNECT).  What
 * this role may not read, or what would wait longer than a moment for a lock, is a transient
 * finding "not-checked".  Not inside a transaction: a statement that fails must not end it. */
MUST_CHECK bool health_check(struct arena *a, const struct health_context *c,
                             struct findings *found, struct err *e);

/* Every check with its level and advice, then the rules of dataloss.h, as the Markdown tables of
 * docs/HEALTH.md. */
void health_list(FILE *to);

#endif
