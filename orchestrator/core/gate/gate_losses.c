#include "core/gate/gate_type.h"
#include "core/gate/gate_walk.h"
#include "core/prisma/calls.h"
#include "core/prisma/statement.h"

static bool is(const struct json *node, const char *key, const char *word)
{
    return strcmp(json_str(node, key, ""), word) == 0;
}

/* A RangeVar with or without its tag. */
static const struct json *untagged(const struct json *range)
{
    const struct json *tagged = json_find(range, "RangeVar");
    return tagged == NULL ? range : tagged;
}

static struct gate_table *table_of(struct gate_walk *w, const struct json *range)
{
    range = untagged(range);
    const char *name = json_str(range, "relname", NULL);
    return name == NULL ? NULL
                        : gate_table_find(&w->names, json_str(range, "schemaname", NULL), name);
}

static void add_loss(struct gate_walk *w, struct gate_loss loss)
{
    if (w->history)
        return;
    if (w->loss_count == w->loss_size) {
        const struct gate_loss *old = w->losses;
        w->loss_size = 2 * w->loss_size + 8;
        w->losses = arena_array(w->arena, w->loss_size, sizeof(*w->losses));
        if (w->loss_count > 0)
            memcpy(w->losses, old, w->loss_count * sizeof(*old));
    }
    loss.at = w->at;
    w->losses[w->loss_count++] = loss;
}

/* Of a table or, with c, of its column; nothing of what the pending set made itself. */
static void lose(struct gate_walk *w, struct gate_table *t, const struct gate_column *c,
                 struct gate_loss loss)
{
    if (t->was_name == NULL || (c != NULL && c->was == NULL))
        return;
    loss.schema = t->was_schema;
    loss.path = t->was_path;
    loss.name = t->was_name;
    loss.column = c == NULL ? NULL : c->was;
    loss.maybe_made = t->maybe_made || (c != NULL && c->maybe_added);
    loss.table = t;
    loss.is = c;
    add_loss(w, loss);
}

/* ---- DELETE, TRUNCATE, UPDATE ---- */

/* true, or 1 = 1 */
static bool always_true(struct arena *a, const struct json *where)
{
    const struct json *constant = json_find(where, "A_Const"), *expr = json_find(where, "A_Expr");
    if (constant != NULL)
        return json_bool(json_find(constant, "boolval"), "boolval", false);
    const struct json *left = json_find(json_find(expr, "lexpr"), "A_Const");
    const struct json *right = json_find(json_find(expr, "rexpr"), "A_Const");
    const struct json *operator= json_find(json_at(json_find(expr, "name"), 0), "String");
    const struct json *x = json_find(left, "ival"), *y = json_find(right, "ival");
    return is(operator, "sval", "=") && x != NULL && y != NULL &&
           strcmp(json_text(a, x), json_text(a, y)) == 0;
}

static void look_delete(struct gate_walk *w, const struct json *node)
{
    const struct json *where = json_find(node, "whereClause");
    const struct json *relation = json_find(node, "relation");
    struct gate_table *t = table_of(w, relation);
    if (t != NULL && (where == NULL || always_true(w->arena, where)))
        lose(w, t, NULL,
             (struct gate_loss){
                 .rule = GATE_ROWS_LOST,
                 .along = json_bool(relation, "inh", false) ? GATE_DELETE : GATE_ALONE,
                 .how = where == NULL ? "DELETE without WHERE" : "DELETE of all rows"});
}

static void look_truncate(struct gate_walk *w, const struct json *node)
{
    const struct json *relations = json_find(node, "relations");
    bool cascade = is(node, "behavior", "DROP_CASCADE");
    for (const struct json *r = json_first(relations); r != NULL; r = json_next(r)) {
        struct gate_table *t = table_of(w, r);
        bool heirs = json_bool(untagged(r), "inh", false);
        if (t != NULL)
            lose(w, t, NULL,
                 (struct gate_loss){
                     .rule = GATE_ROWS_LOST,
                     .along = cascade ? GATE_TRUNCATE
                              : heirs ? GATE_HEIRS
                                      : GATE_ALONE,
                     .how = cascade ? "TRUNCATE CASCADE" : "TRUNCATE",
                 });
    }
}

