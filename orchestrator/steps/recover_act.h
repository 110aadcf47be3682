/*
 * recover_act.h - what was judged is done, with the parts of a deploy.
 */
#ifndef MIGSAFE_STEPS_RECOVER_ACT_H
#define MIGSAFE_STEPS_RECOVER_ACT_H

#include "steps/recover_run.h"

/* True: r->out->verdict says how it ended; *cause: why it is not "migrated" (kind ERR_NONE: it is
 * told by the journal).  False: nothing is decided, the next recover takes it up again. */
MUST_CHECK bool recovery_act(struct recovery *r, struct err *cause, struct err *e);

#endif
