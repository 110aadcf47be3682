/*
 * snapshot.h - the catalogs of a database as sorted lines of text, to compare two moments.
 *
 * One line per object or property that DDL can change: relations with columns
 * (type, NOT NULL, default, generated, identity), indexes with validity,
 * constraints with validity, sequences' definition, types and enum labels, views,
 * functions, triggers with their state, rules, policies, extensions, schemas,
 * owners, ACLs, comments.  Not the data, not OIDs, not the ledger's rows (its
 * table is a table like any other), not what core/schema/database.h has.
 * Columns count by their order, not their number: what was dropped leaves no trace.
 *
 * Temporary objects are left out; an extension is one line, with its version,
 * and its members none.  Reading a view's definition locks its tables ACCESS
 * SHARE: give the session a lock_timeout.
 */
#ifndef MIGSAFE_CORE_SCHEMA_SNAPSHOT_H
#define MIGSAFE_CORE_SCHEMA_SNAPSHOT_H

#include "base/str.h"
#include "ext/pg.h"

struct snapshot {
    struct strlist lines; /* sorted: column public."User".email text not null; line ends as \n */
    const char *digest;   /* SHA-256 of all lines */
};

/* One statement, so one moment; works inside a transaction too.  Leaves jit off in the session. */
MUST_CHECK bool snapshot_take(struct arena *a, struct pg *db, struct snapshot *s, struct err *e);
bool snapshot_equal(const struct snapshot *a, const struct snapshot *b);
/* Up to max lines "+ ..." and "- ...", sorted by what follows; then "and N more" when there are. */
struct strlist snapshot_difference(struct arena *a, const struct snapshot *before,
                                   const struct snapshot *after, size_t max);

#endif
