#include "base/stop.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

static _Atomic int first_signal; /* lock-free: a handler may set it, threads read it */
static int wake[2] = {-1, -1};
static int shields;
static _Thread_local struct stop_line *followed;

static void on_signal(int number)
{
    int saved = errno;
    if (first_signal == 0)
        first_signal = number;
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
    return err_set(e, ERR_CANCELLED, "cancelled by signal %d", stop_signal());
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
