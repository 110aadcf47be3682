/*
 * statement.h - what one statement of a migration can do to rows: the inside of effects.c.
 *
 * One table of PostgreSQL's statements.  What is not in it may write rows.
 */
#ifndef MIGSAFE_CORE_PRISMA_STATEMENT_H
#define MIGSAFE_CORE_PRISMA_STATEMENT_H

#include "core/prisma/effects.h"
#include "ext/json.h"

struct statement_walk {
    struct arena *arena;
    struct effects *f; /* filled */
    struct effects_rename *renames;
    size_t rename_count, rename_size;
};

struct statement_kind {
    const char *name;                                                /* "InsertStmt" */
    void (*look)(struct statement_walk *w, const struct json *node); /* NULL: leaves rows alone */
    bool inside; /* statements in it are run too: common table expressions, EXPLAIN ANALYZE */
};

/* NULL: not in the table. */
const struct statement_kind *statement_kind(const char *name);

void statement_touch(struct statement_walk *w, const char *name); /* NULL name: some table */
/* "schema.name", or the name alone without a schema. */
const char *statement_name(struct arena *a, const char *schema, const char *name);

#endif
