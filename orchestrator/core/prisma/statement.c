#include "core/prisma/statement.h"

#include "core/prisma/calls.h"

const char *statement_name(struct arena *a, const char *schema, const char *name)
{
    return schema == NULL ? arena_strdup(a, name) : arena_printf(a, "%s.%s", schema, name);
}

/* Of a RangeVar, with or without its tag; NULL when there is none. */
static const char *range_name(struct arena *a, const struct json *range)
{
    const struct json *tagged = json_find(range, "RangeVar");
    if (tagged != NULL)
        range = tagged;
    const char *name = json_str(range, "relname", NULL);
    return name == NULL ? NULL : statement_name(a, json_str(range, "schemaname", NULL), name);
}

void statement_touch(struct statement_walk *w, const char *name)
{
    w->f->any_rows = true;
    if (name != NULL && !strlist_has(&w->f->touched, name))
        strlist_add(&w->f->touched, name);
}

static bool is(const struct json *node, const char *key, const char *word)
{
    return strcmp(json_str(node, key, ""), word) == 0;
}

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static bool has_option(const struct json *list, const char *name)
{
    for (size_t i = 0; i < json_count(list); i++)
        if (is(json_find(json_at(list, i), "DefElem"), "defname", name))
            return true;
    return false;
}

static void look_relation(struct statement_walk *w, const struct json *node)
{
    statement_touch(w, range_name(w->arena, json_find(node, "relation")));
}

static void insert_into(struct statement_walk *w, const struct json *node)
{
    const char *name = range_name(w->arena, json_find(node, "relation"));
    w->f->any_rows = true;
    if (name == NULL)
        w->f->unnamed = true;
    else if (!strlist_has(&w->f->inserted, name))
        strlist_add(&w->f->inserted, name);
}

static void look_insert(struct statement_walk *w, const struct json *node)
{
    insert_into(w, node);
    if (is(json_find(node, "onConflictClause"), "action", "ONCONFLICT_UPDATE"))
        look_relation(w, node);
}

static void look_rows(struct statement_walk *w, const struct json *node UNUSED)
{
    w->f->any_rows = true;
}

static void look_anything(struct statement_walk *w, const struct json *node UNUSED)
{
    w->f->any_rows = w->f->anything = true;
}

/* Sent alone they run outside of a transaction, and their body may commit part of its work. */
static void look_call(struct statement_walk *w, const struct json *node)
{
    look_anything(w, node);
    w->f->may_commit = true;
}

static void look_do(struct statement_walk *w, const struct json *node)
{
    const char *body = json_text(w->arena, node);
    look_anything(w, node);
    if (strcasestr(body, "commit") != NULL || strcasestr(body, "call") != NULL)
        w->f->may_commit = true;
}

static void look_select(struct statement_walk *w, const struct json *node)
{
    /* What it reads from may be a view with calls inside. */
    if (json_find(node, "intoClause") != NULL || json_find(node, "fromClause") != NULL)
        w->f->any_rows = true;
    enum calls calls = calls_below(node);
    if (calls != CALLS_QUIET)
        w->f->any_rows = true;
    if (calls == CALLS_UNKNOWN)
        w->f->anything = true;
}

static void look_set(struct statement_walk *w, const struct json *node)
{
    if (is(node, "name", "search_path"))
        w->f->any_schema = true;
}

static void look_copy(struct statement_walk *w, const struct json *node)
{
    if (json_bool(node, "is_from", false))
        insert_into(w, node);
    if (calls_below(node) != CALLS_QUIET)
        w->f->any_rows = true;
}

static void look_truncate(struct statement_walk *w, const struct json *node)
{
    const struct json *relations = json_find(node, "relations");
    for (size_t i = 0; i < json_count(relations); i++)
        statement_touch(w, range_name(w->arena, json_at(relations, i)));
    if (is(node, "behavior", "DROP_CASCADE"))
        w->f->anything = true; /* the tables that refer to it are emptied as well */
}

static void drop_one(struct statement_walk *w, const char *type, const struct json *object)
{
    const char *schema,
        *name = calls_list_name(json_find(json_find(object, "List"), "items"), &schema);
    if (strcmp(type, "OBJECT_TABLE") == 0 && name != NULL)
        statement_touch(w, statement_name(w->arena, schema, name));
    if (strcmp(type, "OBJECT_SCHEMA") == 0)
        statement_touch(
            w, arena_printf(w->arena, "%s.*", json_str(json_find(object, "String"), "sval", "")));
}

