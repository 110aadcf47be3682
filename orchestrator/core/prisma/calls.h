/*
 * calls.h - what the function calls in a parse tree can do.
 */
#ifndef MIGSAFE_CORE_PRISMA_CALLS_H
#define MIGSAFE_CORE_PRISMA_CALLS_H

#include "ext/json.h"

enum calls {
    CALLS_QUIET,   /* none, or only PostgreSQL's own that write nothing */
    CALLS_VALUES,  /* setval, nextval: a sequence's value */
    CALLS_UNKNOWN, /* a function of the user's: it may do anything */
};

/* The worst call anywhere below a node; NULL is quiet. */
enum calls calls_below(const struct json *node);
/* A FuncCall node: does it set search_path (set_config('search_path', ...))? */
bool calls_search_path(const struct json *call);
/* The last two words of a list of String nodes: schema (or NULL) and name (or NULL). */
const char *calls_list_name(const struct json *list, const char **schema);

#endif
