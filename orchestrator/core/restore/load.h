/*
 * load.h - the text of a backup's data file into a table, by COPY.
 *
 *     load_session(db, m, e)
 *     .copy = load_copy(a, m, pg_ident2(a, schema, name), load_columns(a, t), NULL)
 *     load_text(db, &spec, &rows, e)
 */
#ifndef MIGSAFE_CORE_RESTORE_LOAD_H
#define MIGSAFE_CORE_RESTORE_LOAD_H

#include "core/backup/manifest.h"
#include "core/backup/progress.h"
#include "ext/pg.h"

struct load_spec {
    const char *folder; /* of the backup */
    const struct manifest_table *table;
    int64_t from, to; /* offsets of table->members; to -1: the end of the file */
    const char *copy; /* COPY ... FROM STDIN (load_copy); statements may stand before it */
    /* Changes text on its way: appends to `out` what is to be sent instead.  Pieces end anywhere;
     * at the end it is called once with n 0.  NULL: all of it as it is. */
    bool (*change)(void *context, const char *text, size_t n, struct str *out, struct err *e);
    void *context;
    struct progress
        *progress; /* is told the bytes of text as they are read, not the rows; or NULL */
};

/* The end mark of COPY text (\.) in the file is not sent.  *rows: what the server took.
 * ERR_DAMAGED (the file; names it and the table), ERR_QUERY (a row; names the table). */
MUST_CHECK bool load_text(struct pg *db, const struct load_spec *spec, int64_t *rows,
                          struct err *e);

/* "(a, b)" of the columns that a data file has, in its order; "" for a table without any. */
char *load_columns(struct arena *a, const struct manifest_table *t) RETURNS_NONNULL;
/* COPY target columns FROM STDIN, in the encoding that the manifest's data files have whatever the
 * session's is (names stay UTF-8).  target: quoted; options: "FREEZE", or NULL. */
char *load_copy(struct arena *a, const struct manifest *m, const char *target, const char *columns,
                const char *options) RETURNS_NONNULL;
/* A session of a loader: may write, timeouts off, synchronous_commit off, money as the data files
 * of the manifest have it. */
MUST_CHECK bool load_session(struct pg *db, const struct manifest *m, struct err *e);
/* Foreign keys are checked, also where role or database say session_replication_role = replica.
 * ERR_QUERY: this role may not see to that. */
MUST_CHECK bool load_checked(struct pg *db, struct err *e);
/* Reads and writes money in that locale from now on.  A setting of its database, which a side
 * database does not have yet.  False: the server does not know the locale, or it is NULL; values of
 * type money may fail then. */
bool load_money(struct pg *db, const char *lc_monetary);

#endif