/* What an UPDATE reads: which words of it are columns of the table that it writes? */
struct reading {
    const struct json *update;
    const char *table; /* as written */
    struct gate_walk *w;
    const struct gate_table *t;
    struct gate_column *to;
};

/* Is a word before a column the name of a table other than ours, anywhere in the node? */
static bool names_another(const struct json *node, const char *word, const char *table)
{
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        if (json_is_object(node) && strcmp(json_key(child), "RangeVar") == 0) {
            const char *name = json_str(child, "relname", "");
            const char *alias = json_str(json_find(child, "alias"), "aliasname", name);
            if (strcmp(alias, word) == 0 && strcmp(name, table) != 0)
                return true;
        }
        if (names_another(child, word, table))
            return true;
    }
    return false;
}

static bool reads_from(const struct json *node, const char *table)
{
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child))
        if ((json_is_object(node) && strcmp(json_key(child), "RangeVar") == 0 &&
             is(child, "relname", table)) ||
            reads_from(child, table))
            return true;
    return false;
}

static void note_read(const struct reading *r, const struct json *ref, bool foreign)
{
    const char *qualifier, *name = calls_list_name(json_find(ref, "fields"), &qualifier);
    if (name == NULL || (qualifier == NULL && foreign) ||
        (qualifier != NULL && names_another(r->update, qualifier, r->table)))
        return;
    const char *was = gate_column_today(r->t, name);
    if (was != NULL) {
        strlist_add(&r->to->filled_from, arena_strdup(r->w->arena, was));
        return;
    }
    for (const struct gate_column *c = r->t->columns; c != NULL; c = c->next)
        for (size_t i = 0; !c->gone && strcmp(c->name, name) == 0 && i < c->filled_from.count; i++)
            strlist_add(&r->to->filled_from, c->filled_from.items[i]);
}

/* foreign: inside of a SELECT that does not read our table, a bare name is another table's. */
static void note_reads(const struct reading *r, const struct json *node, bool foreign)
{
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        const char *key = json_is_object(node) ? json_key(child) : "";
        if (strcmp(key, "ColumnRef") == 0)
            note_read(r, child, foreign);
        else if (strcmp(key, "SelectStmt") == 0)
            note_reads(r, child, !reads_from(json_find(child, "fromClause"), r->table));
        else
            note_reads(r, child, foreign);
    }
}

/* Columns that the pending set added and fills from others: those may be dropped afterwards. */
static void look_update(struct gate_walk *w, const struct json *node)
{
    const struct json *relation = json_find(node, "relation");
    struct gate_table *t = table_of(w, relation);
    const struct json *targets = json_find(node, "targetList");
    for (const struct json *child = json_first(targets); t != NULL && child != NULL;
         child = json_next(child)) {
        const struct json *target = json_find(child, "ResTarget");
        const char *name = json_str(target, "name", "");
        struct gate_column *c = gate_column_known(t, name);
        if (c == NULL || !gate_column_is_added(c))
            continue;
        const struct reading r = {
            .update = node, .table = json_str(relation, "relname", ""), .w = w, .t = t, .to = c};
        note_reads(&r, json_find(target, "val"), false);
    }
}

/* ---- DROP ---- */

static void drop_table(struct gate_walk *w, const char *schema, const char *name, bool cascade)
{
    struct gate_table *t = gate_table_find(&w->names, schema, name);
    if (t == NULL)
        return;
    lose(w, t, NULL,
         (struct gate_loss){.rule = GATE_DROP_TABLE,
                            .along = cascade ? GATE_HEIRS : GATE_PARTITIONS,
                            .how = "table is dropped"});
    t->gone = true;
}

/* The tables that were moved into a schema go with it, those moved out do not. */
static void drop_schema(struct gate_walk *w, const char *name)
{
    struct gate_loss loss = {
        .rule = GATE_DROP_TABLE,
        .reach = GATE_OF_SCHEMA,
        .name = arena_strdup(w->arena, gate_schema_today(&w->names, name)),
        .how = arena_printf(w->arena, "schema %s is dropped", name),
        .except = strlist_on(w->arena),
    };
    for (struct gate_table *t = w->names.tables; t != NULL; t = t->next) {
        if (t->was_name == NULL || t->gone)
            continue;
        bool was_in = str_same(t->was_schema, loss.name), is_in = str_same(t->schema, name);
        if (was_in && !is_in)
            strlist_printf(&loss.except, "%s.%s", t->was_schema, t->was_name);
        else if (is_in && !was_in)
            lose(w, t, NULL,
                 (struct gate_loss){
                     .rule = GATE_DROP_TABLE, .along = GATE_PARTITIONS, .how = loss.how});
    }
    add_loss(w, loss);
    gate_schema_drop(&w->names, name);
}

