#include "base/pool.h"

#include "base/clock.h"
#include "base/stop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { TICK_MS = 100 };

struct pool {
    const struct pool_spec *spec;
    struct stop_line line;
    pthread_mutex_t mutex; /* of what follows */
    struct err first;      /* the first failure; kind ERR_NONE: none yet */
    int running;
    int ended_fd; /* readable when a worker has ended */
};

struct worker {
    struct pool *pool;
    pthread_t thread;
    int number;
};

static void fail(struct pool *p, const struct err *e)
{
    assert(e->kind != ERR_NONE);
    pthread_mutex_lock(&p->mutex);
    if (p->first.kind == ERR_NONE)
        p->first = *e;
    pthread_mutex_unlock(&p->mutex);
    stop_line_pull(&p->line);
}

static void *run_worker(void *argument)
{
    struct worker *w = argument;
    struct pool *p = w->pool;
    struct err e = {0};
    stop_line_follow(&p->line);
    if (!p->spec->work(p->spec->context, w->number, &e))
        fail(p, &e);
    pthread_mutex_lock(&p->mutex);
    p->running--;
    pthread_mutex_unlock(&p->mutex);
    ssize_t ignored = write(p->ended_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)ignored;
    return NULL;
}

static int running(struct pool *p)
{
    pthread_mutex_lock(&p->mutex);
    int n = p->running;
    pthread_mutex_unlock(&p->mutex);
    return n;
}

/* Signals stay with the calling thread: its poll() sees them. */
static bool start_one(struct worker *w, struct err *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    errno = pthread_create(&w->thread, NULL, run_worker, w);
    int failed = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = failed;
    return failed == 0 || err_sys(e, ERR_SYSTEM, "could not start a thread");
}

/* Until all have ended: the tick, and requests to stop handed on. */
static void watch(struct pool *p)
{
    struct deadline next = deadline_in(TICK_MS);
    while (running(p) > 0) {
        bool pulled = stop_line_is_pulled(&p->line);
        struct pollfd fds[2] = {{.fd = p->ended_fd, .events = POLLIN},
                                {.fd = pulled ? -1 : stop_fd(), .events = POLLIN}};
        poll(fds, 2, deadline_left_ms(&next));
        uint64_t ignored;
        if (fds[0].revents != 0 && read(p->ended_fd, &ignored, sizeof(ignored)) < 0)
            continue;
        struct err e = {0};
        if (!pulled && !stop_check(&e))
            fail(p, &e);
        if (!deadline_passed(&next))
            continue;
        next = deadline_in(TICK_MS);
        if (!pulled && p->spec->tick != NULL && !p->spec->tick(p->spec->context, &e))
            fail(p, &e);
    }
}

static void run_all(struct pool *p)
{
    struct worker workers[POOL_MAX];
    int started = 0;
    struct err e = {0};
    for (; started < p->spec->threads; started++) {
        workers[started] = (struct worker){.pool = p, .number = started};
        pthread_mutex_lock(&p->mutex);
        p->running++;
        pthread_mutex_unlock(&p->mutex);
        if (!start_one(&workers[started], &e)) {
            pthread_mutex_lock(&p->mutex);
            p->running--;
            pthread_mutex_unlock(&p->mutex);
            fail(p, &e);
            break;
        }
    }
    watch(p);
    for (int i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    if (p->first.kind == ERR_NONE && p->spec->tick != NULL && !p->spec->tick(p->spec->context, &e))
        fail(p, &e);
}

bool pool_run(const struct pool_spec *spec, struct err *e)
{
    struct pool p = {.spec = spec, .mutex = PTHREAD_MUTEX_INITIALIZER, .ended_fd = -1};
    assert(spec->threads >= 1 && spec->threads <= POOL_MAX);
    if (!stop_line_open(&p.line, e))
        return false;
    p.ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool ok = p.ended_fd >= 0 || err_sys(e, ERR_SYSTEM, "could not start threads");
    if (ok) {
        run_all(&p);
        close(p.ended_fd);
        ok = p.first.kind == ERR_NONE;
        if (!ok)
            *e = p.first;
    }
    stop_line_close(&p.line);
    pthread_mutex_destroy(&p.mutex);
    return ok;
}
