/*
 * recover_end.h - a recovered run gets its end: verdict, report, alert, hooks.
 */
#ifndef MIGSAFE_STEPS_RECOVER_END_H
#define MIGSAFE_STEPS_RECOVER_END_H

#include "steps/recover_run.h"

/* cause: kind ERR_NONE where the journal tells it. */
void recovery_end(struct recovery *r, const struct err *cause);
/* What a person can choose from: r->out->ways, and r->out->error with them as its hint. */
void recovery_tell_broken(struct recovery *r);

#endif
