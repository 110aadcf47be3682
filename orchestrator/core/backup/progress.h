/*
 * progress.h - how far long work is: counted by threads, told by one.
 *
 *     progress_begin(p, "backup", expected_bytes);         the calling thread
 *     progress_add(p, bytes, rows);                        workers, as the bytes pass
 *     progress_learn(p, expected, real);                   workers, where the total is an estimate
 *     progress_table(p, schema, name, rows, bytes);        workers, when a table is done
 *     progress_tick(p, e)                                  the pool's tick
 *     progress_end(p, e)                                   the calling thread, when all went well
 *
 * p may be NULL wherever one is taken: nobody wants to know.  Who wants to know sets say, table
 * and context and leaves the rest zero; one progress serves one piece of work after another.
 */
#ifndef MIGSAFE_CORE_BACKUP_PROGRESS_H
#define MIGSAFE_CORE_BACKUP_PROGRESS_H

#include "base/err.h"

struct progress_now {
    const char *doing;   /* "backup", "restore", "verify" */
    int64_t done, total; /* bytes of text; total 0: not known; never less than done */
    int64_t rows;
    int64_t rate;    /* bytes a second, over the last seconds */
    int64_t left_ms; /* -1: not known */
    int64_t elapsed_ms;
    bool last;
};

enum { PROGRESS_SAMPLES = 12 };

struct progress_done_table;

/* Of progress.c alone. */
struct progress_state {
    const char *doing;
    int64_t began_ms, expected;
    int64_t done, rows, learned_expected, learned_real; /* atomic */
    struct progress_done_table *tables;                 /* atomic: newest first */
    struct {
        int64_t at_ms, done;
    } samples[PROGRESS_SAMPLES]; /* a ring: the last seconds */
    int sample_count, newest;
};

struct progress {
    /* False ends the work with that error.  Called in the calling thread, about ten times a
     * second; whoever listens decides how often it says something. */
    bool (*say)(void *context, const struct progress_now *now, struct err *e);
    /* A table is done, in the calling thread; or NULL. */
    void (*table)(void *context, const char *schema, const char *name, int64_t rows, int64_t bytes);
    void *context;
    struct progress_state state;
};

/* Starts at nothing.  expected: bytes of all, 0 when not known; an estimate is fine. */
void progress_begin(struct progress *p, const char *doing, int64_t expected);
/* Any thread.  Bytes of text, before packing; rows may come later than their bytes, or be 0. */
void progress_add(struct progress *p, int64_t bytes, int64_t rows);
/* Any thread: a finished part of the work that `expected` of progress_begin took as so many bytes
 * had `real` ones.  What is still to come is then taken to differ alike. */
void progress_learn(struct progress *p, int64_t expected, int64_t real);
/* Any thread.  The names must live until the next tick. */
void progress_table(struct progress *p, const char *schema, const char *name, int64_t rows,
                    int64_t bytes);
/* The calling thread: tables done since, then the numbers.  False as `say` says. */
MUST_CHECK bool progress_tick(struct progress *p, struct err *e);
/* The same with `last`: the work is done. */
MUST_CHECK bool progress_end(struct progress *p, struct err *e);

/* Who owns p, at the end: also after work that failed. */
void progress_release(struct progress *p);

/* What a tick at that time (clock_ms) says.  Only for p that is not NULL. */
struct progress_now progress_at(struct progress *p, int64_t now_ms);

#endif
