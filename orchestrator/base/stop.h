/*
 * stop.h - SIGINT, SIGTERM and SIGHUP as a flag, and as a descriptor for poll().
 *
 * Everything that waits includes stop_fd() in its poll() and ends with
 * ERR_CANCELLED when stop_requested().  Code that must not be interrupted (the
 * way back, a swap) runs under a shield: the request is kept and seen when the
 * shield is lifted.
 */
#ifndef MIGSAFE_BASE_STOP_H
#define MIGSAFE_BASE_STOP_H

#include "base/err.h"

void stop_install(void);      /* once, from main; SIGPIPE is ignored from then on */
bool stop_requested(void);    /* false under a shield */
int stop_fd(void);            /* readable once a stop is requested; -1 under a shield */
int stop_signal(void);        /* the first signal's number, or 0 */
void stop_shield(bool raise); /* nests */

/* True to go on; false is ERR_CANCELLED. */
MUST_CHECK bool stop_check(struct err *e);
/* Sleeps; false is ERR_CANCELLED. */
MUST_CHECK bool stop_sleep_ms(int64_t ms, struct err *e);

#endif
