#include "core/fence/watchdog.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/stop.h"
#include "core/prisma/deploy.h"
#include "core/runlock.h"
#include "sql/queries.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    AGAIN_MS = 200,   /* between two looks after the parent's death */
    QUERY_MS = 10000, /* a server that hangs */
    QUIET_MS = 5000,  /* from then on stderr is given up */
    END_MS = 3000,    /* the parent's patience with a child that is told to end */
    RENEWALS = 3,     /* in the time of a lease */
};

static const char lifted_byte = 'L';

struct fence_watchdog {
    pid_t pid;
    int fd; /* the pipe's end for writing */
};

/* --- the child -------------------------------------------------------------------------------- */

static struct pg *open_maintenance(const struct fence_watchdog_spec *w, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe fence",
                                    .query_deadline_ms = QUERY_MS};
    return connection_open_maintenance(&w->site->server, w->settings->maintenance_database, &use,
                                       e);
}

/* When it fails the next one comes soon, and the parent finds out at its verdict. */
static void renew(const struct fence_watchdog_spec *w)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err ignored = {0};
    AUTO(pg) struct pg *db = open_maintenance(w, &ignored);
    if (db != NULL)
        (void)!fence_renew(a, db, w->site->live.dbname, w->run, w->lease_ms, &ignored);
}

/* The parent's lock session, as the server sees it; then Prisma's. */
static bool is_quiet(struct arena *a, const struct fence_watchdog_spec *w, struct pg *db,
                     bool *quiet, struct err *e)
{
    struct pg_rows holder, sessions, lock;
    const char *live = w->site->live.dbname;
    *quiet = false;
    if (!pg_query(a, db, sql_fence_run_lock, PG_ARGS(arena_printf(a, "migsafe:%s ", w->run)),
                  &holder, e))
        return false;
    if (w->recover != NULL || holder.count > 0) {
        *quiet = holder.count == 0;
        return true;
    }
    if (!pg_query(a, db, sql_prisma_sessions, PG_ARGS(live, w->prisma), &sessions, e) ||
        !pg_query(a, db, sql_prisma_lock_holder, PG_ARGS(live), &lock, e))
        return false;
    *quiet = sessions.count == 0 && lock.count == 0;
    return true;
}

static bool lift(struct arena *a, const struct fence_watchdog_spec *w, struct err *e)
{
    struct settings at_once = *w->settings;
    bool lifted = false;
    at_once.wait_for_other_ms = 0;
    AUTO(runlock)
    struct runlock *lock = runlock_take(a, w->site, &at_once, w->run, "watchdog", e);
    if (lock == NULL)
        return false;
    const struct fence_known known = {
        .live = w->site->live.dbname, .live_oid = w->live_oid, .mark = w->mark};
    AUTO(pg) struct pg *db = open_maintenance(w, e);
    bool ok = db != NULL && fence_lift_known(a, db, &known, &lifted, e);
    if (lifted)
        log_warning("run %s is dead: its fence on database \"%s\" is lifted", w->run,
                    w->site->live.dbname);
    return ok || lifted;
}

/* The server, or another migsafe, was in the way. */
static bool may_go_later(const struct err *e)
{
    return e->kind == ERR_CONNECT || e->kind == ERR_BUSY || e->kind == ERR_TIMEOUT ||
           e->kind == ERR_CANCELLED;
}

/* A run that a person must decide about keeps nobody from writing either: its deploy, had it lived,
 * would have lifted the fence, too. */
static bool make_good(struct arena *a, const struct fence_watchdog_spec *w, struct err *e)
{
    if (w->recover != NULL && !w->recover(w, e)) {
        if (may_go_later(e))
            return false;
        log_err(e);
        *e = (struct err){0};
    }
    return lift(a, w, e);
}

/* Another migsafe may have done it meanwhile. */
static bool is_gone(struct arena *a, const struct fence_watchdog_spec *w, struct pg *db)
{
    struct fence_mark mark;
    struct err ignored = {0};
    return fence_read(a, db, w->site->live.dbname, &mark, &ignored) &&
           !str_same(mark.run, w->run) && !str_same(mark.was_setting, "on");
}

