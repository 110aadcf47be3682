/*
 * earlier.h - what earlier runs on this database mean for a new one.
 */
#ifndef MIGSAFE_STEPS_EARLIER_H
#define MIGSAFE_STEPS_EARLIER_H

#include "base/arena.h"
#include "base/err.h"

struct earlier {
    const char *unfinished; /* the newest run without a verdict, or NULL */
    const char *unfinished_step, *unfinished_event, *unfinished_at;
    const char *broken;       /* the newest that ended so and that nobody decided about, or NULL */
    const char *last;         /* the newest finished deploy, or NULL */
    const char *last_verdict; /* of it */
    const char *last_digest;  /* of its pending migrations */
    bool last_permanent;      /* the same migrations would fail again */
    bool last_announced;      /* its alert went out, or none was wanted */
    int last_exit;
    const char *last_message; /* of its error; "": none */
};

struct earlier_of {
    const char *database;
    const char *server; /* runlock_server(); NULL: not known, runs on any count */
};
MUST_CHECK bool earlier_read(struct arena *a, const char *state_dir, const struct earlier_of *of,
                             struct earlier *earlier, struct err *e);
/* One line for people when a run has no end or waits for a decision, else NULL. */
const char *earlier_text(struct arena *a, const struct earlier *earlier);
/* ERR_BROKEN when an earlier run ended broken and a person has not decided yet. */
MUST_CHECK bool earlier_refuse_broken(const struct earlier *earlier, struct err *e);
/* ERR_UNCHANGED when the same migrations failed for a permanent cause before (the restart loop of a
 * container), ERR_UNSAFE when they did so in a rehearsal: no backup, no second alert. */
MUST_CHECK bool earlier_refuse_repetition(const struct earlier *earlier, const char *digest,
                                          struct err *e);
/* Was the last deploy refused with the same pending migrations for the same reason (but for numbers
 * in its message), and is that announced?  Then a container that restarts again and again need not
 * alert each time. */
bool earlier_announced(const struct earlier *earlier, const char *digest, const struct err *e);

#endif
