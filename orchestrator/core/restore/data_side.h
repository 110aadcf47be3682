/*
 * data_side.h - the rows of a backup into a copy of live, instead of live itself: what is large
 * need not lock live while it is loaded.
 *
 * A full backup of live as it is now is restored into the side database, the plan is carried out
 * there, by several sessions, for nobody else is there; then it is swapped in (rollback.h) and live
 * kept.  Rows that the plan deletes are not restored first, where nothing else could miss them.
 */
#ifndef MIGSAFE_CORE_RESTORE_DATA_SIDE_H
#define MIGSAFE_CORE_RESTORE_DATA_SIDE_H

#include "core/restore/data_apply.h"
#include "core/restore/source.h"

struct data_side {
    const struct connection *server; /* the role that restores */
    const char *pg_bin;
    const struct stored *saved;   /* full, of live, verified */
    struct data_apply_spec apply; /* its `to`, `alone` and `committing` do not count */
    struct data_applied *done;
};

/* side must live as long. */
struct source data_side_source(const struct data_side *side);

#endif
