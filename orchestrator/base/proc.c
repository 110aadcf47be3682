#include "base/proc.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GRACE_MS = 2000, TICK_MS = 100 };

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

/* Reads what is ready; past max the bytes are read and dropped.  False at EOF. */
static bool drain(struct sink *s)
{
    char bytes[4096];
    ssize_t n = read(s->fd, bytes, sizeof(bytes));
    if (n <= 0)
        return n < 0 && (errno == EINTR || errno == EAGAIN);
    size_t kept = (size_t)n < s->max - s->used ? (size_t)n : s->max - s->used;
    memcpy(s->bytes + s->used, bytes, kept);
    s->used += kept;
    for (ssize_t i = 0; s->line != NULL && i < n; i++)
        add_to_line(s, bytes[i]);
    return true;
}

struct child {
    pid_t pid;
    struct sink sinks[2];
    bool reaped;
    int wait_status;
};

static bool reap_now(struct child *c)
{
    if (!c->reaped)
        c->reaped = waitpid(c->pid, &c->wait_status, WNOHANG) == c->pid;
    return c->reaped;
}

/* One round of waiting: output, the end of the child, a stop.  Descendants may keep the pipes
 * open after the child has ended, so its end is what counts. */
static void wait_round(struct child *c, int wait_ms)
{
    struct pollfd fds[3] = {{.fd = c->sinks[0].fd, .events = POLLIN},
                            {.fd = c->sinks[1].fd, .events = POLLIN},
                            {.fd = stop_fd(), .events = POLLIN}};
    int ready = poll(fds, 3, wait_ms);
    for (size_t i = 0; ready > 0 && i < 2; i++)
        if (fds[i].revents != 0 && !drain(&c->sinks[i]))
            c->sinks[i].fd = -1;
}

static bool finish_reading(struct child *c)
{
    struct deadline limit = deadline_in(200);
    while ((c->sinks[0].fd >= 0 || c->sinks[1].fd >= 0) && !deadline_passed(&limit))
        wait_round(c, 20);
    for (size_t i = 0; i < ARRAY_LEN(c->sinks); i++)
        if (c->sinks[i].line_used > 0)
            end_line(&c->sinks[i]);
    return true;
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
    }
    return finish_reading(c);
}

static void kill_group(struct child *c)
{
    struct deadline grace = deadline_in(GRACE_MS);
    kill(-c->pid, SIGTERM);
    while (!reap_now(c) && !deadline_passed(&grace))
        wait_round(c, 10);
    kill(-c->pid, SIGKILL);
    while (!c->reaped && waitpid(c->pid, &c->wait_status, 0) < 0 && errno == EINTR)
        continue;
    c->reaped = true;
    finish_reading(c);
}

/* In the child: only async-signal-safe calls between fork and exec. */
static NORETURN void become(const struct proc_spec *spec, char **env, const int fds[3])
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
    int null = open("/dev/null", O_RDONLY);
    if (!told || null < 0 || dup2(null, 0) < 0 || dup2(fds[0], 1) < 0 ||
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

bool proc_run(struct arena *a, const struct proc_spec *spec, struct proc_result *result,
              struct err *e)
{
    *result = (struct proc_result){
        .exit_status = -1, .out = arena_strdup(a, ""), .err = arena_strdup(a, "")};
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    if (!can_run(spec, e))
        return false;
    for (size_t i = 0; i < 3; i++)
        if (pipe2(pipes[i], O_CLOEXEC) < 0)
            return err_sys(e, ERR_SYSTEM, "could not make a pipe");
    AUTO(fd) int out_read = pipes[0][0];
    AUTO(fd) int err_read = pipes[1][0];
    AUTO(fd) int go_write = pipes[2][1];
    char **env = build_env(a, spec->env);
    const int child_fds[3] = {pipes[0][1], pipes[1][1], pipes[2][0]};

    struct child c = {
        .pid = fork_blocked(),
        .sinks = {sink_on(a, out_read, spec), sink_on(a, err_read, spec)},
    };
    if (c.pid == 0) {
        close(go_write);
        become(spec, env, child_fds);
    }
    int fork_errno = errno;
    for (size_t i = 0; i < 3; i++)
        close(child_fds[i]);
    errno = fork_errno;
    if (c.pid < 0)
        return err_sys(e, ERR_SYSTEM, "could not run \"%s\"", spec->argv[0]);

    setpgid(c.pid, c.pid); /* whichever of the two comes first */
    bool ok = spec->started == NULL || spec->started(spec->context, c.pid, e);
    ok = ok && (write(go_write, "g", 1) == 1 ||
                err_sys(e, ERR_SYSTEM, "could not start \"%s\"", spec->argv[0]));
    ok = ok && wait_for_end(&c, spec, e);
    if (!ok)
        kill_group(&c);

    int status = c.wait_status;
    *result = (struct proc_result){
        .exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
        .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
        .out = c.sinks[0].bytes,
        .err = c.sinks[1].bytes,
    };
    if (ok && result->exit_status == 127 && c.sinks[0].used == 0 && c.sinks[1].used == 0) {
        errno = ENOENT;
        return err_sys(e, ERR_SYSTEM, "could not run \"%s\"", spec->argv[0]);
    }
    return ok || err_wrap(e, "could not finish \"%s\"", spec->argv[0]);
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