/* DROP ... CASCADE of what columns are made of: the columns go too, but for those that the pending
 * set has given another type before, as Prisma does when it makes an enum anew. */
static void drop_used(struct gate_walk *w, struct gate_loss loss)
{
    bool retyped = false;
    loss.rule = GATE_DROP_COLUMN;
    loss.except = strlist_on(w->arena);
    for (const struct gate_table *t = w->names.tables; t != NULL; t = t->next)
        for (const struct gate_column *c = t->columns; c != NULL; c = c->next)
            if (c->retyped && c->was != NULL && t->was_name != NULL) {
                strlist_printf(&loss.except, "%s.%s",
                               statement_name(w->arena, t->was_schema, t->was_name), c->was);
                retyped = true;
            }
    loss.moved = loss.moved && retyped;
    add_loss(w, loss);
}

static void drop_type(struct gate_walk *w, const struct json *object, bool cascade)
{
    const struct json *type = json_find(object, "TypeName");
    const char *schema, *name = calls_list_name(json_find(type, "names"), &schema);
    struct gate_table *t = name == NULL ? NULL : gate_type_find(&w->names, schema, name);
    if (t == NULL)
        return;
    if (cascade && t->was_name != NULL)
        drop_used(w, (struct gate_loss){
                         .reach = GATE_OF_TYPE,
                         .schema = t->was_schema,
                         .path = t->was_path,
                         .name = t->was_name,
                         .how = arena_printf(w->arena, "type %s is dropped", name),
                         .moved = strcmp(t->was_name, t->name) != 0,
                     });
    t->gone = true;
}

static void drop_collation(struct gate_walk *w, const struct json *object)
{
    const char *schema,
        *name = calls_list_name(json_find(json_find(object, "List"), "items"), &schema);
    if (name != NULL)
        drop_used(w, (struct gate_loss){
                         .reach = GATE_OF_COLLATION,
                         .schema = schema == NULL ? NULL : arena_strdup(w->arena, schema),
                         .name = arena_strdup(w->arena, name),
                         .how = arena_printf(w->arena, "collation %s is dropped", name),
                     });
}

static void look_drop(struct gate_walk *w, const struct json *node)
{
    const char *type = json_str(node, "removeType", "");
    bool cascade = is(node, "behavior", "DROP_CASCADE");
    const struct json *objects = json_find(node, "objects");
    for (const struct json *o = json_first(objects); o != NULL; o = json_next(o)) {
        const char *word = json_str(json_find(o, "String"), "sval", NULL);
        const char *schema,
            *name = calls_list_name(json_find(json_find(o, "List"), "items"), &schema);
        if (strcmp(type, "OBJECT_TABLE") == 0 && name != NULL)
            drop_table(w, schema, name, cascade);
        else if (strcmp(type, "OBJECT_TYPE") == 0 || strcmp(type, "OBJECT_DOMAIN") == 0)
            drop_type(w, o, cascade);
        else if (strcmp(type, "OBJECT_COLLATION") == 0 && cascade)
            drop_collation(w, o);
        else if (strcmp(type, "OBJECT_SCHEMA") == 0 && cascade && word != NULL)
            drop_schema(w, word);
        else if (strcmp(type, "OBJECT_EXTENSION") == 0 && cascade && word != NULL)
            drop_used(w, (struct gate_loss){
                             .reach = GATE_OF_EXTENSION,
                             .name = arena_strdup(w->arena, word),
                             .how = arena_printf(w->arena, "extension %s is dropped", word),
                         });
    }
}

static void look_drop_owned(struct gate_walk *w, const struct json *node)
{
    const struct json *roles = json_find(node, "roles");
    for (const struct json *r = json_first(roles); r != NULL; r = json_next(r)) {
        const char *name = json_str(json_find(r, "RoleSpec"), "rolename", NULL);
        add_loss(w, (struct gate_loss){
                        .rule = GATE_DROP_TABLE,
                        .reach = GATE_OF_ROLE,
                        .name = name == NULL ? NULL : arena_strdup(w->arena, name),
                        .how = arena_printf(w->arena, "all that role %s owns is dropped",
                                            name == NULL ? "CURRENT_USER" : name),
                        .except = strlist_on(w->arena),
                    });
    }
}

