/*
 * recover.h - runs that have no end are finished, undone, or left to a person: docs/RECOVER.md.
 *
 * For each, newest first: its processes and sessions are ended, journal and truth are judged
 * (core/recover/), and what follows from that is done with the parts of a deploy.  All of it
 * goes into the journal of that run, so that a recover that dies itself is recovered by the next.
 *
 * The caller holds the run lock of the database.
 */
#ifndef MIGSAFE_STEPS_RECOVER_H
#define MIGSAFE_STEPS_RECOVER_H

#include "core/backup/progress.h"
#include "core/fence/watchdog.h"
#include "core/recover/judge.h"
#include "core/runlock.h"

enum recover_decision { DECIDE_NOTHING, DECIDE_KEEP, DECIDE_RESTORE };

struct recover_spec {
    const struct settings *settings;
    const struct site *site;
    struct runlock *lock; /* NULL with dry_run */
    const struct progress *progress;
    const char *run;                /* NULL: all that have no end */
    enum recover_decision decision; /* of a person, about `run` */
    bool dry_run;                   /* says what would be done, ends and changes nothing */
};

struct recovered { /* one run */
    const char *run, *command, *stage, *action;
    const char *verdict;     /* "broken" too; with dry_run: what it is likely to be */
    const char *decision;    /* "keep", "restore", or NULL */
    const char *why, *facts; /* sentences */
    struct strlist ways;     /* of "broken": what a person can choose from, a line each */
    struct strlist cleared;
    const char *backup, *kept_database;
    int exit_status;
    struct err error; /* what the exit status says; kind ERR_NONE: 0 */
};

struct recovered_list {
    struct recovered *items;
    size_t count;
    struct strlist cleared; /* of runs that were at their end, but could not clear up any more */
    struct strlist strange; /* databases of runs that no journal tells of */
};

/* True: every one is at its end, whatever its verdict - but "broken": *e is ERR_BROKEN then, and
 * nothing may go on.  False too when it could not be judged or carried out: ERR_CONNECT (nothing
 * was changed), ERR_BUSY (somebody else's Prisma is at work), ... */
MUST_CHECK bool recover_runs(struct arena *a, const struct recover_spec *spec,
                             struct recovered_list *done, struct err *e);
/* Of the watchdog of a fence, when its run is dead: takes the lock by itself. */
MUST_CHECK bool recover_dead(const struct fence_watchdog_spec *w, struct err *e);
/* The same before other work, told in the log only; no fence of a dead run stands then. */
MUST_CHECK bool recover_first(struct arena *a, const struct settings *s, const struct site *site,
                              struct runlock *lock, struct err *e);

#endif
