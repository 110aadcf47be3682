/*
 * gate_history.h - the rules that compare folder, ledger and git.
 *
 *   failed-migration, edited-migration, missing-migration, out-of-order-migration,
 *   scriptless-migration   as core/health has them, from the ledger; failed is an error, and so is
 *                          scriptless where a deploy would stop at it
 *   changed-migration      differs from what the base, or HEAD, has under that name, and the ledger
 *                          does not say whether it was applied
 *   deleted-migration      the base, or HEAD, has it and the folder lacks it
 *   behind-base            new here, but older than the newest of the base
 *   uncommitted-migration  in the folder, but in no commit
 *   no-repository          no .git, or one without commits: nothing to compare with
 *
 * All but failed and scriptless are warnings.
 */
#ifndef MIGSAFE_CORE_GATE_HISTORY_H
#define MIGSAFE_CORE_GATE_HISTORY_H

#include "core/gate/gate.h"

/* Adds findings; fills pending as gate.h says.  ERR_NOT_FOUND: the base. */
MUST_CHECK bool gate_history(struct arena *a, const struct gate_context *c, struct findings *found,
                             struct strlist *pending, struct err *e);
void gate_history_list(FILE *to);

#endif
