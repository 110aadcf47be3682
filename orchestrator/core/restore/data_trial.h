/*
 * data_trial.h - computes the values that a plan converts or fills, in temporary tables, before
 * anything is locked or changed: which cannot be, which would be others.
 */
#ifndef MIGSAFE_CORE_RESTORE_DATA_TRIAL_H
#define MIGSAFE_CORE_RESTORE_DATA_TRIAL_H

#include "core/restore/data_apply.h"

/* Nothing is left of it.  ERR_QUERY (no temporary tables for this role), ERR_DAMAGED, ERR_CONNECT,
 * ERR_CANCELLED. */
MUST_CHECK bool data_try(struct arena *a, const struct data_apply_spec *spec,
                         struct data_trials *trials, struct err *e);

#endif
