/*
 * gate_history.h - the rules that compare folder, ledger and git.
 *
 *   failed-migration, edited-migration, missing-migration, out-of-order-migration,
 *   scriptless-migration   as core/health has them, from the ledger; failed is an error, and so is
 *                          scriptless where a deploy would stop at it
 *   no-baseline, several-ledgers, prisma-8   why a deploy would be refused, from the state
 *   changed-migration      differs from what the base, or HEAD, has under that name, and the ledger
 *                          does not say more of it (with a base the ledger is a stand-in's)
 *   deleted-migration      the base, or HEAD, has it and the folder lacks it
 *   behind-base            new here, but older than the newest of the base
 *   uncommitted-migration  in the folder, but in no commit
 *   no-repository          no .git, one without commits, or of something else: nothing to compare
 *   stand-in-behind        a database given beside a base lacks migrations that the base has: those
 *                          are not pending here, and nothing is counted in it
 *   no-merge-base          where the branch left its base is not known here: compared with the tip
 *
 * All but failed and scriptless and those of the second line are warnings.
 */
#ifndef MIGSAFE_CORE_GATE_HISTORY_H
#define MIGSAFE_CORE_GATE_HISTORY_H

#include "core/gate/gate.h"

/* Adds findings; fills pending as gate.h says.  ERR_NOT_FOUND: the base. */
MUST_CHECK bool gate_history(struct arena *a, const struct gate_context *c, struct findings *found,
                             struct strlist *pending, struct err *e);
/* The rules as rows of a Markdown table. */
void gate_history_list(FILE *to);

#endif
