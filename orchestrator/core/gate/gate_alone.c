#include "core/gate/gate_walk.h"
#include "core/prisma/calls.h"
#include "core/prisma/statement.h"

static const struct {
    const char *kind, *words, *field; /* of the name of its object */
} alone[] = {
    {"IndexStmt", "CREATE INDEX CONCURRENTLY", "idxname"},
    {"DropStmt", "DROP INDEX CONCURRENTLY", NULL},
    {"AlterTableStmt", "ALTER TABLE ... DETACH PARTITION CONCURRENTLY", NULL},
    {"ReindexStmt", "REINDEX", "name"},
    {"VacuumStmt", "VACUUM", NULL},
    {"ClusterStmt", "CLUSTER", NULL},
    {"DiscardStmt", "DISCARD ALL", NULL},
    {"CreatedbStmt", "CREATE DATABASE", "dbname"},
    {"DropdbStmt", "DROP DATABASE", "dbname"},
    {"AlterSystemStmt", "ALTER SYSTEM", NULL},
    {"CreateTableSpaceStmt", "CREATE TABLESPACE", "tablespacename"},
    {"DropTableSpaceStmt", "DROP TABLESPACE", "tablespacename"},
    {"CreateSubscriptionStmt", "CREATE SUBSCRIPTION", "subname"},
    {"AlterSubscriptionStmt", "ALTER SUBSCRIPTION", "subname"},
    {"DropSubscriptionStmt", "DROP SUBSCRIPTION", "subname"},
};

/* "public.User_email_idx": its own name, or that of the table that it is about. */
static const char *target_of(struct gate_walk *w, const struct sql_statement *s, size_t i)
{
    const struct json *relation = json_find(s->node, "relation");
    const char *name = alone[i].field == NULL ? NULL : json_str(s->node, alone[i].field, NULL);
    const char *schema = json_str(relation, "schemaname", w->default_path.items[0]);
    if (strcmp(s->kind, "DropStmt") == 0) {
        const struct json *first = json_at(json_find(s->node, "objects"), 0);
        name = calls_list_name(json_find(json_find(first, "List"), "items"), &schema);
        schema = schema == NULL ? w->default_path.items[0] : schema;
    } else if (name == NULL) {
        name = json_str(relation, "relname", NULL);
    } else if (relation == NULL) {
        return arena_strdup(w->arena, name);
    }
    return name == NULL ? alone[i].words : statement_name(w->arena, schema, name);
}

void gate_look_alone(struct gate_walk *w, const struct sql_statement *s)
{
    struct effects f = {.touched = strlist_on(w->arena), .inserted = strlist_on(w->arena)};
    struct statement_walk one = {.arena = w->arena, .f = &f};
    const struct statement_kind *kind = statement_kind(s->kind);
    if (kind == NULL || kind->look == NULL)
        return;
    kind->look(&one, s->node);
    for (size_t i = 0; f.concurrently && i < ARRAY_LEN(alone); i++) {
        if (strcmp(alone[i].kind, s->kind) != 0)
            continue;
        if (w->lonely_count == w->lonely_size) {
            const struct gate_lonely *old = w->lonely;
            w->lonely_size = 2 * w->lonely_size + 4;
            w->lonely = arena_array(w->arena, w->lonely_size, sizeof(*w->lonely));
            if (w->lonely_count > 0)
                memcpy(w->lonely, old, w->lonely_count * sizeof(*old));
        }
        w->lonely[w->lonely_count++] = (struct gate_lonely){.at = w->at,
                                                            .words = alone[i].words,
                                                            .target = target_of(w, s, i),
                                                            .in_block = w->in_block,
                                                            .is_index = i == 0};
    }
}

static const char *reason(const struct gate_walk *w, const struct gate_lonely *l)
{
    if (l->in_block)
        return "stands between BEGIN and COMMIT and allows no transaction: it will fail";
    switch (w->sending) {
    case GATE_SENT_WHOLE:
        return "allows no transaction, and this Prisma sends a file whole, as one: beside other "
               "statements it will fail";
    case GATE_SENT_SPLIT:
        if (!l->is_index)
            return "allows no transaction: it passes where this Prisma can take the file apart, "
                   "which it cannot with all that PostgreSQL knows; what was done before a failing "
                   "statement stays";
        return "allows no transaction: it passes with this Prisma because it sends a file "
               "statement by statement; what was done before a failing statement stays";
    case GATE_SENT_UNKNOWN:
        break;
    }
    return "allows no transaction: beside other statements it fails where Prisma sends a file "
           "whole (up to 7.3)";
}

void gate_say_alone(struct gate_walk *w)
{
    for (size_t i = 0; i < w->lonely_count && w->statements > 1; i++) {
        const struct gate_lonely *l = &w->lonely[i];
        bool fails = l->in_block || w->sending == GATE_SENT_WHOLE;
        gate_say(&w->said, (struct gate_said){
                               .at = l->at,
                               .rule = GATE_CONCURRENTLY,
                               .level = fails ? FINDING_ERROR : FINDING_WARNING,
                               .target = l->target,
                               .message = arena_printf(w->arena, "%s %s", l->words, reason(w, l)),
                           });
    }
}
