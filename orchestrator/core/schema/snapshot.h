/*
 * snapshot.h - the catalogs of a database as sorted lines of text, to compare two moments.
 *
 * One line per object or property that DDL can change: relations with columns
 * (type, NOT NULL, default, generated, identity), indexes with validity,
 * constraints with validity, sequences' definition, types and enum labels, views,
 * functions, triggers with their state, rules, policies, extensions, schemas,
 * owners, ACLs, comments.  Not the data, not OIDs, not the ledger's rows.
 */
#ifndef MIGSAFE_CORE_SCHEMA_SNAPSHOT_H
#define MIGSAFE_CORE_SCHEMA_SNAPSHOT_H

#include "base/str.h"
#include "ext/pg.h"

struct snapshot {
    struct strlist lines; /* sorted: "column public.User.email text not null" */
    const char *digest;   /* SHA-256 of all lines */
};

MUST_CHECK bool snapshot_take(struct arena *a, struct pg *db, struct snapshot *s, struct err *e);
bool snapshot_equal(const struct snapshot *a, const struct snapshot *b);
/* Up to max lines "+ ..." and "- ...". */
struct strlist snapshot_difference(struct arena *a, const struct snapshot *before,
                                   const struct snapshot *after, size_t max);

#endif
