/*
 * side.h - databases that migsafe makes beside the live one.
 *
 *   <db>__migsafe_<purpose>_<run>    side: restore, rehearsal, standby, verify, drill
 *   <db>__migsafe_kept[_2]_<run>     kept: the live database that a swap replaced
 *
 * Names are plain identifiers of at most 63 bytes, with a hash of the live name
 * when reducing or cutting changed it.  A database is ours only by its comment,
 * never by its name: "migsafe <purpose> of <live> run <run> at <stamp>"
 * (side_comment); a kept one has its own former comment appended after a line
 * break.
 */
#ifndef MIGSAFE_CORE_RESTORE_SIDE_H
#define MIGSAFE_CORE_RESTORE_SIDE_H

#include "core/schema/database.h"

char *side_name(struct arena *a, const char *live, const char *purpose, const char *run)
    RETURNS_NONNULL;
/* A name for the kept database of a run that no database has: one whose swap was undone by hand has
 * kept one already. */
MUST_CHECK bool side_kept_name(struct arena *a, struct pg *maintenance, const char *live,
                               const char *run, const char **name, struct err *e);
/* The mark, dated now; former (the comment of a database that is kept) may be NULL. */
char *side_comment(struct arena *a, const char *purpose, const char *live, const char *run,
                   const char *former) RETURNS_NONNULL;

struct side_spec {
    const char *name, *purpose, *run;
    const struct database_facts *like; /* like->name: the live database, for the mark */
};
/* CREATE DATABASE from template0 with encoding, locale and tablespace of `like`, marked, closed to
 * PUBLIC, owned by the creating role: database_apply gives it its owner when it is filled.
 * ERR_PREFLIGHT (42501: the hint says what to grant), ERR_QUERY. */
MUST_CHECK bool side_create(struct arena *a, struct pg *maintenance, const struct side_spec *spec,
                            struct err *e);
/* The same as a copy of database `from`, which nobody may use meanwhile and which the creating role
 * must own.  by_files: by copying files instead of writing everything into the WAL (PostgreSQL 15
 * and later; before it was the only way), at the price of two checkpoints.  What lies outside of a
 * dump is not copied.  ERR_QUERY (55006: in use; 42501), ERR_TIMEOUT. */
MUST_CHECK bool side_copy(struct arena *a, struct pg *maintenance, const struct side_spec *spec,
                          const char *from, bool by_files, struct err *e);
/* May anybody connect to it?  Sessions that are there stay. */
MUST_CHECK bool side_allow(struct arena *a, struct pg *maintenance, const char *name, bool allow,
                           struct err *e);
/* Ends its sessions first; no error when it is gone.  Refuses (ERR_INTERNAL) what neither its
 * comment nor its name calls ours. */
MUST_CHECK bool side_drop(struct arena *a, struct pg *maintenance, const char *name, struct err *e);

/* The same when the work in it has ended, well (ok) or not: under a shield, and where it ended
 * badly that stays the error.  Returns ok, unless it could not be dropped. */
MUST_CHECK bool side_drop_after(struct arena *a, struct pg *maintenance, const char *name, bool ok,
                                struct err *e);

struct side_database {
    const char *name, *oid;
    const char *purpose, *live, *run, *made_at; /* from the comment */
    const char *former_comment;                 /* of a kept database; NULL: none */
    int64_t bytes;                              /* -1: this role may not ask */
    bool open;                                  /* allows connections: a kept one should not */
};
/* Those of `live` (NULL: of all), by their comments, oldest first. */
MUST_CHECK bool side_list(struct arena *a, struct pg *maintenance, const char *live,
                          struct side_database **items, size_t *count, struct err *e);
/* Reads a mark; false when the comment is none of ours (or NULL). */
bool side_parse(struct arena *a, const char *comment, struct side_database *out);
/* "DROP DATABASE \"...\";" - kept ones are closed, dropping them needs nothing else. */
char *side_drop_command(struct arena *a, const char *name) RETURNS_NONNULL;

#endif
