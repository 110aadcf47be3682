/*
 * side.h - databases that migsafe makes beside the live one.
 *
 *   <db>__migsafe_<purpose>_<run>    side: restore, rehearsal, standby, verify, drill
 *   <db>__migsafe_kept_<run>         kept: the live database that a swap replaced
 *
 * Names are cut to 63 bytes with a hash of the live name when reducing or
 * cutting changed it.  A database is ours only by its comment, never by its
 * name: "migsafe <purpose> of <live> run <run> at <stamp>" (side_comment); a
 * kept one has its own former comment appended after a line break.
 */
#ifndef MIGSAFE_CORE_RESTORE_SIDE_H
#define MIGSAFE_CORE_RESTORE_SIDE_H

#include "core/schema/database.h"

char *side_name(struct arena *a, const char *live, const char *purpose, const char *run)
    RETURNS_NONNULL;

/* CREATE DATABASE from template0 with encoding and locale of `like`, owned by its owner where we
 * may, marked, closed to PUBLIC.  ERR_PREFLIGHT (42501: CREATEDB is missing), ERR_QUERY. */
MUST_CHECK bool side_create(struct arena *a, struct pg *maintenance, const char *name,
                            const char *purpose, const char *run, const struct database_facts *like,
                            struct err *e);
/* WITH (FORCE) from 13 on; no error when it is gone. */
MUST_CHECK bool side_drop(struct arena *a, struct pg *maintenance, const char *name, struct err *e);

struct side_database {
    const char *name, *oid, *purpose, *live, *run, *made_at; /* from the comment */
    int64_t bytes;
};
/* Those of `live` (NULL: of all), by their comments. */
MUST_CHECK bool side_list(struct arena *a, struct pg *maintenance, const char *live,
                          struct side_database **items, size_t *count, struct err *e);
/* "DROP DATABASE \"...\";" - kept ones are closed, dropping them needs nothing else. */
char *side_drop_command(struct arena *a, const char *name) RETURNS_NONNULL;

#endif
