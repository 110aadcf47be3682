/*
 * replay.h - lost-writes.sql.gz (lost_rows.h) into a database: a trial that is rolled
 * back, then the same for good.
 *
 *     struct replay *r = replay_open(a, &spec, e)       loads the rows into temporary tables
 *     replay_run(r, false, &result, e)                  what would be done
 *     replay_run(r, true, &result, e)                   one transaction, all or nothing
 *
 * The file is read by its own rule: a line is a comment, a command of psql's (passed
 * over) or one statement; after COPY ... FROM stdin; come rows up to \.; comments
 * "-- migsafe: WORD" divide it.
 */
#ifndef MIGSAFE_CORE_RESTORE_REPLAY_H
#define MIGSAFE_CORE_RESTORE_REPLAY_H

#include "core/connection/connection.h"

struct replay_spec {
    const struct connection *to; /* live, as the role that writes */
    const char *path;
    bool include_migrated;
    int64_t lock_timeout_ms;
    /* The transaction is about to commit, its id as txid_current() has it; false: do not.  Or NULL.
     */
    bool (*committing)(void *context, const char *transaction, struct err *e);
    void *context;
};

enum { REPLAY_INSERT, REPLAY_UPDATE, REPLAY_DELETE, REPLAY_KINDS };

/* Rows of a part of a table.  What is neither there nor done is a conflict. */
struct replay_table {
    const char *table;
    bool of_migration;
    int64_t rows[REPLAY_KINDS];  /* in the file */
    int64_t there[REPLAY_KINDS]; /* live had them so already */
    int64_t done[REPLAY_KINDS];
};

struct replay_result {
    struct replay_table *tables; /* those of parts that are not asked for too: nothing is done */
    size_t count;
    int64_t rows, there, done, conflicts; /* of the parts asked for */
    int64_t left_out;                     /* rows of parts that are not */
};

struct replay;
void replay_close(struct replay *r); /* accepts NULL */
DEFINE_AUTO(replay, struct replay *, replay_close);

/* NULL: ERR_NOT_FOUND, ERR_DAMAGED (the file), ERR_CONNECT, ERR_QUERY (a row does not fit the
 * schema as it is now: names the line). */
MUST_CHECK struct replay *replay_open(struct arena *a, const struct replay_spec *spec,
                                      struct err *e);
/* commit: sequences too, which no rollback takes back.  ERR_TIMEOUT (a lock), ERR_QUERY,
 * ERR_CONNECT: nothing of it stays; only when the connection is lost in COMMIT nobody knows, and
 * doing it again does no harm. */
MUST_CHECK bool replay_run(struct replay *r, bool commit, struct replay_result *result,
                           struct err *e);

#endif
