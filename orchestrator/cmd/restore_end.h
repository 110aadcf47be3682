/*
 * restore_end.h - how each run of `migsafe restore` ends: journal, alert, report, hooks.
 */
#ifndef MIGSAFE_CMD_RESTORE_END_H
#define MIGSAFE_CMD_RESTORE_END_H

#include "core/hook/hook.h"

struct restore_end {
    const struct settings *settings;
    struct journal *journal;
    struct run_report *report;
    bool restored; /* also where what came after it failed */
    bool no_hooks;
};

/* What fails here is a warning: the verdict stands.  error: of the run, or NULL. */
void restore_end(struct arena *a, const struct restore_end *end, const struct err *error);
/* In the log and in the report. */
void restore_warn(struct arena *a, struct run_report *report, const struct err *e);

#endif
