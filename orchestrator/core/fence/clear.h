/*
 * clear.h - fences that dead runs left, in the way of a new one.
 */
#ifndef MIGSAFE_CORE_FENCE_CLEAR_H
#define MIGSAFE_CORE_FENCE_CLEAR_H

#include "core/settings/settings.h"
#include "core/site.h"

/* Lifts an expired one, in a session of its own; not while another migsafe is at work on the
 * database: it may be going back under that fence.  What goes wrong is a warning; where this role
 * has no way to look, nothing is said. */
void fence_clear_expired(struct arena *a, const struct site *site, const struct settings *s);
/* Under the lock of migsafe: another run's fence can only be a dead one's.  Waits for it to expire
 * and lifts it, in a session elsewhere than in live.  ERR_BUSY when it still stands after
 * wait-for-other. */
MUST_CHECK bool fence_clear(struct arena *a, struct pg *maintenance, const char *live,
                            const struct settings *s, struct err *e);

#endif
