#include "core/gate/gate_walk.h"

#include "core/prisma/calls.h"

struct gate_walk gate_walk_new(struct arena *a, const struct gate_sql_context *c,
                               const char *own_database)
{
    struct gate_walk w = {
        .arena = a,
        .names.arena = a,
        .default_path = strlist_on(a),
        .own_database = own_database,
        .sending = c->sending,
        .said.arena = a,
    };
    strlist_add(&w.default_path, c->default_schema == NULL ? "public" : c->default_schema);
    return w;
}

/* SET search_path and set_config('search_path', ...) hold for the session: for the next files too.
 */
static void set_path(struct gate_walk *w, const struct json *node)
{
    const char *kind = json_str(node, "kind", "");
    w->path_of_file = json_bool(node, "is_local", false);
    w->names.path = &w->default_path;
    if (strcmp(kind, "VAR_SET_VALUE") != 0)
        return;
    struct strlist *path = ARENA_NEW(w->arena, struct strlist);
    *path = strlist_on(w->arena);
    const struct json *args = json_find(node, "args");
    for (const struct json *arg = json_first(args); arg != NULL; arg = json_next(arg)) {
        const struct json *text = json_find(json_find(arg, "A_Const"), "sval");
        const char *name = json_str(text, "sval", "");
        /* One word with commas inside is a single, odd name for the server as well. */
        if (name[0] != '\0' && strcmp(name, "$user") != 0 && strcmp(name, "pg_catalog") != 0)
            strlist_add(path, arena_strdup(w->arena, name));
    }
    w->names.path = path->count > 0 ? path : NULL;
}

static bool sets_path(const struct json *node)
{
    for (const struct json *child = json_first(node); child != NULL; child = json_next(child))
        if ((json_is_object(node) && strcmp(json_key(child), "FuncCall") == 0 &&
             calls_search_path(child)) ||
            sets_path(child))
            return true;
    return false;
}

static void look_path(struct gate_walk *w, const struct sql_statement *s)
{
    if (strcmp(s->kind, "VariableSetStmt") == 0 &&
        (strcmp(json_str(s->node, "name", ""), "search_path") == 0 ||
         strcmp(json_str(s->node, "kind", ""), "VAR_RESET_ALL") == 0))
        set_path(w, s->node);
    if (strcmp(s->kind, "SelectStmt") == 0 && sets_path(s->node))
        w->names.path = NULL;
}

static void look_block(struct gate_walk *w, const struct sql_statement *s)
{
    if (strcmp(s->kind, "TransactionStmt") != 0)
        return;
    const char *kind = json_str(s->node, "kind", "");
    if (strcmp(kind, "TRANS_STMT_BEGIN") == 0 || strcmp(kind, "TRANS_STMT_START") == 0)
        w->in_block = true;
    if (strcmp(kind, "TRANS_STMT_COMMIT") == 0 || strcmp(kind, "TRANS_STMT_ROLLBACK") == 0 ||
        strcmp(kind, "TRANS_STMT_PREPARE") == 0)
        w->in_block = false;
}

static bool visit(void *context, const struct sql_statement *s, struct err *e UNUSED)
{
    struct gate_walk *w = context;
    w->at.line = s->line;
    w->statements++;
    look_path(w, s);
    look_block(w, s);
    gate_look_losses(w, s);
    if (!w->history) {
        gate_look_copies(w, s);
        gate_look_effects(w, s);
        gate_look_alone(w, s);
    }
    return true;
}

/* "line 3: syntax error at ..." -> 3, and the rest */
static size_t line_of(const char *message, const char **rest)
{
    *rest = message;
    if (!str_starts(message, "line "))
        return 0;
    char *end;
    unsigned long line = strtoul(message + strlen("line "), &end, 10);
    *rest = str_starts(end, ": ") ? end + 2 : message;
    return line;
}

static void say_unparsed(struct gate_walk *w, const struct migration *m, const struct err *e,
                         int server_version)
{
    const char *why;
    int server = server_version / 10000, parser = sql_parser_version();
    bool too_large = e->sqlstate[0] == '\0';
    bool sure = server_version > 0 && server <= parser && !too_large;
    w->at.line = line_of(e->message, &why);
    const char *message =
        arena_printf(w->arena, "the parser, which speaks PostgreSQL %d, does not understand it: %s",
                     parser, why);
    if (too_large)
        message = arena_printf(w->arena, "too large to be looked at: %s", why);
    else if (sure)
        message =
            arena_printf(w->arena, "%s; nor will the server (PostgreSQL %d)", message, server);
    gate_say(&w->said, (struct gate_said){
                           .at = w->at,
                           .rule = GATE_DOES_NOT_PARSE,
                           .level = sure ? FINDING_ERROR : FINDING_WARNING,
                           .target = m->name,
                           .message = message,
                       });
}

static void walk_file(struct gate_walk *w, const struct migration *m, int server_version)
{
    struct err e = {0};
    w->statements = w->lonely_count = 0;
    w->in_block = false;
    if (m->sql == NULL)
        return;
    if (!sql_each(w->arena, m->sql, visit, w, &e) && !w->history)
        say_unparsed(w, m, &e, server_version);
    gate_say_alone(w);
    if (w->path_of_file) {
        w->path_of_file = false;
        w->names.path = &w->default_path;
    }
}

void gate_walk_all(struct gate_walk *w, const struct gate_sql_context *c, int server_version)
{
    w->names.path = &w->default_path;
    w->history = true;
    for (size_t i = 0; i < c->earlier_count; i++)
        walk_file(w, c->earlier[i], server_version);
    gate_names_settle(&w->names);
    w->history = false;
    w->names.path = &w->default_path;
    for (size_t i = 0; i < c->count; i++) {
        w->at = (struct gate_place){.file = i};
        walk_file(w, c->pending[i], server_version);
    }
}
