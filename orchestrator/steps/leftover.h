/*
 * leftover.h - what a failed attempt of Prisma left in live, and what may follow.
 *
 * An attempt is repeated in place only where it is provable that nothing stayed:
 * schema snapshots equal, no migration newly applied, one failed row of this run
 * in the ledger, and the file ran as one transaction, or its first statement
 * failed, or no statement of it can write rows (docs/DEPLOY.md).  What
 * stays depends on Prisma's version (7.4 splits files into statements), so the
 * database is looked at, and what the server saw of the statement, never the
 * version.
 */
#ifndef MIGSAFE_STEPS_LEFTOVER_H
#define MIGSAFE_STEPS_LEFTOVER_H

#include "steps/run.h"

enum leftover {
    LEFT_NOTHING,  /* ledgers and catalogs as before: not even a ledger row */
    LEFT_ROW_ONLY, /* provably only this run's failed ledger row */
    LEFT_UNKNOWN,  /* something stayed, or it cannot be excluded */
    LEFT_COMPLETE, /* every intended migration is applied, none failed */
};

struct leftover_facts {
    enum leftover left;
    const char *failed;        /* the migration with this run's failed row, or NULL */
    const char *why;           /* one sentence for the journal */
    const char *ledger_schema; /* of the failed row */
    struct history now;
};

MUST_CHECK bool leftover_judge(struct run *run, const struct prisma_outcome *outcome,
                               struct leftover_facts *facts, struct err *e);

#endif
