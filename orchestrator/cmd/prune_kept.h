/*
 * prune_kept.h - `migsafe prune --kept`: drop the databases that swaps replaced.
 *
 * The only way migsafe drops one: each may hold writes that nothing else has.
 */
#ifndef MIGSAFE_CMD_PRUNE_KEPT_H
#define MIGSAFE_CMD_PRUNE_KEPT_H

#include "cmd/cmd.h"
#include "core/site.h"

/* Asks for the live database's name on a terminal; yes or dry where there is none. */
MUST_CHECK bool prune_kept(struct cmd_context *ctx, const struct site *site, bool dry, bool yes,
                           struct err *e);

#endif
