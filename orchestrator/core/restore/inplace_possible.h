/*
 * inplace_possible.h - could live be restored in place, before there is a backup?
 *
 * The schema of live is dumped as an archive and looked at as a restore in place would look at
 * its backup (inplace_look): locks, what a drop would take along, rights.  Nothing is locked and
 * nothing changed; that the archive's statements will work is not proven by it, as the drill
 * proves it for a side database.
 */
#ifndef MIGSAFE_CORE_RESTORE_INPLACE_POSSIBLE_H
#define MIGSAFE_CORE_RESTORE_INPLACE_POSSIBLE_H

#include "core/restore/inplace.h"

struct inplace_possible_spec {
    const struct connection *dumps;    /* the role that dumps live */
    const struct connection *restores; /* the role that would restore, in live */
    const char *pg_bin;
    const char *scratch_dir; /* for the archive; removed again */
    const struct database_facts *facts;
};

/* ERR_PREFLIGHT says why not. */
MUST_CHECK bool inplace_possible(struct arena *a, const struct inplace_possible_spec *spec,
                                 struct inplace_plan *plan, struct err *e);

#endif
