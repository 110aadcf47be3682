#include "core/gate/gate_walk.h"
#include "core/prisma/calls.h"
#include "core/prisma/statement.h"

static bool is(const struct json *node, const char *key, const char *word)
{
    return strcmp(json_str(node, key, ""), word) == 0;
}

static void say(struct gate_walk *w, const char *target, const char *what)
{
    gate_say(&w->said,
             (struct gate_said){
                 .at = w->at,
                 .rule = GATE_GLOBAL_EFFECT,
                 .level = FINDING_ERROR,
                 .target = arena_strdup(w->arena, target),
                 .message = arena_printf(
                     w->arena, "%s reaches past the database: a rollback does not undo it", what),
             });
}

/* The name in a field that each of these statements has. */
static const struct {
    const char *kind, *field, *what;
} named[] = {
    {"CreateRoleStmt", "role", "CREATE ROLE"},
    {"AlterSystemStmt", NULL, "ALTER SYSTEM"},
    {"CreatedbStmt", "dbname", "CREATE DATABASE"},
    {"DropdbStmt", "dbname", "DROP DATABASE"},
    {"CreateTableSpaceStmt", "tablespacename", "CREATE TABLESPACE"},
    {"DropTableSpaceStmt", "tablespacename", "DROP TABLESPACE"},
    {"AlterTableSpaceOptionsStmt", "tablespacename", "ALTER TABLESPACE"},
    {"CreateSubscriptionStmt", "subname", "CREATE SUBSCRIPTION"},
    {"AlterSubscriptionStmt", "subname", "ALTER SUBSCRIPTION"},
    {"DropSubscriptionStmt", "subname", "DROP SUBSCRIPTION"},
};

/* Schema NULL: in any.  A name that ends with "*" stands for all that begin so. */
static const struct {
    const char *schema, *name;
} calls[] = {
    {NULL, "dblink*"},
    {NULL, "http"},
    {NULL, "http_get"},
    {NULL, "http_post"},
    {NULL, "http_put"},
    {NULL, "http_patch"},
    {NULL, "http_delete"},
    {NULL, "http_head"},
    {"aws_s3", "*"},
    {"aws_lambda", "*"},
    {NULL, "lo_export"},
    {NULL, "lo_import"},
    {NULL, "pg_read_file"},
    {NULL, "pg_read_binary_file"},
    {NULL, "pg_file_*"},
    {NULL, "pg_terminate_backend"},
    {NULL, "pg_cancel_backend"},
    {NULL, "pg_reload_conf"},
    {NULL, "pg_rotate_logfile"},
    {NULL, "pg_switch_wal"},
    {NULL, "pg_promote"},
    {NULL, "pg_create_physical_replication_slot"},
    {NULL, "pg_create_logical_replication_slot"},
    {NULL, "pg_drop_replication_slot"},
    {NULL, "pg_replication_slot_advance"},
    {NULL, "pg_replication_origin_*"},
};

static bool name_matches(const char *pattern, const char *name)
{
    size_t n = strlen(pattern);
    return pattern[n - 1] == '*' ? strncmp(pattern, name, n - 1) == 0 : strcmp(pattern, name) == 0;
}

static void look_call(struct gate_walk *w, const struct json *call)
{
    const char *schema, *name = calls_list_name(json_find(call, "funcname"), &schema);
    for (size_t i = 0; name != NULL && i < ARRAY_LEN(calls); i++)
        if ((calls[i].schema == NULL || str_same(calls[i].schema, schema)) &&
            name_matches(calls[i].name, name)) {
            say(w, name, arena_printf(w->arena, "%s()", name));
            return;
        }
}

static void look_calls(struct gate_walk *w, const struct json *node)
{
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child)) {
        const char *key = json_is_object(node) ? json_key(child) : "";
        if (strcmp(key, "FuncCall") == 0 || strcmp(key, "funccall") == 0)
            look_call(w, child);
        look_calls(w, child);
    }
}

static const char *role_name(const struct json *spec)
{
    const struct json *tagged = json_find(spec, "RoleSpec");
    return json_str(tagged == NULL ? spec : tagged, "rolename", "CURRENT_USER");
}

static bool is_own(const struct gate_walk *w, const char *database)
{
    return w->own_database == NULL || strcmp(w->own_database, database) == 0;
}

