/*
 * rollback.h - the way back of a deploy: migrate's undo.
 */
#ifndef MIGSAFE_STEPS_ROLLBACK_H
#define MIGSAFE_STEPS_ROLLBACK_H

#include "steps/run.h"

/* Prisma's sessions ended, the backup beside live, swapped in.  Nothing to do when nothing of the
 * migration is in live.  Sees no stop request: a way back is finished. */
MUST_CHECK bool roll_back(struct run *run, struct err *e);
/* Where no swap is possible (rollback_inplace.c): an emergency backup of what is there, then one
 * transaction in live.  *done: it is committed. */
MUST_CHECK bool roll_back_in_place(struct run *run, bool *done, struct err *e);

#endif
