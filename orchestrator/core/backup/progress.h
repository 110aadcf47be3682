/*
 * progress.h - how far long work is: counted by threads, told by one.
 *
 * Workers add; the calling thread's tick hands the numbers to whoever wants them (a line
 * on a terminal, a journal).  NULL wherever a progress is taken: nobody wants them.
 */
#ifndef MIGSAFE_CORE_BACKUP_PROGRESS_H
#define MIGSAFE_CORE_BACKUP_PROGRESS_H

#include "base/err.h"

struct progress_now {
    const char *doing;         /* "backup", "restore", "verify" */
    int64_t done, total;       /* bytes; total 0: not known; may be passed by done */
    int64_t rows;
    int64_t rate;              /* bytes a second, over the last seconds */
    int64_t left_ms;           /* -1: not known */
    int64_t elapsed_ms;
    bool last;
};

struct progress {
    /* False ends the work with that error.  Called in the calling thread, about ten times a
     * second; whoever listens decides how often it says something. */
    bool (*say)(void *context, const struct progress_now *now, struct err *e);
    /* A table is done, in the calling thread; or NULL. */
    void (*table)(void *context, const char *schema, const char *name, int64_t rows,
                  int64_t bytes);
    void *context;
};

#endif
