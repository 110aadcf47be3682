/*
 * clock.h - deadlines by the monotonic clock, stamps by the wall clock (UTC).
 *
 *     struct deadline d = deadline_in(5000);
 *     while (!deadline_passed(&d)) ... poll(fds, n, deadline_left_ms(&d)) ...
 */
#ifndef MIGSAFE_BASE_CLOCK_H
#define MIGSAFE_BASE_CLOCK_H

#include "base/arena.h"
#include "base/err.h"

int64_t clock_ms(void); /* monotonic */

struct deadline {
    int64_t at_ms; /* 0: never */
};

struct deadline deadline_in(int64_t ms); /* 0: never */
bool deadline_passed(const struct deadline *d);
int deadline_left_ms(const struct deadline *d); /* for poll(): -1 for never, 0 when passed */

/* "2026-11-20T19:46:09.123Z" */
char *clock_rfc3339(struct arena *a) RETURNS_NONNULL;
/* "20261120_194609": the stamp in ids of backups and runs. */
char *clock_stamp(struct arena *a) RETURNS_NONNULL;
/* Seconds since 1970 of an RFC 3339 UTC stamp as clock_rfc3339 makes it; -1 when it is none. */
int64_t clock_parse_rfc3339(const char *text);
/* "412 ms", "3.2 s", "4 min 10 s": for people. */
char *clock_human_ms(struct arena *a, int64_t ms) RETURNS_NONNULL;

#endif
