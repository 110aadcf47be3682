#include "base/proc.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GRACE_MS = 2000, TICK_MS = 100, DRAIN_MS = 200, PIECE_BYTES = 64 * 1024 };

static bool is_changed(const char *entry, const char *const *changes)
{
    for (; *changes != NULL; changes++) {
        size_t n = strcspn(*changes, "=");
        if (n > 0 && (*changes)[n] == '\0' && (*changes)[n - 1] == '*') {
            if (strncmp(entry, *changes, n - 1) == 0)
                return true;
        } else if (strcspn(entry, "=") == n && strncmp(entry, *changes, n) == 0) {
            return true;
        }
    }
    return false;
}

static char **build_env(struct arena *a, const char *const *changes)
{
    static const char *const none[] = {NULL};
    size_t count = 1;
    if (changes == NULL)
        changes = none;
    for (char **p = environ; *p != NULL; p++)
        count++;
    for (const char *const *p = changes; *p != NULL; p++)
        count++;

    char **env = arena_array(a, count, sizeof(*env));
    size_t n = 0;
    for (char **p = environ; *p != NULL; p++)
        if (!is_changed(*p, changes))
            env[n++] = *p;
    for (const char *const *p = changes; *p != NULL; p++)
        if (strchr(*p, '=') != NULL)
            env[n++] = arena_strdup(a, *p);
    return env;
}

struct sink {
    int fd;
    char *bytes;
    size_t used, max;
    const struct proc_spec *spec;
    char *line; /* the one that is not ended yet; NULL: nobody asks for lines */
    size_t line_used;
};

static struct sink sink_on(struct arena *a, int fd, const struct proc_spec *spec)
{
    return (struct sink){
        .fd = fd,
        .bytes = arena_alloc(a, spec->out_max + 1),
        .max = spec->out_max,
        .spec = spec,
        .line = spec->line == NULL ? NULL : arena_alloc(a, PROC_LINE_MAX + 1),
    };
}

static void end_line(struct sink *s)
{
    s->line[s->line_used] = '\0';
    s->line_used = 0;
    s->spec->line(s->spec->context, s->line);
}

static void add_to_line(struct sink *s, char c)
{
    if (c == '\n') {
        end_line(s);
        return;
    }
    s->line[s->line_used++] = c;
    if (s->line_used == PROC_LINE_MAX)
        end_line(s);
}

struct child {
    const struct proc_spec *spec;
    pid_t pid;
    int end_fd; /* readable when it has ended; -1: it is reaped, or the system has no such thing */
    struct sink sinks[2];
    int in_fd; /* -1: closed, or none */
    char *piece;
    size_t piece_size, piece_sent;
    char *taken;
    bool io_failed; /* feed or take said so, in io_error */
    struct err io_error;
    bool reaped;
    int wait_status;
};

