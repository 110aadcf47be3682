/*
 * plan.h - what a deploy would do: `migsafe deploy --dry-run`.
 *
 * Reads folder, ledger and catalogs; takes no lock, makes no database, writes
 * nothing.  That the way back really works is tried by the deploy itself.
 */
#ifndef MIGSAFE_STEPS_PLAN_H
#define MIGSAFE_STEPS_PLAN_H

#include "core/settings/settings.h"

/* {"database","host","bytes","migrations":[{"name","checksum","statements","touches":[]}],
 *  "findings":[...],"gate":[...],"rehearsal":{...},"steps":[...],"way_back":"..."}; NULL on
 * failure.  findings is the health as it is now, gate what speaks against the pending migrations.
 */
MUST_CHECK struct json *deploy_plan(struct arena *a, const struct settings *s, struct err *e);
void deploy_plan_print(struct arena *a, const struct json *plan, FILE *to);

#endif