static bool try_once(const struct fence_watchdog_spec *w, bool *done, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    bool quiet;
    AUTO(pg) struct pg *db = open_maintenance(w, e);
    *done = db != NULL && w->recover == NULL && is_gone(a, w, db);
    if (db == NULL || *done)
        return *done;
    if (!is_quiet(a, w, db, &quiet, e) || !quiet)
        return false;
    *done = make_good(a, w, e);
    return *done;
}

static void let_go_of_stderr(void)
{
    AUTO(fd) int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0)
        dup2(null, STDERR_FILENO);
}

static void after_death(const struct fence_watchdog_spec *w)
{
    struct deadline limit = deadline_in(w->settings->fence_limit_ms), quiet = deadline_in(QUIET_MS);
    struct err e = {0}, ignored = {0};
    bool done = false, said = false;
    while (!done && !deadline_passed(&limit)) {
        e = (struct err){0};
        if (try_once(w, &done, &e))
            break;
        if (!said && deadline_passed(&quiet)) {
            log_warning("run %s is dead; its fence on database \"%s\" is lifted as soon as that is "
                        "possible%s%s",
                        w->run, w->site->live.dbname, e.kind == ERR_NONE ? "" : ": ", e.message);
            let_go_of_stderr();
            said = true;
        }
        (void)!stop_sleep_ms(AGAIN_MS, &ignored);
    }
}

/* A group's signals and the terminal's are not meant for it, and nobody may wait for it to close
 * what it inherited.  The log's file is closed with the rest. */
static void detach(int fd)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        signal(ignored[i], SIG_IGN);
    setsid();
    prctl(PR_SET_NAME, "migsafe-fence");
    log_copy_to(NULL);
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    if (fd > 3)
        close_range(3, (unsigned)fd - 1, 0);
    close_range((unsigned)fd + 1, ~0U, 0);
    stop_shield(true);
}

static _Noreturn void watch(const struct fence_watchdog_spec *spec, int fd)
{
    char byte = '\0';
    detach(fd);
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = poll(&p, 1, (int)(spec->lease_ms / RENEWALS) + 1);
        if (ready == 0)
            renew(spec);
        if (ready <= 0)
            continue;
        if (read(fd, &byte, 1) != 1)
            after_death(spec);
        _exit(0);
    }
}

/* --- the parent ------------------------------------------------------------------------------- */

struct fence_watchdog *fence_watchdog_start(struct arena *a, const struct fence_watchdog_spec *spec,
                                            struct err *e)
{
    int ends[2];
    struct fence_watchdog_spec own = *spec;
    own.mark.run = spec->run;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        err_sys(e, ERR_SYSTEM, "could not make a pipe");
        return NULL;
    }
    AUTO(fd) int read_end = ends[0];
    AUTO(fd) int write_end = ends[1];
    pid_t pid = fork();
    if (pid == 0)
        watch(&own, read_end);
    if (pid < 0) {
        err_sys(e, ERR_SYSTEM, "could not start the watchdog of the fence");
        return NULL;
    }
    struct fence_watchdog *w = ARENA_NEW(a, struct fence_watchdog);
    *w = (struct fence_watchdog){.pid = pid, .fd = write_end};
    write_end = -1;
    return w;
}

void fence_watchdog_end(struct fence_watchdog *w)
{
    if (w == NULL || w->fd < 0)
        return;
    struct deadline limit = deadline_in(END_MS);
    struct err ignored = {0};
    ssize_t written = write(w->fd, &lifted_byte, 1);
    (void)written;
    close(w->fd);
    w->fd = -1;
    stop_shield(true);
    while (waitpid(w->pid, NULL, WNOHANG) == 0 && !deadline_passed(&limit))
        (void)!stop_sleep_ms(1, &ignored);
    stop_shield(false);
}