/* ---- ALTER ---- */

static void drop_column(struct gate_walk *w, struct gate_table *t, const char *name, bool heirs)
{
    struct gate_column *c = gate_column_find(&w->names, t, name), *carried = NULL;
    if (c == NULL)
        return;
    for (struct gate_column *k = t->columns; k != NULL && c->was != NULL; k = k->next)
        if (!k->gone && gate_column_is_added(k) && strlist_has(&k->filled_from, c->was))
            carried = k;
    lose(w, t, c,
         (struct gate_loss){.rule = GATE_DROP_COLUMN,
                            .along = heirs ? GATE_HEIRS : GATE_ALONE,
                            .how = "column is dropped",
                            .carried = carried});
    c->gone = true;
}

static void alter_column(struct gate_walk *w, struct gate_table *t, const struct json *cmd)
{
    const struct json *def = json_find(json_find(cmd, "def"), "ColumnDef");
    const struct json *type = json_find(def, "typeName");
    if (is(cmd, "subtype", "AT_AddColumn")) {
        gate_column_add(&w->names, t, json_str(def, "colname", ""), gate_type_text(w->arena, type),
                        json_bool(cmd, "missing_ok", false));
    } else if (is(cmd, "subtype", "AT_AlterColumnType")) {
        struct gate_column *c = gate_column_find(&w->names, t, json_str(cmd, "name", ""));
        if (c != NULL) {
            c->type = gate_type_text(w->arena, type);
            c->retyped = true;
        }
    }
}

/* The server drops before it adds, in whatever order they are written. */
static void look_alter_table(struct gate_walk *w, const struct json *node)
{
    const struct json *relation = json_find(node, "relation"), *cmds = json_find(node, "cmds");
    struct gate_table *t = is(node, "objtype", "OBJECT_TABLE") ? table_of(w, relation) : NULL;
    if (t == NULL)
        return;
    for (const struct json *c = json_first(cmds); c != NULL; c = json_next(c)) {
        const struct json *cmd = json_find(c, "AlterTableCmd");
        if (is(cmd, "subtype", "AT_DropColumn"))
            drop_column(w, t, json_str(cmd, "name", ""), json_bool(relation, "inh", false));
    }
    for (const struct json *c = json_first(cmds); c != NULL; c = json_next(c))
        alter_column(w, t, json_find(c, "AlterTableCmd"));
}

static struct gate_table *type_named(struct gate_walk *w, const struct json *object)
{
    const char *schema,
        *name = calls_list_name(json_find(json_find(object, "List"), "items"), &schema);
    return name == NULL ? NULL : gate_type_find(&w->names, schema, name);
}

static void look_rename(struct gate_walk *w, const struct json *node)
{
    const char *type = json_str(node, "renameType", ""), *from = json_str(node, "subname", "");
    const char *to = arena_strdup(w->arena, json_str(node, "newname", ""));
    if (strcmp(type, "OBJECT_SCHEMA") == 0) {
        gate_schema_rename(&w->names, from, to);
    } else if (strcmp(type, "OBJECT_TYPE") == 0 || strcmp(type, "OBJECT_DOMAIN") == 0) {
        struct gate_table *t = type_named(w, json_find(node, "object"));
        if (t != NULL)
            t->name = to;
    } else if (strcmp(type, "OBJECT_TABLE") == 0) {
        struct gate_table *t = table_of(w, json_find(node, "relation"));
        if (t != NULL)
            t->name = to;
    } else if (strcmp(type, "OBJECT_COLUMN") == 0 && is(node, "relationType", "OBJECT_TABLE")) {
        struct gate_table *t = table_of(w, json_find(node, "relation"));
        struct gate_column *c = t == NULL ? NULL : gate_column_find(&w->names, t, from);
        if (c != NULL)
            c->name = to;
    }
}

