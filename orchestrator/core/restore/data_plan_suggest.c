#include "core/restore/data_planning.h"

/*
 * What was renamed, most likely: never applied, only offered as the option that says so.
 * Columns: one gone and one new of the same type, and they have a neighbour in common or
 * are the only such pair.  Tables: the same oid in the same database (a rename keeps it), or
 * the same columns.
 */

/* The name that column i of the table had before its neighbour was renamed or not. */
static bool same_neighbour(const struct data_table *t, const struct data_column *gone,
                           const struct live_column *new)
{
    size_t old_at = (size_t)(gone->from - t->from->columns);
    size_t new_at = (size_t)(new - t->into->columns);
    const struct manifest_column *old = t->from->columns;
    const struct live_column *now = t->into->columns;
    bool before =
        old_at > 0 && new_at > 0 && strcmp(old[old_at - 1].name, now[new_at - 1].name) == 0;
    bool after = old_at + 1 < t->from->column_count && new_at + 1 < t->into->column_count &&
                 strcmp(old[old_at + 1].name, now[new_at + 1].name) == 0;
    return before || after;
}

static bool may_be(const struct data_column *gone, const struct data_column *new)
{
    return gone->fate == DATA_GONE && gone->lost > 0 && data_fate_is_new(new->fate) &&
           new->fate != DATA_NEW_GENERATED &&new->fate !=
               DATA_NEW_FILLED &&strcmp(gone->from->type, new->to->type) == 0;
}

static size_t candidates(const struct data_table *t, const struct data_column *one, bool is_gone)
{
    size_t count = 0;
    for (size_t i = 0; i < t->column_count; i++)
        count += is_gone ? may_be(one, &t->columns[i]) : may_be(&t->columns[i], one);
    return count;
}

static void suggest_columns(struct planning *p, const struct data_table *t)
{
    for (size_t g = 0; g < t->column_count; g++)
        for (size_t n = 0; n < t->column_count; n++) {
            const struct data_column *gone = &t->columns[g], *new = &t->columns[n];
            if (!may_be(gone, new))
                continue;
            bool only = candidates(t, gone, true) == 1 && candidates(t, new, false) == 1;
            if (only || same_neighbour(t, gone, new->to))
                strlist_printf(&p->plan->suggestions, "--map '%s.%s=%s'",
                               data_name(p->arena, t->from->schema, t->from->name),
                               gone->from->name, new->to->name);
        }
}

static bool same_columns(const struct manifest_table *old, const struct live_table *now)
{
    size_t same = 0;
    for (size_t i = 0; i < old->column_count; i++) {
        const struct live_column *c = live_column_find(now, old->columns[i].name);
        same += c != NULL && strcmp(c->type, old->columns[i].type) == 0;
    }
    size_t most = old->column_count > now->column_count ? old->column_count : now->column_count;
    return same > 0 && same * 3 >= most * 2;
}

static void suggest_table(struct planning *p, const struct data_table *t)
{
    const struct data_plan *plan = p->plan;
    const struct live_table *found = NULL;
    bool same_database = str_same(plan->manifest->database.oid, plan->live->oid);
    for (size_t i = 0; i < plan->untouched_count; i++) {
        const struct live_table *now = plan->untouched[i];
        if (same_database && t->from->oid != NULL && strcmp(t->from->oid, now->oid) == 0) {
            found = now;
            break;
        }
        if (found == NULL && same_columns(t->from, now))
            found = now;
    }
    if (found != NULL)
        strlist_printf(&p->plan->suggestions, "--map '%s=%s'",
                       data_name(p->arena, t->from->schema, t->from->name),
                       data_name(p->arena, found->schema, found->name));
}

void data_plan_suggest(struct planning *p)
{
    for (size_t i = 0; i < p->plan->table_count; i++) {
        const struct data_table *t = &p->plan->tables[i];
        if (t->ledger)
            continue;
        if (t->to == NULL)
            suggest_table(p, t);
        else
            suggest_columns(p, t);
    }
}