static void look_roles(struct gate_walk *w, const struct sql_statement *s)
{
    if (strcmp(s->kind, "AlterRoleStmt") == 0)
        say(w, role_name(json_find(s->node, "role")), "ALTER ROLE");
    if (strcmp(s->kind, "AlterRoleSetStmt") == 0) {
        const char *database = json_str(s->node, "database", NULL);
        const struct json *role = json_find(s->node, "role");
        if (database == NULL || !is_own(w, database))
            say(w, role == NULL ? "ALL" : role_name(role), "ALTER ROLE ... SET");
    }
    if (strcmp(s->kind, "DropRoleStmt") == 0) {
        const struct json *roles = json_find(s->node, "roles");
        for (const struct json *r = json_first(roles); r != NULL; r = json_next(r))
            say(w, role_name(r), "DROP ROLE");
    }
    if (strcmp(s->kind, "GrantRoleStmt") == 0) {
        const struct json *roles = json_find(s->node, "granted_roles");
        for (const struct json *r = json_first(roles); r != NULL; r = json_next(r))
            say(w, json_str(json_find(r, "AccessPriv"), "priv_name", ""),
                json_bool(s->node, "is_grant", false) ? "GRANT of a role" : "REVOKE of a role");
    }
}

/* What a database has outside of its dump is given back by a rollback, of the own one. */
static void look_databases(struct gate_walk *w, const struct sql_statement *s)
{
    const char *name = json_str(s->node, "dbname", "");
    if (str_starts(s->kind, "AlterDatabase") && !is_own(w, name))
        say(w, name, "ALTER DATABASE");
    if (strcmp(s->kind, "AlterOwnerStmt") == 0) {
        const char *object =
            json_str(json_find(json_find(s->node, "object"), "String"), "sval", "");
        if (is(s->node, "objectType", "OBJECT_DATABASE") && !is_own(w, object))
            say(w, object, "ALTER DATABASE");
        if (is(s->node, "objectType", "OBJECT_TABLESPACE"))
            say(w, object, "ALTER TABLESPACE");
    }
    if (strcmp(s->kind, "RenameStmt") == 0) {
        const char *from = json_str(s->node, "subname", "");
        if (is(s->node, "renameType", "OBJECT_ROLE"))
            say(w, from, "ALTER ROLE");
        if (is(s->node, "renameType", "OBJECT_DATABASE"))
            say(w, from, "ALTER DATABASE");
        if (is(s->node, "renameType", "OBJECT_TABLESPACE"))
            say(w, from, "ALTER TABLESPACE");
    }
}

static void look_grant(struct gate_walk *w, const struct sql_statement *s)
{
    const char *type = json_str(s->node, "objtype", "");
    const struct json *objects = json_find(s->node, "objects");
    if (strcmp(s->kind, "GrantStmt") != 0)
        return;
    for (const struct json *o = json_first(objects); o != NULL; o = json_next(o)) {
        const char *name = json_str(json_find(o, "String"), "sval", NULL);
        if (name == NULL)
            continue;
        if (strcmp(type, "OBJECT_TABLESPACE") == 0 || strcmp(type, "OBJECT_PARAMETER_ACL") == 0 ||
            (strcmp(type, "OBJECT_DATABASE") == 0 && !is_own(w, name)))
            say(w, name, json_bool(s->node, "is_grant", false) ? "GRANT" : "REVOKE");
    }
}

static void look_copy(struct gate_walk *w, const struct sql_statement *s)
{
    const char *file = json_str(s->node, "filename", NULL);
    if (strcmp(s->kind, "CopyStmt") != 0 || file == NULL)
        return;
    bool program = json_bool(s->node, "is_program", false);
    bool from = json_bool(s->node, "is_from", false);
    say(w, program ? "PROGRAM" : file,
        arena_printf(w->arena, "COPY %s a %s of the server", from ? "FROM" : "TO",
                     program ? "program" : "file"));
}

void gate_look_effects(struct gate_walk *w, const struct sql_statement *s)
{
    for (size_t i = 0; i < ARRAY_LEN(named); i++)
        if (strcmp(named[i].kind, s->kind) == 0)
            say(w,
                named[i].field == NULL ? json_str(json_find(s->node, "setstmt"), "name", "ALL")
                                       : json_str(s->node, named[i].field, ""),
                named[i].what);
    look_roles(w, s);
    look_databases(w, s);
    look_grant(w, s);
    look_copy(w, s);
    const struct statement_kind *kind = statement_kind(s->kind);
    if ((kind != NULL && kind->inside) || strcmp(s->kind, "CallStmt") == 0)
        look_calls(w, s->node);
}
