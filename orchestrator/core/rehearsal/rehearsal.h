/*
 * rehearsal.h - the migration on a restored copy, before production is touched.
 *
 * The backup just taken is restored into a side database (which proves it); that
 * is kept untouched as the standby of the way back, copied by CREATE DATABASE ...
 * TEMPLATE where it may be, and the same Prisma is run on the copy.  What it did
 * is measured: seconds, locks, tables rewritten, WAL.
 */
#ifndef MIGSAFE_CORE_REHEARSAL_H
#define MIGSAFE_CORE_REHEARSAL_H

#include "base/str.h"
#include "ext/json.h"

struct rehearsal_lock {       /* the longest that a lock of this level was held on a table */
    const char *table, *mode; /* "public.\"User\"", "AccessExclusiveLock" */
    int64_t held_ms;          /* as sampled: at least this, at most two samples more */
    bool blocks_writes, blocks_reads;
};

struct rehearsal_migration {
    const char *name;
    int64_t elapsed_ms; /* by the ledger's times */
};

struct rehearsal_table { /* one that was there before and has another file now */
    const char *table;
    int64_t bytes_before, bytes_after;
};

struct rehearsal {   /* what was measured */
    bool done;       /* Prisma ran to an end on the copy; false: not rehearsed, why tells */
    const char *why; /* NULL: it has not come to that */
    int64_t restore_ms, copy_ms, migrate_ms, total_ms;
    struct rehearsal_migration *migrations;
    size_t migration_count;
    struct rehearsal_lock *locks; /* of tables and indexes that were there before; longest first */
    size_t lock_count;
    struct rehearsal_table *rewritten;
    size_t rewritten_count;
    int64_t wal_bytes;   /* of the whole server meanwhile: at most; -1: unknown */
    int64_t blocking_ms; /* estimate: how long writers of a table will wait in production */
    int64_t sample_ms;   /* the longest gap between two looks at the locks */
    const char *standby, *standby_oid; /* the untouched proven copy, or NULL */
    const char *no_standby;            /* why there is none, though it was rehearsed; or NULL */
};

void rehearsal_json(const struct rehearsal *r, struct json *to);
/* What rehearsal_json wrote; texts are copied. */
struct rehearsal rehearsal_from_json(struct arena *a, const struct json *j);
/* For reports and logs; a line that starts with two blanks belongs to the one before. */
struct strlist rehearsal_lines(struct arena *a, const struct rehearsal *r);

#endif
