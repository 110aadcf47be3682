#include "core/gate/gate_names.h"

static const char temporary[] = "pg_temp";

/* Could both be the same schema?  NULL is any. */
static bool may_be(const char *a, const char *b)
{
    return a == NULL || b == NULL || strcmp(a, b) == 0;
}

static struct gate_table *alive(struct gate_table *list, const char *schema, const char *name)
{
    for (struct gate_table *t = list; t != NULL; t = t->next)
        if (!t->gone && strcmp(t->name, name) == 0 && may_be(t->schema, schema))
            return t;
    return NULL;
}

/* Of the schemas of the search path in their order; temporary tables hide all others. */
static struct gate_table *alive_bare(const struct gate_names *n, struct gate_table *list,
                                     const char *name)
{
    for (struct gate_table *t = list; t != NULL; t = t->next)
        if (!t->gone && str_same(t->schema, temporary) && strcmp(t->name, name) == 0)
            return t;
    if (n->path == NULL)
        return alive(list, NULL, name);
    for (size_t i = 0; i < n->path->count; i++) {
        struct gate_table *t = alive(list, n->path->items[i], name);
        if (t != NULL)
            return t;
    }
    return NULL;
}

/* Something had this name today and has been renamed, moved or dropped since. */
static bool has_left(const struct gate_table *list, const char *schema, const char *name)
{
    for (const struct gate_table *t = list; t != NULL; t = t->next)
        if (t->was_name != NULL && strcmp(t->was_name, name) == 0 && may_be(t->was_schema, schema))
            return true;
    return false;
}

static struct gate_table *add(struct gate_names *n, struct gate_table **list,
                              struct gate_table values)
{
    struct gate_table *t = ARENA_NEW(n->arena, struct gate_table);
    *t = values;
    t->next = *list;
    *list = t;
    return t;
}

/* The one schema that a name without one means; NULL: one of several. */
static const char *bare_schema(const struct gate_names *n)
{
    return n->path != NULL && n->path->count == 1 ? n->path->items[0] : NULL;
}

const char *gate_schema_today(const struct gate_names *n, const char *schema)
{
    for (const struct gate_schema *s = n->schemas; s != NULL; s = s->next)
        if (strcmp(s->name, schema) == 0)
            return s->was;
    return schema;
}

static struct gate_table *find(struct gate_names *n, struct gate_table **list, const char *schema,
                               const char *name)
{
    struct gate_table *t = schema == NULL ? alive_bare(n, *list, name) : alive(*list, schema, name);
    if (t != NULL)
        return t;
    const char *now = schema == NULL ? bare_schema(n) : schema;
    const char *today = now == NULL ? NULL : gate_schema_today(n, now);
    if (has_left(*list, today, name) || str_same(now, temporary))
        return NULL;
    return add(n, list,
               (struct gate_table){
                   .schema = now,
                   .name = arena_strdup(n->arena, name),
                   .was_schema = today,
                   .was_name = arena_strdup(n->arena, name),
                   .was_path = now == NULL ? n->path : NULL,
               });
}

struct gate_table *gate_table_find(struct gate_names *n, const char *schema, const char *name)
{
    return find(n, &n->tables, schema == NULL ? NULL : arena_strdup(n->arena, schema), name);
}

struct gate_table *gate_type_find(struct gate_names *n, const char *schema, const char *name)
{
    return find(n, &n->types, schema == NULL ? NULL : arena_strdup(n->arena, schema), name);
}

/* Where a CREATE without a schema puts it; NULL: unknown. */
static const char *creation_schema(const struct gate_names *n, const char *schema)
{
    if (schema != NULL)
        return arena_strdup(n->arena, schema);
    return n->path != NULL && n->path->count > 0 ? n->path->items[0] : NULL;
}

void gate_table_make(struct gate_names *n, const char *schema, const char *name, bool maybe)
{
    const char *now = creation_schema(n, schema);
    const char *today = now == NULL ? NULL : gate_schema_today(n, now);
    if (alive(n->tables, now, name) != NULL)
        return;
    bool there = maybe && !has_left(n->tables, today, name) && !str_same(now, temporary);
    add(n, &n->tables,
        (struct gate_table){
            .schema = now,
            .name = arena_strdup(n->arena, name),
            .was_schema = today,
            .was_name = there ? arena_strdup(n->arena, name) : NULL,
            .was_path = now == NULL ? n->path : NULL,
            .maybe_made = there,
        });
}

