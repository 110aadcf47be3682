/*
 * follow.h - several deploys at once on one database: one works, the others look on.
 *
 * A deploy that does not get the lock follows the journal of the run that has it, where
 * it can read that (the same state folder), and says in its log how far it is.  When that
 * run has passed its commit point and nothing is pending any more there is nothing left
 * to wait for.  Otherwise it gets the lock in the end, and looks for itself.
 *
 * No statement of a waiting deploy waits inside the server: CREATE INDEX CONCURRENTLY in
 * the other's migration would wait for it in turn.
 */
#ifndef MIGSAFE_STEPS_FOLLOW_H
#define MIGSAFE_STEPS_FOLLOW_H

#include "core/runlock.h"

struct follow {
    const char *state_dir;
    /* Is nothing pending?  Asked when the other says that it has migrated. */
    bool (*complete)(void *context, bool *complete, struct err *e);
    void *context;
    char said[64]; /* what the log was told last */
};

/* The claim of a run that follows. */
struct runlock_claim follow_claim(struct follow *f, const char *run, const char *command);

#endif
