/*
 * failure.h - why a run of Prisma failed, and whether trying again can help.
 *
 * Tables of P-codes, SQLSTATEs and texts (failure.c); a pure function of what
 * the CLI printed and how it ended.  What stayed behind in the database is not
 * judged here: steps/migrate decides with it what a class means.
 *
 * Exit 0 without its success line is no success: from 6.10 on the CLI ends so
 * when its engine dies.  A run that was killed, or stopped at our deadline, is
 * unknown unless it had printed an error before.
 */
#ifndef MIGSAFE_CORE_PRISMA_FAILURE_H
#define MIGSAFE_CORE_PRISMA_FAILURE_H

#include "base/arena.h"

enum failure_class {
    FAILURE_NONE,      /* success by the CLI's own words: exit 0 and its success line */
    FAILURE_BEFORE,    /* it never got to run a statement (P1001, P1002, ...) */
    FAILURE_TRANSIENT, /* lock timeout, deadlock, connection lost, shutdown */
    FAILURE_PERMANENT, /* SQL or data error, P3009, configuration */
    FAILURE_UNKNOWN,   /* treated as permanent */
};

struct failure {
    enum failure_class class;
    const char *code;      /* "P3018", or "" */
    const char *sqlstate;  /* "55P03", or "" (also where the text leaves no doubt) */
    const char *migration; /* the one that failed, or "" */
    const char *message;   /* the first error in one line, no ANSI codes; never "" on failure */
    bool lock_timeout;     /* it waited for a lock in vain: name the blocker */
};

struct prisma_end {
    int exit_status;
    int signal;
    bool timed_out; /* our deadline killed it */
    const char *out, *err;
};

struct failure failure_classify(struct arena *a, const struct prisma_end *end);
const char *failure_class_name(enum failure_class class); /* "transient" */
/* "All migrations have been successfully applied." or "No pending migrations to apply." */
bool failure_success_line(const char *out);

#endif
