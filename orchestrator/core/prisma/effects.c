#include "core/prisma/effects.h"

#include "core/prisma/calls.h"
#include "core/prisma/statement.h"
#include "ext/sql.h"

/* Statements inside a statement, and its function calls.  Depth is limited by ext/json. */
static void look_inside(struct statement_walk *w, const struct json *node)
{
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        const char *key = json_is_object(node) ? json_key(child) : "";
        const struct statement_kind *kind = statement_kind(key);
        if (strcmp(key, "FuncCall") == 0 && calls_search_path(child))
            w->f->any_schema = true;
        /* The calls of a SELECT were counted with the statement around it. */
        if (kind != NULL && kind->look != NULL && strcmp(key, "SelectStmt") != 0)
            kind->look(w, child);
        look_inside(w, child);
    }
}

static bool visit(void *context, const struct sql_statement *s, struct err *e UNUSED)
{
    struct statement_walk *w = context;
    const struct statement_kind *kind = statement_kind(s->kind);
    if (w->f->statements++ == 0)
        w->f->first_statement = s->text;
    if (kind == NULL)
        w->f->any_rows = w->f->unnamed = true;
    else if (kind->look != NULL)
        kind->look(w, s->node);
    if (kind != NULL && kind->inside)
        look_inside(w, s->node);
    return true;
}

/* A table that was renamed before it was touched has its old name in the backup. */
static void add_old_names(struct statement_walk *w)
{
    for (size_t i = w->rename_count; i-- > 0;) {
        const struct effects_rename *r = &w->renames[i];
        const char *to = statement_name(w->arena, r->to_schema, r->to_name);
        const char *from = statement_name(w->arena, r->from_schema, r->from_name);
        if (r->column == NULL && strlist_has(&w->f->touched, to))
            statement_touch(w, from);
        if (r->column == NULL && strlist_has(&w->f->inserted, to))
            strlist_add(&w->f->inserted, from);
    }
}

struct effects effects_of(struct arena *a, const char *sql)
{
    struct effects f = {.parsed = true, .touched = strlist_on(a), .inserted = strlist_on(a)};
    struct statement_walk w = {.arena = a, .f = &f};
    struct err e = {0};
    if (!sql_each(a, sql, visit, &w, &e)) {
        f.parsed = false;
        f.why = arena_strdup(a, e.message);
        f.own_transaction = f.concurrently = f.any_rows = f.anything = f.any_schema = true;
        f.unnamed = f.may_commit = true;
    }
    add_old_names(&w);
    f.renames = w.renames;
    f.rename_count = w.rename_count;
    return f;
}

bool effects_renamed(const struct effects *f, struct effects_name *n, const char *default_schema)
{
    bool table = false, column = false;
    for (size_t i = 0; i < f->rename_count; i++) {
        const struct effects_rename *r = &f->renames[i];
        bool there = r->from_schema == NULL ? f->any_schema || str_same(n->schema, default_schema)
                                            : strcmp(r->from_schema, n->schema) == 0;
        if (!there || strcmp(r->from_name, n->name) != 0)
            continue;
        if (r->column == NULL) {
            n->schema = r->to_schema == NULL ? n->schema : r->to_schema;
            n->name = r->to_name;
            table = true;
        } else if (str_same(r->column, n->column)) {
            n->column = r->to_name;
            column = true;
        }
    }
    return n->column == NULL ? table : column;
}

static bool names(const struct effects *f, const struct strlist *list, const struct effects_name *n,
                  const char *default_schema)
{
    AUTO(arena) struct arena *a = arena_new();
    bool bare = f->any_schema || str_same(n->schema, default_schema);
    return (bare && strlist_has(list, n->name)) ||
           strlist_has(list, statement_name(a, n->schema, n->name)) ||
           strlist_has(list, statement_name(a, n->schema, "*"));
}

bool effects_touch(const struct effects *f, const char *schema, const char *name,
                   const char *default_schema)
{
    const struct effects_name n = {.schema = schema, .name = name};
    return f->anything || names(f, &f->touched, &n, default_schema);
}

bool effects_write(const struct effects *f, const char *schema, const char *name,
                   const char *default_schema)
{
    const struct effects_name n = {.schema = schema, .name = name};
    return effects_touch(f, schema, name, default_schema) || f->unnamed ||
           names(f, &f->inserted, &n, default_schema);
}
