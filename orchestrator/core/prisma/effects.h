/*
 * effects.h - what the SQL of a migration can do to rows, by PostgreSQL's own parser.
 *
 * Used twice: to know the tables whose row counts a health check may blame on
 * the migration, and to prove that a failed run left nothing behind.  Where in
 * doubt it says yes: only statements known to leave rows alone do not set
 * any_rows.
 *
 * It reads text and asks no server.  So it does not see what triggers, rules and
 * ON DELETE CASCADE do to other tables, the table behind a view, or the
 * partitions behind their parent (ask for the parents too), and a SET
 * search_path of an earlier migration of the same run.
 */
#ifndef MIGSAFE_CORE_PRISMA_EFFECTS_H
#define MIGSAFE_CORE_PRISMA_EFFECTS_H

#include "base/str.h"

/* ALTER TABLE ... RENAME TO, SET SCHEMA and RENAME COLUMN, as written; a NULL schema is the one of
 * the path. */
struct effects_rename {
    const char *from_schema, *from_name;
    const char *column; /* of that table; NULL: the table itself */
    const char *to_schema, *to_name;
};

struct effects {
    bool parsed; /* false: a newer server's syntax, broken, or too long; all flags are true then */
    const char *why; /* it did not parse: "line 3: syntax error at ..."; else NULL */
    size_t statements;
    bool own_transaction;   /* contains BEGIN, COMMIT, ROLLBACK, SAVEPOINT or the like */
    bool concurrently;      /* a statement that cannot run in a transaction block */
    bool may_commit;        /* DO or CALL that may commit in its middle, when it is sent alone */
    bool any_rows;          /* some statement could write or lose rows or sequence values:
                               INSERT/UPDATE/DELETE/TRUNCATE/COPY, DROP TABLE or COLUMN, a change
                               of type, DO, CALL, SELECT of a function, CREATE TABLE AS, ... */
    bool anything;          /* DO, CALL, TRUNCATE CASCADE, SELECT of an unknown function, DROP of
                               a type CASCADE, or unparsed: every table counts as touched */
    bool any_schema;        /* it sets search_path: names without schema may be in any */
    struct strlist touched; /* "schema.table", "table" as written without quotes, or "schema.*":
                               deleted from, truncated, dropped, updated, with a column dropped or
                               its type changed; renamed ones under their old names too */
    struct strlist
        inserted; /* as touched: rows were put in, none of those that were there changed */
    bool unnamed; /* a statement that no table of ours names: it may write any */
    const struct effects_rename *renames; /* in their order */
    size_t rename_count;
    const char *first_statement; /* text of the first statement, or NULL */
};

struct effects effects_of(struct arena *a, const char *sql);
/* A table, or with column not NULL one of its columns. */
struct effects_name {
    const char *schema, *name, *column;
};
/* The name after the renames; false: what it is about, table or column, was not renamed. */
bool effects_renamed(const struct effects *f, struct effects_name *n, const char *default_schema);
/* Is table (schema, name) touched?  A name without a schema in the SQL matches in default_schema.
 */
bool effects_touch(const struct effects *f, const char *schema, const char *name,
                   const char *default_schema);

/* May it have written rows of the table, new ones too?  Every doubt is a yes. */
bool effects_write(const struct effects *f, const char *schema, const char *name,
                   const char *default_schema);

#endif