static void look_move(struct gate_walk *w, const struct json *node)
{
    struct gate_table *t = NULL;
    if (is(node, "objectType", "OBJECT_TABLE"))
        t = table_of(w, json_find(node, "relation"));
    else if (is(node, "objectType", "OBJECT_TYPE") || is(node, "objectType", "OBJECT_DOMAIN"))
        t = type_named(w, json_find(node, "object"));
    if (t != NULL)
        t->schema = arena_strdup(w->arena, json_str(node, "newschema", ""));
}

/* ---- CREATE ---- */

static void make(struct gate_walk *w, const struct json *range, bool maybe)
{
    const char *name = json_str(range, "relname", NULL);
    const char *schema = json_str(range, "schemaname", NULL);
    if (is(range, "relpersistence", "t"))
        schema = "pg_temp";
    if (name != NULL)
        gate_table_make(&w->names, schema, name, maybe);
}

static void look_create(struct gate_walk *w, const struct json *node)
{
    const struct json *range = json_find(node, "relation"), *list = json_find(node, "tableElts");
    make(w, range, json_bool(node, "if_not_exists", false));
    struct gate_table *t = w->history ? table_of(w, range) : NULL;
    for (const struct json *c = t == NULL ? NULL : json_first(list); c != NULL; c = json_next(c)) {
        const struct json *def = json_find(c, "ColumnDef");
        if (def != NULL)
            gate_column_add(&w->names, t, json_str(def, "colname", ""),
                            gate_type_text(w->arena, json_find(def, "typeName")), false);
    }
}

static void look_create_foreign(struct gate_walk *w, const struct json *node)
{
    look_create(w, json_find(node, "base"));
}

static void look_create_as(struct gate_walk *w, const struct json *node)
{
    make(w, json_find(json_find(node, "into"), "rel"), json_bool(node, "if_not_exists", false));
}

static void look_select(struct gate_walk *w, const struct json *node)
{
    make(w, json_find(json_find(node, "intoClause"), "rel"), false);
}

static void look_create_type(struct gate_walk *w, const struct json *node)
{
    /* A domain's typeName is what it is made of. */
    const struct json *domain = json_find(node, "domainname");
    const char *schema,
        *name = calls_list_name(domain != NULL ? domain : json_find(node, "typeName"), &schema);
    if (name != NULL)
        gate_type_make(&w->names, schema, name);
}

static void look_create_composite(struct gate_walk *w, const struct json *node)
{
    const struct json *range = json_find(node, "typevar");
    gate_type_make(&w->names, json_str(range, "schemaname", NULL), json_str(range, "relname", ""));
}

/* ---- all ---- */

static const struct {
    const char *kind;
    void (*look)(struct gate_walk *w, const struct json *node);
    bool inside; /* also as a part of another statement */
} looks[] = {
    {"DeleteStmt", look_delete, true},
    {"UpdateStmt", look_update, true},
    {"TruncateStmt", look_truncate, false},
    {"DropStmt", look_drop, false},
    {"DropOwnedStmt", look_drop_owned, false},
    {"AlterTableStmt", look_alter_table, false},
    {"RenameStmt", look_rename, false},
    {"AlterObjectSchemaStmt", look_move, false},
    {"CreateStmt", look_create, false},
    {"CreateForeignTableStmt", look_create_foreign, false},
    {"CreateTableAsStmt", look_create_as, false},
    {"SelectStmt", look_select, false},
    {"CreateEnumStmt", look_create_type, false},
    {"CreateRangeStmt", look_create_type, false},
    {"CreateDomainStmt", look_create_type, false},
    {"CompositeTypeStmt", look_create_composite, false},
};

static void look(struct gate_walk *w, const char *kind, const struct json *node, bool inside)
{
    for (size_t i = 0; i < ARRAY_LEN(looks); i++)
        if (strcmp(looks[i].kind, kind) == 0 && (!inside || looks[i].inside))
            looks[i].look(w, node);
}

/* Common table expressions, EXPLAIN ANALYZE, PREPARE. */
static void look_inside(struct gate_walk *w, const struct json *node)
{
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        if (json_is_object(node))
            look(w, json_key(child), child, true);
        look_inside(w, child);
    }
}

void gate_look_losses(struct gate_walk *w, const struct sql_statement *s)
{
    const struct statement_kind *kind = statement_kind(s->kind);
    look(w, s->kind, s->node, false);
    if (kind != NULL && kind->inside)
        look_inside(w, s->node);
}
