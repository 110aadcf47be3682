/*
 * pool.h - a few threads that share one piece of work.
 *
 *     static bool work(void *context, int worker, struct err *e) { take items until none is left }
 *     static bool tick(void *context, struct err *e) { show progress, ping a session }
 *     pool_run(&(struct pool_spec){.threads = 4, .work = work, .tick = tick, .context = &c}, e)
 *
 * Every worker calls work once; it takes its items by itself (an atomic counter, a
 * mutex).  The first failure ends all: the waits of the others (stop_fd, stop_check)
 * end with ERR_CANCELLED, as they do when a stop is requested (base/stop).  Signals
 * go to the calling thread only.
 *
 * Rule of use: a worker has arenas, sessions and errors of its own; it neither logs
 * nor writes a journal: tick does, in the calling thread.
 */
#ifndef MIGSAFE_BASE_POOL_H
#define MIGSAFE_BASE_POOL_H

#include "base/err.h"

enum { POOL_MAX = 64 };

struct pool_spec {
    int threads; /* 1 to POOL_MAX */
    bool (*work)(void *context, int worker, struct err *e);
    bool (*tick)(void *context,
                 struct err *e); /* about every 100 ms, once more at the end; or NULL */
    void *context;
};

/* Returns when all workers have ended.  The error is the one that came first: a worker's, the
 * tick's, or ERR_CANCELLED. */
MUST_CHECK bool pool_run(const struct pool_spec *spec, struct err *e);

#endif
