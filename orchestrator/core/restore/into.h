/*
 * into.h - restore into a database that does not exist yet.
 *
 * It is marked as ours until it is complete, then has every property that its
 * source tells but the name.  When something fails it is dropped again.  For a trial
 * it is only filled, stays marked and closed to others, and is dropped in any case.
 */
#ifndef MIGSAFE_CORE_RESTORE_INTO_H
#define MIGSAFE_CORE_RESTORE_INTO_H

#include "core/restore/source.h"

struct into_spec {
    const struct connection *server; /* the role that restores */
    const char *maintenance_database;
    const struct source *source;
    const char *name;
    const char *run;
    bool drop; /* a trial: drop it again */
};

/* ERR_USAGE: the name cannot be one, or is taken. */
MUST_CHECK bool restore_into_check(struct arena *a, struct pg *maintenance, const char *name,
                                   struct err *e);
MUST_CHECK bool restore_into(struct arena *a, const struct into_spec *spec, struct err *e);

#endif
