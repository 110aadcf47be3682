/*
 * health_check.h - the inside of health: what a check is.
 *
 * Most checks are one query: its rows are target and message.  The others have a
 * function, in core/health/check_*.c.
 */
#ifndef MIGSAFE_CORE_HEALTH_CHECK_H
#define MIGSAFE_CORE_HEALTH_CHECK_H

#include "core/health/health.h"

struct check_run {
    struct arena *arena;
    const struct health_context *context;
    struct findings *found;
};

struct health_check;
typedef bool check_fn(const struct check_run *run, const struct health_check *check, struct err *e);

struct health_check {
    const char *id;
    enum finding_level level;
    bool transient;
    bool told_in_deploy; /* worth mending, but no reason to roll a deploy back: a warning there */
    int least_version;   /* of the server; 0: any */
    const char *finds;   /* for the docs */
    const char *advice;
    const char *sql; /* or NULL */
    check_fn *run;   /* used when sql is NULL */
    /* of check_history: which list of struct history (its offset), and what to say of its names */
    size_t names;
    const char *message;
};

extern const struct health_check health_checks[];
extern const size_t health_check_count;

check_fn check_connection, check_history, check_sequences, check_orphans;

void check_found(const struct check_run *run, const struct health_check *check, const char *target,
                 const char *message);
/* Could the check just not look (rights, a lock, too long)?  Then that is the finding, and the
 * error is no more. */
bool check_skipped(const struct check_run *run, const struct health_check *check,
                   const char *target, struct err *e);

#endif
