/*
 * steps.h - run a list of steps forward, and back when one fails.
 *
 * A step does one thing and knows how to undo it.  Each is journaled: `begin`,
 * fsynced, before apply; `done` or `failed` after it.  When one fails before the
 * commit point the engine calls undo of that one and of those before it, newest
 * first, so undo must cope with a step that is only half done; undo journals
 * what it does by itself.  Undo failures do not stop the others.
 *
 * The `done` record of the step marked `commits` is the commit point.  A step
 * after it that fails is a warning: nothing is undone any more.
 */
#ifndef MIGSAFE_CORE_STEPS_H
#define MIGSAFE_CORE_STEPS_H

#include "core/journal.h"

struct run; /* what the steps of one run share: steps/run.h */

struct step {
    const char *name; /* "backup": journal, reports, logs */
    const char *what; /* "back up the database": for people */
    bool (*apply)(struct run *run, struct err *e);
    bool (*undo)(struct run *run, struct err *e); /* NULL: nothing to undo */
    struct json *(*facts)(struct run *run);       /* for the begin record; taken; NULL: none */
    bool commits;                                 /* its done is the commit point */
};

struct steps_end {
    const struct step *failed; /* before the commit point; NULL: none did */
    bool committed;
    bool undo_failed;
    struct err undo_error; /* the first one */
};

/* What happened to each step, for the report: result "done", "failed", "warning", "undone". */
typedef void steps_told(struct run *run, const struct step *step, const char *result,
                        int64_t elapsed_ms, const struct err *error);

struct steps_plan {
    const struct step *const *steps;
    size_t count;
    struct journal *journal;
    steps_told *told;
};

/* False: a step before the commit point failed (*e is why), or the journal could not be written. */
MUST_CHECK bool steps_run(const struct steps_plan *plan, struct run *run, struct steps_end *end,
                          struct err *e);

#endif
