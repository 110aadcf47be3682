/*
 * wrote.h - did others write into live since the run's backup?
 *
 * Every table is compared with the manifest (core/restore/lost.h): rows by their
 * number, by versions newer than the snapshot, by the server's counters.  What
 * differs was written by others, unless statements of the run's migrations name the
 * table and may write rows: then its rows may be theirs, and only transactions from
 * before Prisma was started, or more of them than there are such statements, tell of
 * others.
 *
 * Not seen: so few writes of others to such a table, and deletes in it.  What cannot be
 * counted is said to be unknown, which is judged as written.
 */
#ifndef MIGSAFE_CORE_RECOVER_WROTE_H
#define MIGSAFE_CORE_RECOVER_WROTE_H

#include "core/backup/manifest.h"
#include "core/prisma/migrations.h"

struct wrote_spec {
    struct pg *live; /* a session for this alone: its timeouts are changed */
    const struct manifest *before;
    const char *live_oid;
    const struct migration_list *migrations; /* of the run; empty: not known, or none */
    const char *xid;  /* the first transaction that may be theirs, 64 bits; NULL: any may be */
    int64_t limit_ms; /* 0: 2 min */
};

struct wrote {
    struct strlist tables; /* "public.User (3 rows)" */
    const char *unknown;   /* why not everything could be seen, or NULL */
};

void wrote_look(struct arena *a, const struct wrote_spec *spec, struct wrote *w);
/* Is the name in the SQL, as a word in whatever capitals?  A pure function. */
bool wrote_names(const char *sql, const char *name);

/* How many statements of them name the table and may write rows of it.  A pure function. */
int64_t wrote_statements(struct arena *a, const struct migration_list *list, const char *table);

#endif
