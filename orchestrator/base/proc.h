/*
 * proc.h - run a child program to its end.
 *
 *     struct proc_spec spec = {
 *         .argv = (const char *const[]){"pg_dump", "-Fd", NULL},
 *         .env = (const char *const[]){"PGPASSFILE=/run/x", "PGPASSWORD", NULL},
 *         .timeout_ms = 60000,
 *         .out_max = 64 * 1024,
 *     };
 *     if (!proc_run(arena, &spec, &result, err)) ...
 *
 * No shell is ever involved.  The child gets our environment changed by .env (an
 * entry without "=" removes that name; "PG*" removes every name with that
 * prefix), stdin from /dev/null unless .feed is given, its own process group, no
 * descriptor of ours above 2, and dies when we do (PDEATHSIG).  Secrets go in
 * .env, never in argv.
 *
 * At the deadline, or when a stop is requested (base/stop), its group gets
 * SIGTERM and, two seconds later, SIGKILL.
 */
#ifndef MIGSAFE_BASE_PROC_H
#define MIGSAFE_BASE_PROC_H

#include "base/arena.h"
#include "base/err.h"

#include <sys/types.h>

enum { PROC_LINE_MAX = 8191 };

struct proc_spec {
    const char *const *argv; /* NULL-terminated; argv[0] is sought on PATH unless it has a slash */
    const char *const *env;  /* NULL-terminated changes, or NULL */
    const char *dir;         /* working folder, or NULL for ours */
    int64_t timeout_ms;      /* 0: no limit */
    size_t out_max;          /* bytes of stdout and of stderr kept: the first of them */
    bool together;           /* stderr goes where stdout goes: in the order of writing */
    /* Called with each line of stdout and stderr as it comes, without its end; a longer one than
     * PROC_LINE_MAX comes in parts. */
    void (*line)(void *context, const char *line);
    /* Called once the child has its pid and before it runs: journal it.  False ends it. */
    bool (*started)(void *context, pid_t pid, struct err *e);
    /* Called about every 100 ms while it runs; false ends it with the error given. */
    bool (*tick)(void *context, struct err *e);
    /* Its standard input, piece by piece: up to max bytes into buffer; *n 0 is the end.  False ends
     * the child with the error given, before it can see an end of its input. */
    bool (*feed)(void *context, char *buffer, size_t max, size_t *n, struct err *e);
    /* All of its standard output as it comes, instead of result.out; false ends it. */
    bool (*take)(void *context, const char *bytes, size_t n, struct err *e);
    void *context;
};

struct proc_result {
    int exit_status; /* 0..255; 128 + n when signal n ended it */
    int signal;      /* the n above, or 0 */
    char *out;       /* in the arena, NUL-terminated, cut at out_max */
    char *err;
};

/*
 * True when the child ran and was reaped, whatever its exit status.  False with
 * ERR_SYSTEM (could not start), ERR_TIMEOUT, ERR_CANCELLED or the tick's error:
 * its group was killed and reaped, *result holds what it had printed.
 */
MUST_CHECK bool proc_run(struct arena *a, const struct proc_spec *spec, struct proc_result *result,
                         struct err *e);

/* The program's argv as one line for the log, words with blanks in quotes. */
char *proc_line(struct arena *a, const char *const *argv) RETURNS_NONNULL;

/* Start time of a process in clock ticks since boot (/proc/PID/stat), 0 when it is gone or a
 * zombie: with the boot id it tells whether a pid is still the same process. */
int64_t proc_start_time(pid_t pid);
/* /proc/sys/kernel/random/boot_id, or "". */
char *proc_boot_id(struct arena *a) RETURNS_NONNULL;

#endif
