/*
 * lost.h - what a kept database holds that the backup lacks: the writes since the snapshot.
 *
 * A report, never a verdict: what cannot be counted in time is a note.  Rows that
 * were deleted since show only as fewer rows and in the server's counters.
 */
#ifndef MIGSAFE_CORE_RESTORE_LOST_H
#define MIGSAFE_CORE_RESTORE_LOST_H

#include "core/backup/manifest.h"
#include "core/connection/connection.h"

struct lost_writes {
    const char *schema, *table;
    int64_t rows_now;                   /* in kept; -1: the table is gone there */
    int64_t rows_then;                  /* in the manifest; -1: it was not there */
    int64_t written;                    /* rows whose version is newer; -1 unknown */
    int64_t inserted, updated, deleted; /* counters since the snapshot; -1 unknown */
};

struct lost_spec {
    const struct connection *server; /* the role that counts */
    struct pg *maintenance;          /* opens the kept database and closes it again */
    const char *kept;
    const char *kept_oid; /* of another database than the backup's: only rows can be compared */
    const struct manifest *before;
    int64_t limit_ms; /* for all of it; 0: 2 min */
};

/* Tables with a difference in *items.  Returns why not everything could be counted, or NULL. */
const char *lost_count(struct arena *a, const struct lost_spec *spec, struct lost_writes **items,
                       size_t *count);

struct lost_look {
    struct pg *db; /* in the database; its statement_timeout is changed */
    const struct manifest *before;
    bool same_database; /* the backup is of it: transaction ids and counters can be compared */
    int64_t limit_ms;   /* 0: 2 min */
};

/* The same in a database that is open. */
const char *lost_count_in(struct arena *a, const struct lost_look *look, struct lost_writes **items,
                          size_t *count);

struct lost_table_look {
    struct pg *db;                 /* in the database that the backup is of */
    const struct manifest *before; /* that tells its snapshot_xmax */
    const char *schema, *table;
    bool partitioned;
};

/* Rows of one table that the backup lacks, or has with other values; at least so many, where a
 * transaction was running already when the snapshot was taken. */
MUST_CHECK bool lost_newer(struct arena *a, const struct lost_table_look *look, int64_t *newer,
                           struct err *e);

#endif
