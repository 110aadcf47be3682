/*
 * prune_kept.h - `prune --kept`: drop the databases that swaps have replaced.
 */
#ifndef MIGSAFE_CMD_PRUNE_KEPT_H
#define MIGSAFE_CMD_PRUNE_KEPT_H

#include "cmd/cmd.h"

/* Those kept of site's live database; asks unless yes, does nothing but tell when dry.  Goes on
 * after a failure and returns the first. */
MUST_CHECK bool prune_kept(struct cmd_context *ctx, const struct site *site, bool yes, bool dry,
                           struct err *e);

#endif