static void look_drop(struct statement_walk *w, const struct json *node)
{
    /* Of these, with values of their own or of the tables that use them. */
    static const char *const hold[] = {"OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_EXTENSION"};
    static const char *const used[] = {"OBJECT_TYPE", "OBJECT_DOMAIN", "OBJECT_EXTENSION",
                                       "OBJECT_COLLATION"};
    const struct json *objects = json_find(node, "objects");
    const char *type = json_str(node, "removeType", "");
    bool cascade = is(node, "behavior", "DROP_CASCADE");
    bool empty_schema = strcmp(type, "OBJECT_SCHEMA") == 0 && !cascade;
    for (size_t i = 0; i < json_count(objects) && !empty_schema; i++)
        drop_one(w, type, json_at(objects, i));
    if (cascade || is_one_of(type, hold, ARRAY_LEN(hold)))
        w->f->any_rows = true;
    if (cascade && is_one_of(type, used, ARRAY_LEN(used)))
        w->f->anything = true;
    if (json_bool(node, "concurrent", false))
        w->f->concurrently = true;
}

static void look_alter_command(struct statement_walk *w, const struct json *cmd, const char *table)
{
    static const char *const losing[] = {"AT_DropColumn", "AT_AlterColumnType"};
    static const char *const values[] = {"AT_DropIdentity", "AT_SetIdentity"};
    const char *what = json_str(cmd, "subtype", "");
    const struct json *partition = json_find(json_find(cmd, "def"), "PartitionCmd");
    if (is_one_of(what, losing, ARRAY_LEN(losing)))
        statement_touch(w, table);
    if (is_one_of(what, values, ARRAY_LEN(values)))
        w->f->any_rows = true;
    /* The default of a new column is computed for every row. */
    if (strcmp(what, "AT_AddColumn") == 0 && calls_below(json_find(cmd, "def")) != CALLS_QUIET)
        w->f->any_rows = true;
    if (json_bool(partition, "concurrent", false))
        w->f->concurrently = true;
}

static void look_alter_table(struct statement_walk *w, const struct json *node)
{
    const struct json *cmds = json_find(node, "cmds");
    const char *table = range_name(w->arena, json_find(node, "relation"));
    size_t before = w->f->touched.count;
    for (size_t i = 0; i < json_count(cmds); i++)
        look_alter_command(w, json_find(json_at(cmds, i), "AlterTableCmd"), table);
    /* A composite type: the tables that use it are not named here. */
    if (is(node, "objtype", "OBJECT_TYPE") && w->f->touched.count > before)
        w->f->anything = true;
}

static const char *copied(struct arena *a, const char *text)
{
    return text == NULL ? NULL : arena_strdup(a, text);
}

static void add_rename(struct statement_walk *w, const struct json *relation,
                       struct effects_rename to)
{
    if (w->rename_count == w->rename_size) {
        struct effects_rename *old = w->renames;
        w->rename_size = 2 * w->rename_size + 8;
        w->renames = arena_array(w->arena, w->rename_size, sizeof(*w->renames));
        for (size_t i = 0; i < w->rename_count; i++)
            w->renames[i] = old[i];
    }
    w->renames[w->rename_count++] = (struct effects_rename){
        .from_schema = copied(w->arena, json_str(relation, "schemaname", NULL)),
        .from_name = arena_strdup(w->arena, json_str(relation, "relname", "")),
        .column = copied(w->arena, to.column),
        .to_schema = copied(w->arena, to.to_schema),
        .to_name = arena_strdup(w->arena, to.to_name),
    };
}

static void look_rename(struct statement_walk *w, const struct json *node)
{
    const struct json *relation = json_find(node, "relation");
    const char *name = json_str(node, "newname", NULL);
    if (is(node, "renameType", "OBJECT_TABLE") && relation != NULL && name != NULL)
        add_rename(w, relation,
                   (struct effects_rename){.to_schema = json_str(relation, "schemaname", NULL),
                                           .to_name = name});
    if (is(node, "renameType", "OBJECT_COLUMN") && is(node, "relationType", "OBJECT_TABLE") &&
        relation != NULL && name != NULL)
        add_rename(
            w, relation,
            (struct effects_rename){.column = json_str(node, "subname", ""), .to_name = name});
}

static void look_move(struct statement_walk *w, const struct json *node)
{
    const struct json *relation = json_find(node, "relation");
    const char *schema = json_str(node, "newschema", NULL);
    if (is(node, "objectType", "OBJECT_TABLE") && relation != NULL)
        add_rename(w, relation,
                   (struct effects_rename){.to_schema = schema,
                                           .to_name = json_str(relation, "relname", "")});
}

static void look_sequence(struct statement_walk *w, const struct json *node)
{
    if (has_option(json_find(node, "options"), "restart"))
        w->f->any_rows = true;
}

static void look_index(struct statement_walk *w, const struct json *node)
{
    if (json_bool(node, "concurrent", false))
        w->f->concurrently = true;
}

static void look_alone(struct statement_walk *w, const struct json *node UNUSED)
{
    w->f->concurrently = true;
}

static void look_subscription(struct statement_walk *w, const struct json *node UNUSED)
{
    w->f->concurrently = w->f->any_rows = true;
}

static void look_vacuum(struct statement_walk *w, const struct json *node)
{
    if (json_bool(node, "is_vacuumcmd", false))
        w->f->concurrently = true;
}

