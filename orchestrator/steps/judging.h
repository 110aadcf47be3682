/*
 * judging.h - is a migrated database healthy, and what did it lose?  Of live, and of the copy that
 * the migration is rehearsed on.
 */
#ifndef MIGSAFE_STEPS_JUDGING_H
#define MIGSAFE_STEPS_JUDGING_H

#include "steps/run.h"

struct judging {
    const struct connection *where;
    const struct findings *baseline; /* there before: does not count */
    bool alone;                      /* nobody else can have written there */
    bool measure;                    /* by the fence: whether somebody has */
};

/* What is new, and lost against the backup of this run; what is allowed is marked.  It and what the
 * gate found are the report's findings then.  Findings are not errors. */
MUST_CHECK bool judge_health(struct run *run, const struct judging *j, struct findings *now,
                             struct err *e);
/* False, with the first error that is not allowed as an err of that kind; true when there is none.
 */
MUST_CHECK bool judged_unhealthy(struct arena *a, const struct findings *found, enum err_kind kind,
                                 struct err *e);

#endif
