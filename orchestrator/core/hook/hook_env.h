/*
 * hook_env.h - what a hook is told, as changes of its environment; for hook.c only.
 */
#ifndef MIGSAFE_CORE_HOOK_ENV_H
#define MIGSAFE_CORE_HOOK_ENV_H

#include "core/hook/hook.h"

/* For proc_spec.env.  MIGSAFE_RUN_* of an outer run are not handed on. */
struct strlist hook_env(struct arena *a, const struct hook_run *run, enum hook_point point);

#endif
