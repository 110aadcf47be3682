#include "base/stop.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { SECOND_AFTER_MS = 500 };

static _Atomic int first_signal; /* lock-free: a handler may set it, threads read it */
static _Atomic int64_t first_ms;
static int wake[2] = {-1, -1};
static int shields;
static _Thread_local struct stop_line *followed;

/* Everything in here may be called by a handler (signal-safety(7)). */
static void end_at_once(int number)
{
    static const char said[] = "migsafe: stopped at once by a second signal\n";
    ssize_t ignored = write(STDERR_FILENO, said, sizeof(said) - 1);
    (void)ignored;
    signal(number, SIG_DFL);
    raise(number); /* delivered as the handler returns */
}

static void on_signal(int number)
{
    int saved = errno;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (first_signal == 0) {
        first_ms = now_ms;
        first_signal = number;
    } else if (number != SIGHUP && now_ms - first_ms >= SECOND_AFTER_MS) {
        end_at_once(number);
    }
    ssize_t ignored = write(wake[1], "", 1);
    (void)ignored;
    errno = saved;
}

void stop_install(void)
{
    if (pipe2(wake, O_CLOEXEC | O_NONBLOCK) < 0)
        return;
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        sigaction(signals[i], &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
}

bool stop_line_open(struct stop_line *line, struct err *e)
{
    line->pulled = false;
    line->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return line->fd >= 0 || err_sys(e, ERR_SYSTEM, "could not make an event descriptor");
}

void stop_line_close(struct stop_line *line)
{
    if (line->fd >= 0)
        close(line->fd);
    line->fd = -1;
}

void stop_line_follow(struct stop_line *line)
{
    followed = line;
}

void stop_line_pull(struct stop_line *line)
{
    line->pulled = true;
    ssize_t ignored = write(line->fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)ignored;
}

bool stop_line_is_pulled(const struct stop_line *line)
{
    return line->pulled;
}

bool stop_requested(void)
{
    if (followed != NULL)
        return followed->pulled;
    return shields == 0 && first_signal != 0;
}

int stop_fd(void)
{
    if (followed != NULL)
        return followed->fd;
    return shields == 0 ? wake[0] : -1;
}

int stop_signal(void)
{
    return first_signal;
}

const char *stop_signal_name(void)
{
    return first_signal == SIGINT ? "SIGINT" : first_signal == SIGTERM ? "SIGTERM" : "SIGHUP";
}

void stop_shield(bool raise)
{
    shields += raise ? 1 : -1;
    assert(shields >= 0);
}

bool stop_check(struct err *e)
{
    if (!stop_requested())
        return true;
    if (stop_signal() == 0)
        return err_set(e, ERR_CANCELLED, "cancelled"); /* in a pool, after the failure of another */
    return err_set(e, ERR_CANCELLED, "cancelled by %s", stop_signal_name());
}

bool stop_sleep_ms(int64_t ms, struct err *e)
{
    struct deadline until = deadline_in(ms > 0 ? ms : 1);
    while (!deadline_passed(&until)) {
        struct pollfd fd = {.fd = stop_fd(), .events = POLLIN};
        poll(&fd, 1, deadline_left_ms(&until));
        if (!stop_check(e))
            return false;
    }
    return true;
}
