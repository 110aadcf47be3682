/*
 * lost_rows.h - the writes that a rollback took out of live, as SQL that brings them back.
 *
 * The kept database (what live was) against the rows of the backup that live was made of,
 * table by table, by primary key: exact, whatever is written to live meanwhile.  Rows
 * only in kept are INSERTs, other values are UPDATEs, rows only in the backup are DELETEs,
 * written for the schema that live has now; columns that kept lacks, or has with another
 * type, are left out and named.  Tables without a primary key are compared as whole
 * rows.  Only tables that lost_count says were written are read.
 *
 * A table's file is loaded into a temporary table of the kept database and compared
 * there: it needs room for that, and as long as the restore of these tables took.
 *
 * Rows of tables that the failed migration itself writes (effects.h, foreign keys that
 * cascade, triggers) cannot be told from those of others when they were written while it
 * ran: they stand in a part of their own that is not applied unless asked for.
 *
 * The file is plain SQL, gzipped: psql takes it too.  No statement of it changes a row
 * that is not as the backup had it: what others wrote to live since stays (docs/LOST_WRITES.md).
 * replay.h reads it.
 */
#ifndef MIGSAFE_CORE_RESTORE_LOST_ROWS_H
#define MIGSAFE_CORE_RESTORE_LOST_ROWS_H

#include "core/backup/store.h"
#include "core/connection/connection.h"
#include "core/prisma/effects.h"
#include "core/restore/lost.h"

#define LOST_ROWS_FILE "lost-writes.sql.gz"

/* What a run knows of its migration; of a restore without one, all zero but path. */
struct lost_rows_wish {
    const char *path; /* in the run's folder */
    const struct effects *effects;
    size_t effect_count;
    const char *default_schema;
    /* Transactions from `from` on, before `to`, may be the migration's: 64 bits as text.  NULL
     * from: it may be any; NULL to: any since. */
    const char *from, *to;
    int64_t limit_ms; /* 0: 10 min */
};

struct lost_rows_spec {
    const struct lost_rows_wish *wish;
    const struct connection *server; /* the role that reads both */
    struct pg *maintenance;          /* opens the kept database and closes it again */
    const char *kept, *live;
    const char *kept_oid;             /* of another database than the backup's: tables go by name */
    const struct stored *backup;      /* that live was restored from */
    const struct lost_writes *tables; /* of lost_count */
    size_t table_count;
    bool all_tables; /* not only those: something could not be counted, or not be compared */
    const char *run;
};

struct lost_rows_table {
    const char *schema, *table; /* as live calls it */
    int64_t inserts, updates, deletes;
    bool of_migration; /* may be the migration's own writes */
    const char *note;  /* what of it is not in the file, and why; or NULL */
};

struct lost_rows {
    const char *path;               /* NULL: nothing was lost, no file */
    const char *run;                /* whose folder it is in */
    struct lost_rows_table *tables; /* one for each part of a table */
    size_t count;
    const char *note; /* why it is not complete, or NULL */
};

/* lost_writes_file, lost_rows, lost_rows_note. */
void lost_rows_json(const struct lost_rows *r, struct json *to);
/* Never fails a rollback: what cannot be written is a note. */
void lost_rows_write(struct arena *a, const struct lost_rows_spec *spec, struct lost_rows *result);

#endif
