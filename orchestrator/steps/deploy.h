/*
 * deploy.h - the main job: `migsafe deploy` without its command line.
 *
 *   nothing pending and nothing failed -> nothing-to-do, in milliseconds
 *   lock -> earlier runs -> [preflight, gate, backup, migrate, health | backup-after]
 *   -> verdict -> report, alert
 */
#ifndef MIGSAFE_STEPS_DEPLOY_H
#define MIGSAFE_STEPS_DEPLOY_H

#include "core/backup/progress.h"
#include "core/report/report.h"
#include "core/settings/settings.h"
#include "core/steps.h"

struct deploy_options {
    bool again; /* --again: also when the same migrations failed for a permanent cause */
    const struct progress *progress; /* hears how far backups and a way back are; or NULL */
};

/* True: migrated or nothing to do.  False: *e has the kind that gives the exit status.  report says
 * what happened in both cases; report->verdict is NULL when no run was begun (busy, bad settings).
 */
MUST_CHECK bool deploy(struct arena *a, const struct settings *s,
                       const struct deploy_options *options, struct run_report *report,
                       struct err *e);
/* The steps in their order: plan, docs, status. */
const struct step *const *deploy_steps(size_t *count);

#endif
