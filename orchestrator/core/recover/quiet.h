/*
 * quiet.h - nothing of a dead run is at work any more, before anything is judged.
 *
 * Its Prisma's process group (only where boot id and start time say that it is the
 * same process), then its sessions, Prisma's and those of its swap; then Prisma's
 * own lock is held, so that nobody else migrates meanwhile.
 */
#ifndef MIGSAFE_CORE_RECOVER_QUIET_H
#define MIGSAFE_CORE_RECOVER_QUIET_H

#include "core/recover/past.h"
#include "core/settings/settings.h"
#include "core/site.h"

struct quiet_spec {
    const struct site *site;
    const struct settings *settings;
    struct pg *maintenance;
    const struct past *past;
};

/* ERR_PREFLIGHT (may not end a session: what to grant), ERR_TIMEOUT. */
MUST_CHECK bool quiet_make(struct arena *a, const struct quiet_spec *spec, struct err *e);
/* A session in live that holds Prisma's lock; close it before live is replaced.  NULL: ERR_BUSY
 * after `wait`, naming who has it. */
MUST_CHECK struct pg *quiet_hold(struct arena *a, const struct quiet_spec *spec, struct err *e);

#endif
