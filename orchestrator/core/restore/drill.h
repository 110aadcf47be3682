/*
 * drill.h - prove the way back before production is touched.
 *
 * The schema of live is dumped, restored as the restoring role into an empty side
 * database, and dumped again: both dumps must say the same.  Every property of
 * database.h is set on it.  Then it is swapped with another empty database.  All
 * are dropped whatever happens.
 */
#ifndef MIGSAFE_CORE_RESTORE_DRILL_H
#define MIGSAFE_CORE_RESTORE_DRILL_H

#include "core/connection/connection.h"
#include "core/schema/database.h"

struct drill_spec {
    const struct connection *live; /* the application's role: it dumps */
    const struct connection
        *server; /* the role that restores and swaps: admin-url's, else the same */
    const char *maintenance_database;
    const char *pg_bin;
    const char *run;
    const char *scratch_dir; /* for the schema archive; removed again */
    const struct database_facts *facts;
    bool accept_slots;
};

/* ERR_PREFLIGHT: message names what fails (extension, owner, right), hint what to grant, or
 * admin-url.  ERR_CONNECT, ERR_CANCELLED, ERR_CHILD (no tool), ERR_SYSTEM. */
MUST_CHECK bool drill(struct arena *a, const struct drill_spec *spec, struct err *e);

#endif
