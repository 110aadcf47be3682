/*
 * fencing.h - the fence of a deploy (core/fence/fence.h), from its steps.
 */
#ifndef MIGSAFE_STEPS_FENCING_H
#define MIGSAFE_STEPS_FENCING_H

#include "steps/run.h"

/* Nothing to do when there is none (any more).  False also when it is lifted and sessions that
 * began under it could not be ended. */
MUST_CHECK bool fencing_lift(struct run *run, struct err *e);
/* In preflight: who gets through a fence, and what cannot be seen of others. */
MUST_CHECK bool fencing_look_ahead(struct run *run, struct pg *live, struct err *e);
/* By the setting `fence`: will there be one?  *why: a sentence's end for the log. */
MUST_CHECK bool fencing_wanted(struct run *run, struct pg *live, bool *wanted, const char **why,
                               struct err *e);
/* What others wrote since the fence stands goes into run->fence_writes, with a warning the first
 * time; what cannot be measured counts as written.  Nothing to do without a fence. */
void fencing_measure(struct run *run, struct pg *live);
/* Does the fence stand, and was nothing written by others? */
bool fencing_unbroken(const struct run *run);
/* What was written until now is in the snapshot that comes. */
void fencing_hooks_ran(struct run *run);
/* Around a run of Prisma. */
void fencing_prisma_starts(struct run *run);
void fencing_prisma_ended(struct run *run);

#endif
