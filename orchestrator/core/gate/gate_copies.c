/*
 * Rows that a migration takes aside and puts back: SELECT INTO or CREATE TABLE AS
 * from a table, DELETE or TRUNCATE of it, INSERT ... SELECT from the copy.  Whether
 * all came back the check after the migration counts.
 */
#include "core/gate/gate_walk.h"

static struct gate_table *table_of(struct gate_walk *w, const struct json *range)
{
    const char *name = json_str(range, "relname", NULL);
    return name == NULL ? NULL
                        : gate_table_find(&w->names, json_str(range, "schemaname", NULL), name);
}

/* Does the FROM of a SELECT read the table, or a copy of it? */
static bool reads(struct gate_walk *w, const struct json *from, const struct gate_table *t)
{
    for (const struct json *child = json_first(from); child != NULL; child = json_next(child)) {
        const struct gate_table *source =
            json_is_object(from) && strcmp(json_key(child), "RangeVar") == 0 ? table_of(w, child)
                                                                             : NULL;
        if ((source != NULL && source->copy_of == t) || reads(w, child, t))
            return true;
    }
    return false;
}

/* The first table of a FROM, through joins. */
static const struct gate_table *first_source(struct gate_walk *w, const struct json *from)
{
    for (const struct json *child = json_first(from); child != NULL; child = json_next(child)) {
        bool named = json_is_object(from) && strcmp(json_key(child), "RangeVar") == 0;
        const struct gate_table *t = named ? table_of(w, child) : first_source(w, child);
        if (t != NULL)
            return t;
    }
    return NULL;
}

/* made: the new table, which gate_look_losses knows already. */
static void note_copy(struct gate_walk *w, const struct json *made, const struct json *select)
{
    struct gate_table *copy = made == NULL ? NULL : table_of(w, made);
    if (copy != NULL)
        copy->copy_of = first_source(w, json_find(select, "fromClause"));
}

static void note_return(struct gate_walk *w, const struct json *insert)
{
    const struct json *select = json_find(json_find(insert, "selectStmt"), "SelectStmt");
    const struct gate_table *t = table_of(w, json_find(insert, "relation"));
    if (t == NULL || !reads(w, json_find(select, "fromClause"), t))
        return;
    for (size_t i = 0; i < w->loss_count; i++)
        if (w->losses[i].table == t && w->losses[i].rule == GATE_ROWS_LOST)
            w->losses[i].returned = true;
}

void gate_look_copies(struct gate_walk *w, const struct sql_statement *s)
{
    if (strcmp(s->kind, "CreateTableAsStmt") == 0)
        note_copy(w, json_find(json_find(s->node, "into"), "rel"),
                  json_find(json_find(s->node, "query"), "SelectStmt"));
    else if (strcmp(s->kind, "SelectStmt") == 0)
        note_copy(w, json_find(json_find(s->node, "intoClause"), "rel"), s->node);
    else if (strcmp(s->kind, "InsertStmt") == 0)
        note_return(w, s->node);
}
