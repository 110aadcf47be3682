/*
 * sql.h - SQL text taken apart by PostgreSQL's own parser.  The only header that knows libpg_query.
 *
 *     static bool visit(void *context, const struct sql_statement *s, struct err *e)
 *     {
 *         if (strcmp(s->kind, "TruncateStmt") == 0) ... json_find(s->node, "relations") ...
 *         return true;
 *     }
 *     if (!sql_each(a, script, visit, &context, e)) ...
 *
 * The library speaks the grammar of one major version (15 in Debian 12): what a
 * newer server understands may fail here, which says nothing about the script.
 * No server is asked; names are as written, nothing is looked up.
 *
 * While it parses, the library keeps the process's stderr to itself: do not log
 * from another thread meanwhile.
 */
#ifndef MIGSAFE_EXT_SQL_H
#define MIGSAFE_EXT_SQL_H

#include "base/arena.h"
#include "base/err.h"
#include "ext/json.h"

/* More is refused: trees are some hundred times as large as their text. */
enum { SQL_SCRIPT_MAX = 8 << 20, SQL_STATEMENT_MAX = 1 << 20 };

struct sql_statement {
    const char *text;        /* without comments and blanks before it and without its ";" */
    size_t line;             /* in the script, of its first word; from 1 */
    const char *kind;        /* node tag of PostgreSQL: "InsertStmt" */
    const struct json *node; /* its fields, as in PostgreSQL's parsenodes.h, without defaults */
};

/* False ends the walk with the error given.  node and kind are valid during the call only. */
typedef bool sql_visit_fn(void *context, const struct sql_statement *s, struct err *e);

/* The major version of PostgreSQL whose grammar this is: 15. */
int sql_parser_version(void);

/* Visits all statements in their order, after the whole script was found to parse.  Texts are in
 * the arena.  ERR_QUERY: a syntax error (err.sqlstate 42601; 42000 for what else that parser
 * refuses; the line in the message), or too long or too deeply nested for us (no sqlstate). */
MUST_CHECK bool sql_each(struct arena *a, const char *script, sql_visit_fn *visit, void *context,
                         struct err *e);

#endif
