#include "base/stop.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t first_signal;
static int wake[2] = {-1, -1};
static int shields;

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

bool stop_requested(void)
{
    return shields == 0 && first_signal != 0;
}

int stop_fd(void)
{
    return shields == 0 ? wake[0] : -1;
}

int stop_signal(void)
{
    return (int)first_signal;
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
