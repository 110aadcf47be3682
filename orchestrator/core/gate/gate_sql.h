/*
 * gate_sql.h - the rules that read the SQL of pending migrations, by PostgreSQL's own parser.
 *
 *   drop-table, drop-column   loses the values that are there now: counted
 *   renamed-column            DROP and ADD of a column of the same type: a rename that loses values
 *   rows-lost                 TRUNCATE, or DELETE without WHERE, of a table with rows
 *   global-effect             reaches past the database: roles, ALTER SYSTEM, another database,
 *                             tablespaces, dblink, http, COPY to a program or file
 *   concurrently              CONCURRENTLY (or another statement that allows no transaction) beside
 *                             other statements: fails where the file is sent whole
 *   does-not-parse            neither this parser nor, perhaps, the server understands the file
 *
 * Nothing is found on a table that is absent, empty, or made by the same pending set.  A table or
 * column that the pending set renames is followed to the name that it has now.  Values are counted
 * where the statement would lose them: rows of the table, values of the column that are not NULL.
 */
#ifndef MIGSAFE_CORE_GATE_SQL_H
#define MIGSAFE_CORE_GATE_SQL_H

#include "core/health/finding.h"
#include "core/prisma/migrations.h"
#include "ext/pg.h"

enum gate_sending { /* how the project's Prisma gives a file to the server: docs/PRISMA.md */
                    GATE_SENT_UNKNOWN,
                    GATE_SENT_WHOLE, /* up to 7.3: one simple query, so one transaction */
                    GATE_SENT_SPLIT, /* 7.4 and later: statement by statement */
};

struct gate_sql_context {
    const struct migration *const *pending; /* in their order; sql may be NULL */
    size_t count;
    struct pg *db; /* NULL: nothing can be counted; what may lose values is a warning */
    bool stand_in; /* an empty table proves nothing: a warning instead of nothing */
    const char *default_schema;
    enum gate_sending sending;
    /* The migrations before the pending ones, or NULL: their ADD and CREATE tell types of columns
     * where no database does, so that renamed-column is told from drop-column. */
    const struct migration *const *earlier;
    size_t earlier_count;
};

/* Adds findings with file and line.  ERR_QUERY, ERR_CONNECT, ERR_TIMEOUT, ERR_CANCELLED. */
MUST_CHECK bool gate_sql(struct arena *a, const struct gate_sql_context *c, struct findings *found,
                         struct err *e);
/* The rules as rows of a Markdown table. */
void gate_sql_list(FILE *to);

#endif