void gate_type_make(struct gate_names *n, const char *schema, const char *name)
{
    add(n, &n->types,
        (struct gate_table){
            .schema = creation_schema(n, schema),
            .name = arena_strdup(n->arena, name),
        });
}

struct gate_column *gate_column_known(const struct gate_table *t, const char *name)
{
    for (struct gate_column *c = t->columns; c != NULL; c = c->next)
        if (!c->gone && strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

static bool column_has_left(const struct gate_table *t, const char *name)
{
    for (const struct gate_column *c = t->columns; c != NULL; c = c->next)
        if (c->was != NULL && strcmp(c->was, name) == 0)
            return true;
    return false;
}

static struct gate_column *add_column(struct gate_names *n, struct gate_table *t, const char *name,
                                      const char *was)
{
    struct gate_column *c = ARENA_NEW(n->arena, struct gate_column);
    *c = (struct gate_column){
        .name = name, .was = was, .filled_from = strlist_on(n->arena), .next = t->columns};
    t->columns = c;
    return c;
}

struct gate_column *gate_column_find(struct gate_names *n, struct gate_table *t, const char *name)
{
    struct gate_column *c = gate_column_known(t, name);
    if (c != NULL || t->was_name == NULL || column_has_left(t, name))
        return c;
    const char *copy = arena_strdup(n->arena, name);
    return add_column(n, t, copy, copy);
}

const char *gate_column_today(const struct gate_table *t, const char *name)
{
    const struct gate_column *c = gate_column_known(t, name);
    if (c != NULL)
        return c->was;
    return t->was_name == NULL || column_has_left(t, name) ? NULL : name;
}

void gate_column_add(struct gate_names *n, struct gate_table *t, const char *name, const char *type,
                     bool maybe)
{
    if (gate_column_known(t, name) != NULL)
        return;
    const char *copy = arena_strdup(n->arena, name);
    bool there = maybe && t->was_name != NULL && !column_has_left(t, name);
    struct gate_column *c = add_column(n, t, copy, there ? copy : NULL);
    c->type = type;
    c->maybe_added = there;
}

bool gate_column_is_added(const struct gate_column *c)
{
    return c->was == NULL || c->maybe_added;
}

static void move_all(struct gate_table *list, const char *from, const char *to)
{
    for (struct gate_table *t = list; t != NULL; t = t->next)
        if (str_same(t->schema, from))
            t->schema = to;
}

void gate_schema_rename(struct gate_names *n, const char *from, const char *to)
{
    struct gate_schema *s = ARENA_NEW(n->arena, struct gate_schema);
    *s = (struct gate_schema){
        .name = arena_strdup(n->arena, to),
        .was = arena_strdup(n->arena, gate_schema_today(n, from)),
        .next = n->schemas,
    };
    n->schemas = s;
    move_all(n->tables, from, s->name);
    move_all(n->types, from, s->name);
}

static void drop_all(struct gate_table *list, const char *schema)
{
    for (struct gate_table *t = list; t != NULL; t = t->next)
        t->gone = t->gone || str_same(t->schema, schema);
}

void gate_schema_drop(struct gate_names *n, const char *schema)
{
    drop_all(n->tables, schema);
    drop_all(n->types, schema);
}

static struct gate_table *settle(struct gate_table *list)
{
    struct gate_table *kept = NULL;
    for (struct gate_table *t = list, *next; t != NULL; t = next) {
        next = t->next;
        if (t->gone || str_same(t->schema, temporary))
            continue;
        t->was_schema = t->schema;
        t->was_name = t->name;
        t->maybe_made = false;
        struct gate_column *columns = NULL;
        for (struct gate_column *c = t->columns, *after; c != NULL; c = after) {
            after = c->next;
            if (c->gone)
                continue;
            c->was = c->name;
            c->maybe_added = c->retyped = false;
            c->filled_from.count = 0;
            c->next = columns;
            columns = c;
        }
        t->columns = columns;
        t->next = kept;
        kept = t;
    }
    return kept;
}

void gate_names_settle(struct gate_names *n)
{
    n->tables = settle(n->tables);
    n->types = NULL;
    n->schemas = NULL;
}
