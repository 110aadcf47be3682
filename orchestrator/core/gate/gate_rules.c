#include "core/gate/gate_rules.h"

#include "core/gate/gate_sql.h"

struct rule {
    const char *id, *level, *finds, *advice;
    bool allowable; /* its advice ends with how to say that it is meant */
    const char *target;
};

static const struct rule rules[] = {
    [GATE_DROP_TABLE] = {"drop-table", "error, without a database warning",
                         "DROP TABLE, or of its schema, of a table with rows", "", true, "TABLE"},
    [GATE_DROP_COLUMN] = {"drop-column",
                          "error, without a database warning; warning when an UPDATE wrote its "
                          "values to a new column",
                          "DROP COLUMN, or of its type, of a column that holds values", "", true,
                          "TABLE.COLUMN"},
    [GATE_RENAMED_COLUMN] = {"renamed-column", "error, without a database warning",
                             "DROP COLUMN of a column that holds values, and ADD COLUMN of the "
                             "same type: a rename that loses them",
                             "Prisma writes DROP and ADD for a rename: write ALTER TABLE ... "
                             "RENAME COLUMN instead.",
                             true, "TABLE.COLUMN"},
    [GATE_ROWS_LOST] =
        {"rows-lost",
         "error, without a database warning; warning when rows are put back from a copy",
         "TRUNCATE, or DELETE without WHERE, of a table with rows; DROP and CREATE "
         "of it",
         "", true, "TABLE"},
    [GATE_GLOBAL_EFFECT] = {"global-effect", "error",
                            "what reaches past the database, where no rollback undoes it: roles, "
                            "ALTER SYSTEM, other databases, tablespaces, subscriptions, dblink, "
                            "http, files and programs of the server",
                            "Do it outside of migrations.", true, "NAME"},
    [GATE_CONCURRENTLY] = {"concurrently",
                           "error where Prisma sends the file whole (up to 7.3) and between BEGIN "
                           "and COMMIT, else warning",
                           "CONCURRENTLY, or another statement that allows no transaction, beside "
                           "other statements",
                           "Give the statement a migration of its own.", false, ""},
    [GATE_DOES_NOT_PARSE] = {"does-not-parse",
                             "error where the server is no newer than the parser, else warning",
                             "SQL that the parser does not understand; nothing else is found in "
                             "that file",
                             "Look whether the server understands it.", false, ""},
};

const char *gate_rule_name(enum gate_rule rule)
{
    return rules[rule].id;
}

const char *gate_rule_advice(struct arena *a, enum gate_rule rule, const char *target)
{
    const struct rule *r = &rules[rule];
    if (!r->allowable)
        return r->advice;
    return arena_printf(a, "%s%sIf it is meant: -- migsafe: allow %s %s, in the migration.",
                        r->advice, r->advice[0] == '\0' ? "" : " ", r->id, target);
}

void gate_sql_list(FILE *to)
{
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        fprintf(to, "| %s | %s | %s | %s |\n", rules[i].id, rules[i].level, rules[i].finds,
                gate_rule_advice(a, (enum gate_rule)i, rules[i].target));
}

void gate_say(struct gate_sayings *s, struct gate_said said)
{
    if (s->count == s->size) {
        struct gate_said *old = s->items;
        s->size = 2 * s->size + 8;
        s->items = arena_array(s->arena, s->size, sizeof(*s->items));
        if (s->count > 0)
            memcpy(s->items, old, s->count * sizeof(*old));
    }
    s->items[s->count++] = said;
}
