/*
 * pg.h - a session with PostgreSQL.  The only header that knows libpq.
 *
 *     struct pg_rows rows;
 *     if (!pg_query(a, db, "SELECT oid FROM pg_database WHERE datname = $1",
 *                   PG_ARGS(name), &rows, e)) return false;
 *     const char *oid = rows.count ? pg_cell(&rows, 0, "oid") : NULL;
 *
 * Every session starts with search_path '' (pg_catalog only: write public.t),
 * UTF-8 (or the encoding asked for), an application_name and the timeouts of its pg_params,
 * and may write whatever the database's default_transaction_read_only is (core/fence).
 * Values travel as parameters, always as text; pg_ident() is the one way to put
 * a name into SQL text, pg_literal() the one for values where the grammar takes
 * no parameter (utility commands).
 *
 * Every wait polls with a deadline and sees a stop request (base/stop): the
 * statement is cancelled on the server before the error comes back.
 */
#ifndef MIGSAFE_EXT_PG_H
#define MIGSAFE_EXT_PG_H

#include "base/arena.h"
#include "base/err.h"

struct pg; /* an open session */

/* libpq connection keywords; a NULL value is left out. */
struct pg_keyword {
    const char *name, *value;
};

struct pg_params {
    const struct pg_keyword *keywords; /* ends with a NULL name */
    int connect_timeout_ms;            /* 0: 10 s */
    int statement_timeout_ms;          /* of the server; 0: none */
    int lock_timeout_ms;               /* 0: none */
    int query_deadline_ms;             /* ours, when the server hangs; 0: none */
};

/* A whole result in the arena: for catalogs, not for bulk data. */
struct pg_rows {
    size_t count, columns;
    const char **names;
    const char **cells; /* row after row; NULL is SQL's NULL */
};

struct pg_args {
    size_t count;
    const char *const *values;
};
#define PG_NONE ((struct pg_args){0, NULL})
#define PG_ARGS(...)                                                            \
    ((struct pg_args){.count = ARRAY_LEN(((const char *const[]){__VA_ARGS__})), \
                      .values = (const char *const[]){__VA_ARGS__}})

void pg_close(struct pg *db); /* accepts NULL; cancels what still runs */
DEFINE_AUTO(pg, struct pg *, pg_close);

/* NULL on failure: ERR_CONNECT with the server's or libpq's words (err.sqlstate when the server
 * answered: 28P01 wrong password, 3D000 no such database), or ERR_CANCELLED. */
MUST_CHECK struct pg *pg_open(const struct pg_params *params, struct err *e);

/* One statement with parameters.  False: ERR_QUERY with err.sqlstate and the server's detail and
 * hint; ERR_CONNECT when the connection was lost; ERR_TIMEOUT; ERR_CANCELLED. */
MUST_CHECK bool pg_query(struct arena *a, struct pg *db, const char *sql, struct pg_args args,
                         struct pg_rows *rows, struct err *e);
/* Statements without parameters and without a result of interest; may be several at once. */
MUST_CHECK bool pg_exec(struct pg *db, const char *sql, struct err *e);
/* As pg_exec, from a format: put names in with pg_ident(), values with pg_literal(). */
MUST_CHECK bool pg_execf(struct pg *db, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The single value of a one-row, one-column query; NULL is ERR_QUERY or SQL's NULL is "". */
MUST_CHECK const char *pg_value(struct arena *a, struct pg *db, const char *sql,
                                struct pg_args args, struct err *e);

/* Starts a statement without waiting; pg_finish waits for its end.  Between the two other
 * sessions may be used: the swap needs it. */
MUST_CHECK bool pg_start(struct pg *db, const char *sql, struct err *e);
MUST_CHECK bool pg_finish(struct pg *db, struct err *e);
/* True when the started statement has ended (pg_finish will not wait). */
bool pg_is_done(struct pg *db);

/* COPY ... TO STDOUT; statements before it in the same text are run first.  Then pg_copy_row until
 * *n is 0.  Deadlines of the session count from row to row. */
MUST_CHECK bool pg_copy_out(struct pg *db, const char *sql, struct err *e);
/* One row with its line end, valid until the next call.  *n 0: the end, and the statement has
 * succeeded; *rows is what the server says it sent. */
MUST_CHECK bool pg_copy_row(struct pg *db, const char **row, size_t *n, int64_t *rows,
                            struct err *e);
/* COPY ... FROM STDIN: begin, send text in any pieces, end.  Whoever cannot go on calls
 * pg_copy_abort: nothing of it stays.  A failure of send or done is the end of the COPY too. */
MUST_CHECK bool pg_copy_in(struct pg *db, const char *sql, struct err *e);
MUST_CHECK bool pg_copy_send(struct pg *db, const char *bytes, size_t n, struct err *e);
MUST_CHECK bool pg_copy_done(struct pg *db, int64_t *rows, struct err *e);
void pg_copy_abort(struct pg *db);

/* The cell, NULL for SQL's NULL; the column must exist (assert). */
const char *pg_cell(const struct pg_rows *rows, size_t row, const char *column);
int64_t pg_cell_int(const struct pg_rows *rows, size_t row, const char *column); /* NULL: 0 */
bool pg_cell_bool(const struct pg_rows *rows, size_t row, const char *column);   /* NULL: false */

int pg_backend_pid(const struct pg *db);
int pg_server_version(const struct pg *db); /* 150018 */
bool pg_is_alive(const struct pg *db);      /* as far as the last use tells */

char *pg_ident(struct arena *a, const char *name) RETURNS_NONNULL;
/* "schema"."name" */
char *pg_ident2(struct arena *a, const char *schema, const char *name) RETURNS_NONNULL;
char *pg_literal(struct arena *a, const char *text) RETURNS_NONNULL; /* NULL gives NULL */
/* An array parameter's text: {"a","b"}. */
char *pg_array(struct arena *a, const char *const *items, size_t count) RETURNS_NONNULL;

#endif
