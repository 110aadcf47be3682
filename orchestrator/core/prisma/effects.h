/*
 * effects.h - what the SQL of a migration can do to rows, by PostgreSQL's own parser.
 *
 * Used twice: to know the tables whose row counts a health check may blame on
 * the migration, and to prove that a failed run left nothing behind.
 */
#ifndef MIGSAFE_CORE_PRISMA_EFFECTS_H
#define MIGSAFE_CORE_PRISMA_EFFECTS_H

#include "base/str.h"

struct effects {
    bool parsed; /* false: a newer server's syntax, or broken; everything must be assumed */
    size_t statements;
    bool own_transaction;   /* contains BEGIN, COMMIT, ROLLBACK or the like */
    bool concurrently;      /* a statement that cannot run in a transaction block */
    bool any_rows;          /* some statement could write rows: INSERT/UPDATE/DELETE/TRUNCATE/COPY,
                               DO, CALL, SELECT of a function, CREATE TABLE AS, ... */
    bool anything;          /* DO, CALL or unparsed: every table counts as touched */
    struct strlist touched; /* "schema"."table" or "table" as written, plain text without quotes:
                               deleted from, truncated, dropped, updated */
    const char *first_statement; /* text of the first statement, or NULL */
};

struct effects effects_of(struct arena *a, const char *sql);
/* Is table (schema, name) touched?  A name without a schema in the SQL matches in default_schema.
 */
bool effects_touch(const struct effects *f, const char *schema, const char *name,
                   const char *default_schema);

#endif
