/*
 * sampler.h - a thread that looks at the locks of a database again and again.
 *
 *     struct sampler *s = sampler_start(&copy, e);
 *     ... Prisma runs ...
 *     sampler_stop(s, &seen);     joins the thread
 *
 * It has a session of its own in that database, of the role whose locks it looks
 * for.  A look every few milliseconds: what is held for less may go unseen.
 */
#ifndef MIGSAFE_CORE_REHEARSAL_SAMPLER_H
#define MIGSAFE_CORE_REHEARSAL_SAMPLER_H

#include "core/connection/connection.h"

struct sampled_lock {
    int64_t relation;          /* oid */
    char mode[32];             /* "AccessExclusiveLock" */
    char holder[40];           /* pid and transaction */
    int64_t first_ms, last_ms; /* of the looks that saw it */
};

struct sampled {
    struct sampled_lock *locks; /* in the arena; one for every holder */
    size_t count;
    int64_t looks, longest_gap_ms;
};

struct sampler;

/* NULL: ERR_CONNECT, ERR_SYSTEM. */
MUST_CHECK struct sampler *sampler_start(const struct connection *where, struct err *e);
/* One look more, then the end; accepts NULL.  A session that was lost meanwhile ends the looking,
 * no more.  seen may be NULL. */
void sampler_stop(struct arena *a, struct sampler *s, struct sampled *seen);

#endif
