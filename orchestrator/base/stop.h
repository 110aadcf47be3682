/*
 * stop.h - SIGINT, SIGTERM and SIGHUP as a flag, and as a descriptor for poll().
 *
 * Everything that waits includes stop_fd() in its poll() and ends with
 * ERR_CANCELLED when stop_requested().  Code that must not be interrupted (the
 * way back, a swap) runs under a shield: the request is kept and seen when the
 * shield is lifted.
 *
 * A second request, at least half a second after the first (what starts us may pass
 * on a Ctrl-C that we got ourselves), ends the process at once, shield or not: the
 * next `migsafe recover` or deploy goes on from the journal.
 */
#ifndef MIGSAFE_BASE_STOP_H
#define MIGSAFE_BASE_STOP_H

#include "base/err.h"

void stop_install(void);   /* once, from main; SIGPIPE is ignored from then on */
bool stop_requested(void); /* false under a shield */
int stop_fd(void);         /* readable once a stop is requested; -1 under a shield */
int stop_signal(void);     /* the first signal's number, or 0 */
const char *stop_signal_name(void) RETURNS_NONNULL; /* for messages: "SIGINT" */
void stop_shield(bool raise);                       /* nests */

/* A line that a pool of threads is stopped by: in a thread that follows it, stop_requested(),
 * stop_fd() and what builds on them see the line instead of signals and shields. */
struct stop_line {
    int fd;
    _Atomic bool pulled;
};
MUST_CHECK bool stop_line_open(struct stop_line *line, struct err *e);
void stop_line_close(struct stop_line *line);
void stop_line_follow(struct stop_line *line); /* for the rest of the calling thread's life */
void stop_line_pull(struct stop_line *line);   /* from any thread */
bool stop_line_is_pulled(const struct stop_line *line);

/* True to go on; false is ERR_CANCELLED. */
MUST_CHECK bool stop_check(struct err *e);
/* Sleeps; false is ERR_CANCELLED. */
MUST_CHECK bool stop_sleep_ms(int64_t ms, struct err *e);

#endif
