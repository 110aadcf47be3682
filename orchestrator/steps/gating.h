/*
 * gating.h - the gate as a deploy asks it: against the database itself, with the
 * setting's levels.  For the step and for --dry-run.
 */
#ifndef MIGSAFE_STEPS_GATING_H
#define MIGSAFE_STEPS_GATING_H

#include "core/gate/gate.h"
#include "steps/run.h"

struct gating {
    struct arena *arena;
    const struct settings *settings;
    const struct site *site;
    const struct prisma_project *project;
    const struct prisma_state *state;
};

/* In a session of its own, which is closed then: a session left in live would be in the way of a
 * swap.  With `gate = warn` every finding is a warning.  Files are as seen from the project's root.
 * Errors of gate_check and of opening the session. */
MUST_CHECK bool gate_pending(const struct gating *g, struct gate_result *result, struct err *e);

#endif