static void look_reindex(struct statement_walk *w, const struct json *node)
{
    static const char *const many[] = {"REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_SYSTEM",
                                       "REINDEX_OBJECT_DATABASE"};
    if (has_option(json_find(node, "params"), "concurrently") ||
        is_one_of(json_str(node, "kind", ""), many, ARRAY_LEN(many)))
        w->f->concurrently = true;
}

static void look_cluster(struct statement_walk *w, const struct json *node)
{
    if (json_find(node, "relation") == NULL)
        w->f->concurrently = true;
}

static void look_discard(struct statement_walk *w, const struct json *node)
{
    if (is(node, "target", "DISCARD_ALL"))
        w->f->concurrently = true;
}

static void look_transaction(struct statement_walk *w, const struct json *node UNUSED)
{
    w->f->own_transaction = true;
}

/* What is not in this table may write rows. */
static const struct statement_kind kinds[] = {
    {"SelectStmt", look_select, true},
    {"InsertStmt", look_insert, true},
    {"UpdateStmt", look_relation, true},
    {"DeleteStmt", look_relation, true},
    {"MergeStmt", look_relation, true},
    {"CreateTableAsStmt", look_rows, true},
    {"ExplainStmt", look_rows, true},
    {"PrepareStmt", look_rows, true},
    {"DeclareCursorStmt", look_rows, true},
    {"CopyStmt", look_copy, true},
    {"DoStmt", look_do, false},
    {"CallStmt", look_call, false},
    {"DropOwnedStmt", look_anything, false},
    {"TruncateStmt", look_truncate, false},
    {"DropStmt", look_drop, false},
    {"AlterTableStmt", look_alter_table, false},
    {"RenameStmt", look_rename, false},
    {"AlterObjectSchemaStmt", look_move, false},
    {"AlterSeqStmt", look_sequence, false},
    {"IndexStmt", look_index, false},
    {"ReindexStmt", look_reindex, false},
    {"ClusterStmt", look_cluster, false},
    {"VacuumStmt", look_vacuum, false},
    {"DiscardStmt", look_discard, false},
    {"VariableSetStmt", look_set, false},
    {"TransactionStmt", look_transaction, false},
    {"CreatedbStmt", look_alone, false},
    {"DropdbStmt", look_alone, false},
    {"AlterSystemStmt", look_alone, false},
    {"CreateTableSpaceStmt", look_alone, false},
    {"DropTableSpaceStmt", look_alone, false},
    {"CreateSubscriptionStmt", look_subscription, false},
    {"AlterSubscriptionStmt", look_subscription, false},
    {"DropSubscriptionStmt", look_subscription, false},
    {"CreateStmt", NULL, false},
    {"CreateForeignTableStmt", NULL, false},
    {"CreateSchemaStmt", NULL, false},
    {"CreateEnumStmt", NULL, false},
    {"CreateDomainStmt", NULL, false},
    {"CreateRangeStmt", NULL, false},
    {"CompositeTypeStmt", NULL, false},
    {"CreateSeqStmt", NULL, false},
    {"CreateFunctionStmt", NULL, false},
    {"CreateTrigStmt", NULL, false},
    {"CreateEventTrigStmt", NULL, false},
    {"CreatePolicyStmt", NULL, false},
    {"CreateExtensionStmt", NULL, false},
    {"CreateStatsStmt", NULL, false},
    {"CreateCastStmt", NULL, false},
    {"CreateRoleStmt", NULL, false},
    {"CreatePublicationStmt", NULL, false},
    {"ViewStmt", NULL, false},
    {"RuleStmt", NULL, false},
    {"DefineStmt", NULL, false},
    {"AlterEnumStmt", NULL, false},
    {"AlterDomainStmt", NULL, false},
    {"AlterFunctionStmt", NULL, false},
    {"AlterPolicyStmt", NULL, false},
    {"AlterOwnerStmt", NULL, false},
    {"AlterTypeStmt", NULL, false},
    {"AlterStatsStmt", NULL, false},
    {"AlterRoleStmt", NULL, false},
    {"AlterRoleSetStmt", NULL, false},
    {"AlterDatabaseStmt", NULL, false},
    {"AlterDatabaseSetStmt", NULL, false},
    {"AlterDefaultPrivilegesStmt", NULL, false},
    {"AlterEventTrigStmt", NULL, false},
    {"AlterPublicationStmt", NULL, false},
    {"GrantStmt", NULL, false},
    {"GrantRoleStmt", NULL, false},
    {"CommentStmt", NULL, false},
    {"SecLabelStmt", NULL, false},
    {"LockStmt", NULL, false},
    {"ConstraintsSetStmt", NULL, false},
    {"VariableShowStmt", NULL, false},
    {"NotifyStmt", NULL, false},
    {"ListenStmt", NULL, false},
    {"UnlistenStmt", NULL, false},
    {"DeallocateStmt", NULL, false},
    {"ClosePortalStmt", NULL, false},
};

const struct statement_kind *statement_kind(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}
