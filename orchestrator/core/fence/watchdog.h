/*
 * watchdog.h - a child process that keeps a fence, and lifts it when its parent dies.
 *
 * Forked before the fence is set, while no thread is there.  While the parent
 * lives it renews the lease, whatever the parent is busy with.  It holds the read
 * end of a pipe: its end without the byte that says "lifted" means that the
 * parent is dead.  Then it waits until the parent's lock is gone and recovers the
 * run - or, without a recover, lifts the fence once Prisma is not at work any more.
 *
 * It is in a session of its own and heeds no INT, TERM, HUP; it has closed every
 * descriptor of its parent's but stderr, and that too some seconds after the
 * parent's death, so that nobody waits for it.  It ends by itself fence-limit
 * after its parent.
 */
#ifndef MIGSAFE_CORE_FENCE_WATCHDOG_H
#define MIGSAFE_CORE_FENCE_WATCHDOG_H

#include "core/fence/fence.h"
#include "core/settings/settings.h"
#include "core/site.h"

struct fence_watchdog;

struct fence_watchdog_spec {
    const struct site *site;
    const struct settings *settings;
    const char *run, *live_oid;
    const char *prisma;     /* application name of its sessions */
    struct fence_mark mark; /* as fence_read says before it is set: what to go back to */
    int64_t lease_ms;
    /* Makes good what the dead run left, the fence included; takes the lock of migsafe by itself
     * (ERR_BUSY: someone else is about it).  NULL: the fence alone is lifted. */
    bool (*recover)(const struct fence_watchdog_spec *spec, struct err *e);
};

/* NULL: ERR_SYSTEM. */
MUST_CHECK struct fence_watchdog *
fence_watchdog_start(struct arena *a, const struct fence_watchdog_spec *spec, struct err *e);
/* The fence is lifted: the child ends.  Accepts NULL. */
void fence_watchdog_end(struct fence_watchdog *w);

#endif
