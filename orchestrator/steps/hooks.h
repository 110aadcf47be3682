/*
 * hooks.h - the lifecycle hooks of a deploy (core/hook/hook.h), from its steps.
 */
#ifndef MIGSAFE_STEPS_HOOKS_H
#define MIGSAFE_STEPS_HOOKS_H

#include "core/hook/hook.h"
#include "steps/run.h"

/* A failure stops the run; reason: of the backup around which it is, or NULL. */
MUST_CHECK bool run_hooks(struct run *run, enum hook_point point, const char *reason,
                          struct err *e);
/* A failure is a warning in log and report. */
void run_hooks_or_warn(struct run *run, enum hook_point point, const char *reason);
/* After the report was written; a warning of theirs is written into it. */
void run_hooks_end(struct run *run);

#endif
