/*
 * rows.h - the rows of a backup into a database whose tables are there and empty, by parallel
 * COPY, also inside one table.
 *
 * `jobs` sessions take what is to be loaded, largest first.  A table is one piece, loaded in one
 * transaction that empties it first, so that its rows can be written frozen: no later pass
 * has to touch its pages again; small ones share a transaction, and what has no rows is not
 * touched.  One that would keep a single session busy when the others have
 * nothing left is loaded in pieces that begin where members of its file do.
 *
 * Indexes of large tables are made by the same sessions, where that is asked for (own_index.h).
 *
 * Then it is judged by the number of rows that the server took.
 */
#ifndef MIGSAFE_CORE_RESTORE_ROWS_H
#define MIGSAFE_CORE_RESTORE_ROWS_H

#include "core/backup/progress.h"
#include "core/backup/store.h"
#include "core/backup/toc.h"
#include "core/connection/connection.h"

struct rows_spec {
    const struct connection *to; /* the database */
    const struct stored *backup;
    const struct toc *toc;     /* of its archive; NULL: it has none that we can read */
    struct progress *progress; /* begun; or NULL */
    bool *analyzed; /* by table of the manifest: set where its statistics are made as soon
                     * as its rows are there; NULL: of none */
    bool *made;     /* by entry of toc: set where an index of a large table was made, as soon
                     * as its rows were there; NULL: of none */
    int jobs;
};

/* ERR_DAMAGED (a file, or a number of rows that is not the manifest's: names table and both
 * numbers), ERR_QUERY (names the table, and the index), ERR_CONNECT, ERR_CANCELLED. */
MUST_CHECK bool rows_load(struct arena *a, const struct rows_spec *spec, struct err *e);
/* The same in an open session and its transaction: one table after another. */
MUST_CHECK bool rows_load_within(struct arena *a, struct pg *db, const struct rows_spec *spec,
                                 struct err *e);

#endif
