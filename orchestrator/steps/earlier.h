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
    const char *last;         /* the newest finished deploy, or NULL */
    const char *last_verdict; /* of it */
    const char *last_digest;  /* of its pending migrations */
    bool last_permanent;      /* the same migrations would fail again */
    bool last_announced;      /* its alert went out, or none was wanted */
    int last_exit;
    const char *last_message; /* of its error; "": none */
};

/* Only runs on this database of this server count. */
MUST_CHECK bool earlier_read(struct arena *a, const char *state_dir, const char *database,
                             struct earlier *earlier, struct err *e);
/* ERR_BROKEN when an earlier run has no end. */
MUST_CHECK bool earlier_refuse_unfinished(const struct earlier *earlier, const char *state_dir,
                                          struct err *e);
/* ERR_UNCHANGED when the same migrations failed for a permanent cause before (the restart loop of a
 * container): no backup, no second alert. */
MUST_CHECK bool earlier_refuse_repetition(const struct earlier *earlier, const char *digest,
                                          struct err *e);
/* Was the last deploy refused with the same pending migrations for the same reason (but for numbers
 * in its message), and is that announced?  Then a container that restarts again and again need not
 * alert each time. */
bool earlier_announced(const struct earlier *earlier, const char *digest, const struct err *e);

#endif