static bool go_on(ssize_t n)
{
    return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

/* Reads what is ready; past max the bytes are read and dropped.  False at EOF. */
static bool drain(struct sink *s)
{
    char bytes[4096];
    ssize_t n = read(s->fd, bytes, sizeof(bytes));
    if (n <= 0)
        return go_on(n);
    size_t kept = (size_t)n < s->max - s->used ? (size_t)n : s->max - s->used;
    memcpy(s->bytes + s->used, bytes, kept);
    s->used += kept;
    for (ssize_t i = 0; s->line != NULL && i < n; i++)
        add_to_line(s, bytes[i]);
    return true;
}

static bool hand_over(struct child *c)
{
    ssize_t n = read(c->sinks[0].fd, c->taken, PIECE_BYTES);
    if (n > 0 && !c->io_failed)
        c->io_failed = !c->spec->take(c->spec->context, c->taken, (size_t)n, &c->io_error);
    return go_on(n);
}

static void close_input(struct child *c)
{
    fd_close(c->in_fd);
    c->in_fd = -1;
}

/* After a failure the pipe stays open: the child must not take the end of it for the end of its
 * input. */
static void feed(struct child *c)
{
    if (c->io_failed)
        return;
    if (c->piece_sent == c->piece_size) {
        c->piece_sent = c->piece_size = 0;
        c->io_failed =
            !c->spec->feed(c->spec->context, c->piece, PIECE_BYTES, &c->piece_size, &c->io_error);
        if (!c->io_failed && c->piece_size == 0)
            close_input(c);
        if (c->io_failed || c->piece_size == 0)
            return;
    }
    ssize_t n = write(c->in_fd, c->piece + c->piece_sent, c->piece_size - c->piece_sent);
    if (n > 0)
        c->piece_sent += (size_t)n;
    else if (!go_on(n))
        close_input(c); /* it reads no more: its exit status says why */
}

/* Its end is no event any more. */
static void close_end(struct child *c)
{
    fd_close(c->end_fd);
    c->end_fd = -1;
}

static bool reap_now(struct child *c)
{
    if (c->reaped || waitpid(c->pid, &c->wait_status, WNOHANG) != c->pid)
        return c->reaped;
    c->reaped = true;
    close_end(c);
    return true;
}

/* One round of waiting: output, input, the end of the child, a stop.  Descendants may keep the
 * pipes open after the child has ended, so its end is what counts.  True when something was read.
 */
static bool wait_round(struct child *c, int wait_ms)
{
    bool any = false;
    struct pollfd fds[] = {{.fd = c->sinks[0].fd, .events = POLLIN},
                           {.fd = c->sinks[1].fd, .events = POLLIN},
                           {.fd = stop_fd(), .events = POLLIN},
                           {.fd = c->io_failed ? -1 : c->in_fd, .events = POLLOUT},
                           {.fd = c->end_fd, .events = POLLIN}};
    if (poll(fds, ARRAY_LEN(fds), wait_ms) <= 0)
        return false;
    for (size_t i = 0; i < 2; i++) {
        if (fds[i].revents == 0)
            continue;
        any = true;
        if (i == 0 && c->taken != NULL ? !hand_over(c) : !drain(&c->sinks[i]))
            c->sinks[i].fd = -1;
    }
    if (fds[3].revents != 0)
        feed(c);
    return any;
}

/* To the end of both, or until nothing comes any more. */
static bool finish_reading(struct child *c, struct err *e)
{
    struct deadline limit = deadline_in(DRAIN_MS);
    while ((c->sinks[0].fd >= 0 || c->sinks[1].fd >= 0) && !deadline_passed(&limit))
        if (wait_round(c, DRAIN_MS / 10) && c->taken != NULL)
            limit = deadline_in(DRAIN_MS);
    for (size_t i = 0; i < ARRAY_LEN(c->sinks); i++)
        if (c->sinks[i].line_used > 0)
            end_line(&c->sinks[i]);
    if (c->io_failed)
        *e = c->io_error;
    return !c->io_failed;
}

static bool wait_for_end(struct child *c, const struct proc_spec *spec, struct err *e)
{
    struct deadline limit = deadline_in(spec->timeout_ms);
    while (!reap_now(c)) {
        if (deadline_passed(&limit))
            return err_set(e, ERR_TIMEOUT, "no end after %lld ms", (long long)spec->timeout_ms);
        if (!stop_check(e))
            return false;
        if (spec->tick != NULL && !spec->tick(spec->context, e))
            return false;
        bool open = c->sinks[0].fd >= 0 || c->sinks[1].fd >= 0;
        wait_round(c, open ? TICK_MS / 5 : TICK_MS / 10);
        if (c->io_failed) {
            *e = c->io_error;
            return false;
        }
    }
    return finish_reading(c, e);
}

static void kill_group(struct child *c)
{
    struct deadline grace = deadline_in(GRACE_MS);
    struct err ignored = {0};
    c->io_failed = true; /* nothing more is fed */
    kill(-c->pid, SIGTERM);
    while (!reap_now(c) && !deadline_passed(&grace))
        wait_round(c, 10);
    kill(-c->pid, SIGKILL);
    while (!c->reaped && waitpid(c->pid, &c->wait_status, 0) < 0 && errno == EINTR)
        continue;
    c->reaped = true;
    close_end(c);
    (void)!finish_reading(c, &ignored);
}

/* In the child: only async-signal-safe calls between fork and exec. */
static NORETURN void become(const struct proc_spec *spec, char **env, const int fds[4])
{
    sigset_t none;
    char go;
    /* Our handlers would be its until exec, and eat a request to end: see fork_blocked. */
    const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        signal(signals[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* Wait for the parent's word: it journals our pid first.  EOF: it is gone. */
    bool told = read(fds[2], &go, 1) == 1;
    int in = fds[3] >= 0 ? fds[3] : open("/dev/null", O_RDONLY);
    if (!told || in < 0 || dup2(in, 0) < 0 || dup2(fds[0], 1) < 0 ||
        dup2(fds[spec->together ? 0 : 1], 2) < 0 || (spec->dir != NULL && chdir(spec->dir) < 0))
        _exit(126);
    closefrom(3);
    execvpe(spec->argv[0], (char *const *)(uintptr_t)spec->argv, env);
    _exit(127);
}

/* What is sent to the child before it has let go of our handlers waits until then. */
static pid_t fork_blocked(void)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_t pid = fork();
    int fork_errno = errno;
    if (pid != 0)
        sigprocmask(SIG_SETMASK, &before, NULL);
    errno = fork_errno;
    return pid;
}

static bool can_run(const struct proc_spec *spec, struct err *e)
{
    if (spec->dir != NULL && !fs_is_dir(spec->dir))
        return err_set(e, ERR_SYSTEM, "could not run \"%s\": no folder \"%s\"", spec->argv[0],
                       spec->dir);
    if (strchr(spec->argv[0], '/') != NULL && access(spec->argv[0], X_OK) < 0)
        return err_sys(e, ERR_SYSTEM, "could not run \"%s\"", spec->argv[0]);
    return true;
}

/* stdout, stderr, the word to go, stdin; the last only where it is fed. */
static bool make_pipes(const struct proc_spec *spec, int pipes[4][2], struct err *e)
{
    for (size_t i = 0; i < (spec->feed != NULL ? 4 : 3); i++)
        if (pipe2(pipes[i], O_CLOEXEC) < 0) {
            err_sys(e, ERR_SYSTEM, "could not make a pipe");
            for (size_t made = 0; made < i; made++) {
                close(pipes[made][0]);
                close(pipes[made][1]);
            }
            return false;
        }
    return spec->feed == NULL || fcntl(pipes[3][1], F_SETFL, O_NONBLOCK) == 0 ||
           err_sys(e, ERR_SYSTEM, "could not set up a pipe");
}

static bool ended(struct child *c, const struct proc_spec *spec, bool ok,
                  struct proc_result *result, struct err *e)
{
    int status = c->wait_status;
    *result = (struct proc_result){
        .exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .out = c->sinks[0].bytes,
        .err = c->sinks[1].bytes,
    };
    if (ok && result->exit_status == 127 && c->sinks[0].used == 0 && c->sinks[1].used == 0) {
        errno = ENOENT;
        return err_sys(e, ERR_SYSTEM, "could not run \"%s\"", spec->argv[0]);
    }
    return ok || err_wrap(e, "could not finish \"%s\"", spec->argv[0]);
}

bool proc_run(struct arena *a, const struct proc_spec *spec, struct proc_result *result,
              struct err *e)
{
    *result = (struct proc_result){
        .exit_status = -1, .out = arena_strdup(a, ""), .err = arena_strdup(a, "")};
    int pipes[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    if (!can_run(spec, e) || !make_pipes(spec, pipes, e))
        return false;
    AUTO(fd) int out_read = pipes[0][0];
    AUTO(fd) int err_read = pipes[1][0];
    AUTO(fd) int go_write = pipes[2][1];
    char **env = build_env(a, spec->env);
    const int child_fds[4] = {pipes[0][1], pipes[1][1], pipes[2][0], pipes[3][0]};

    struct child c = {
        .spec = spec,
        .end_fd = -1,
        .in_fd = pipes[3][1],
        .piece = spec->feed == NULL ? NULL : arena_alloc(a, PIECE_BYTES),
        .taken = spec->take == NULL ? NULL : arena_alloc(a, PIECE_BYTES),
        .sinks = {sink_on(a, out_read, spec), sink_on(a, err_read, spec)},
        .pid = fork_blocked(),
    };
    if (c.pid == 0) {
        close(go_write);
        become(spec, env, child_fds);
    }
    int fork_errno = errno;
    for (size_t i = 0; i < 4; i++)
        fd_close(child_fds[i]);
    errno = fork_errno;
    if (c.pid < 0) {
        close_input(&c);
        return err_sys(e, ERR_SYSTEM, "could not run \"%s\"", spec->argv[0]);
    }

    c.end_fd = (int)syscall(SYS_pidfd_open, c.pid, 0); /* closed on exec; without, it is looked */
    setpgid(c.pid, c.pid);                             /* whichever of the two comes first */
    bool ok = spec->started == NULL || spec->started(spec->context, c.pid, e);
    ok = ok && (write(go_write, "g", 1) == 1 ||
                err_sys(e, ERR_SYSTEM, "could not start \"%s\"", spec->argv[0]));
    ok = ok && wait_for_end(&c, spec, e);
    if (!ok)
        kill_group(&c);
    close_input(&c);
    return ended(&c, spec, ok, result, e);
}

char *proc_line(struct arena *a, const char *const *argv)
{
    struct str s = str_on(a);
    for (; *argv != NULL; argv++)
        str_item(&s, " ",
                 strpbrk(*argv, " \t\n\"'*") != NULL ? arena_printf(a, "'%s'", *argv) : *argv);
    return s.text;
}

int64_t proc_start_time(pid_t pid)
{
    char path[64], text[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *p = strrchr(text, ')'); /* the name may hold anything; fields 3 to 22 follow */
    if (p == NULL || p[1] == '\0' || p[2] == 'Z' || p[2] == 'X')
        return 0;
    for (int field = 2; p != NULL && field < 22; field++)
        p = strchr(p + 1, ' ');
    return p == NULL ? 0 : strtoll(p, NULL, 10);
}

char *proc_boot_id(struct arena *a)
{
    char text[64] = "";
    AUTO(fd) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    return arena_strndup(a, text, n >= 36 ? 36 : 0);
}
