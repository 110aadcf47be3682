/*
 * leftovers.h - what a dead run left beside live: databases, folders.  Kept databases never are.
 *
 * Databases are recognised by their mark (side.h), and by their exact names where the
 * run died between making one and marking it.
 */
#ifndef MIGSAFE_CORE_RECOVER_LEFTOVERS_H
#define MIGSAFE_CORE_RECOVER_LEFTOVERS_H

#include "core/recover/past.h"
#include "core/settings/settings.h"
#include "ext/pg.h"

struct leftovers_spec {
    const struct settings *settings;
    struct pg *maintenance;
    const char *live; /* name */
    const struct past *past;
    const char *run_folder;
};

/* Drops and removes them; *cleared names each for people.  Goes on after a failure; the first one
 * is the error. */
MUST_CHECK bool leftovers_clear(struct arena *a, const struct leftovers_spec *spec,
                                struct strlist *cleared, struct err *e);
/* Drops databases of ours beside live, kept ones left out, of runs that are at their end and could
 * not drop them any more: the server was away, their session was cut.  *cleared names them, with
 * dry_run those that would go.  The caller holds the run lock; what cannot be dropped is a warning.
 */
MUST_CHECK bool leftovers_of_ended(struct arena *a, const struct leftovers_spec *spec, bool dry_run,
                                   struct strlist *cleared, struct err *e);
/* Databases of ours beside live, kept ones left out, of runs that this state folder knows nothing
 * of (a container's, a CI runner's): named, with the command that drops each, never dropped. */
MUST_CHECK bool leftovers_strange(struct arena *a, const struct leftovers_spec *spec,
                                  struct strlist *strange, struct err *e);

#endif
