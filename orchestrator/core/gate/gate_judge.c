#include "core/gate/gate_judge.h"

#include "core/gate/gate_type.h"

void gate_victims_add(struct gate_victims *v, struct gate_victim item)
{
    if (v->count == v->size) {
        const struct gate_victim *old = v->items;
        v->size = 2 * v->size + 8;
        v->items = arena_array(v->arena, v->size, sizeof(*v->items));
        if (v->count > 0)
            memcpy(v->items, old, v->count * sizeof(*old));
    }
    v->items[v->count++] = item;
}

/* Without a database nothing is said of what the pending set may have made itself, nor of a type
 * that was renamed and whose columns got another one: an enum made anew. */
void gate_victims_unasked(const struct gate_walk *w, struct gate_victims *v)
{
    for (size_t i = 0; i < w->loss_count; i++) {
        const struct gate_loss *loss = &w->losses[i];
        const char *schema = loss->schema;
        if (loss->maybe_made || loss->moved)
            continue;
        if (schema == NULL)
            schema = loss->path != NULL && loss->path->count > 0 ? loss->path->items[0]
                                                                 : w->default_path.items[0];
        gate_victims_add(v, (struct gate_victim){
                                .loss = loss,
                                .rule = loss->rule,
                                .schema = schema,
                                .table = loss->name,
                                .column = loss->column,
                                .type = loss->is == NULL ? NULL : loss->is->type,
                                .named = true,
                                .kind = GATE_UNKNOWN,
                            });
    }
}

static bool same_table(const struct gate_victim *a, const struct gate_victim *b)
{
    return strcmp(a->schema, b->schema) == 0 && str_same(a->table, b->table);
}

/* Does what is said of y say enough about x?  A table that goes takes its columns and rows along;
 * of two that are alike the one that its statement names counts, or else the first. */
static bool covers(const struct gate_victim *y, const struct gate_victim *x, bool has_database)
{
    if (x == y || !same_table(x, y) || (!has_database && x->loss->reach != y->loss->reach))
        return false;
    if (y->rule == GATE_DROP_TABLE && x->rule != GATE_DROP_TABLE)
        return true;
    if (x->rule != y->rule || !str_same(x->column, y->column))
        return false;
    return x->named == y->named ? y < x : y->named;
}

struct judged {
    const struct gate_victims *all;
    const struct gate_judging *j;
    struct gate_sayings *said;
    const struct gate_victim *v;
};

/* Is there something to say of it that nothing else says? */
static bool counts(const struct judged *g, const struct gate_victim *v)
{
    bool none = v->kind != GATE_UNKNOWN && v->lost == 0;
    if (none ? !g->j->stand_in || !v->named : v->holder)
        return false;
    for (size_t i = 0; i < g->all->count; i++)
        if (covers(&g->all->items[i], v, g->j->has_database))
            return false;
    return true;
}

/* ---- words ---- */

/* Without a database what a schema, a type, an extension or a role has is not known. */
static const char *target_of(struct arena *a, const struct judged *g)
{
    const struct gate_victim *v = g->v;
    enum gate_reach reach = g->j->has_database ? GATE_OF_TABLE : v->loss->reach;
    if (reach == GATE_OF_SCHEMA)
        return arena_printf(a, "%s.*", v->table);
    if (reach == GATE_OF_EXTENSION || reach == GATE_OF_ROLE)
        return v->table == NULL ? "CURRENT_USER" : v->table;
    return arena_printf(a, "%s.%s%s%s", v->schema, v->table, v->column == NULL ? "" : ".",
                        v->column == NULL ? "" : v->column);
}

static const char *amount(struct arena *a, const struct gate_victim *v)
{
    bool rows = v->rule != GATE_DROP_COLUMN;
    const char *many = rows ? "rows" : "values";
    if (v->kind == GATE_UNKNOWN)
        return arena_printf(a, "an unknown number of %s", many);
    return arena_printf(a, "%s%s", v->kind == GATE_ESTIMATED ? "about " : "",
                        str_plural(a, v->lost, rows ? "row" : "value", many));
}

static void say(const struct judged *g, enum gate_rule rule, enum finding_level level,
                const char *message)
{
    gate_say(g->said, (struct gate_said){.at = g->v->loss->at,
                                         .rule = rule,
                                         .level = level,
                                         .target = target_of(g->said->arena, g),
                                         .message = message});
}

/* "table is dropped: 12 rows would be lost", or what can be said without a database. */
static void say_lost(const struct judged *g, enum gate_rule rule, const char *how)
{
    struct arena *a = g->said->arena;
    const struct gate_victim *v = g->v;
    const char *things = v->rule == GATE_DROP_COLUMN ? "values" : "rows";
    if (!g->j->has_database)
        say(g, rule, FINDING_WARNING,
            arena_printf(a, "%s: how many %s would be lost is known only with a database", how,
                         things));
    else if (v->kind != GATE_UNKNOWN && v->lost == 0)
        say(g, rule, FINDING_WARNING,
            arena_printf(a, "%s: it has no %s in this database, which says nothing of others", how,
                         things));
    else
        say(g, rule, FINDING_ERROR, arena_printf(a, "%s: %s would be lost", how, amount(a, v)));
}

/* How it goes: by its own statement, or together with what that names. */
static const char *how_of(struct arena *a, const struct gate_victim *v)
{
    const struct gate_loss *loss = v->loss;
    if (v->named || loss->reach != GATE_OF_TABLE)
        return loss->how;
    return arena_printf(a, "goes with %s.%s (%s)", loss->schema == NULL ? v->schema : loss->schema,
                        loss->name, loss->how);
}

/* ---- tables ---- */

/* Is there a table of that name after the pending set?  Then rows are missing, but no table. */
static bool made_again(const struct judged *g)
{
    for (const struct gate_table *t = g->j->walk->names.tables; t != NULL; t = t->next)
        if (!t->gone && strcmp(t->name, g->v->table) == 0 &&
            (t->schema == NULL || strcmp(t->schema, g->v->schema) == 0) &&
            (t->was_name == NULL || strcmp(t->was_name, g->v->table) != 0))
            return true;
    return false;
}

static void judge_rows(const struct judged *g)
{
    const char *how = how_of(g->said->arena, g->v);
    if (g->v->named && g->v->loss->returned) {
        say(g, g->v->rule, FINDING_WARNING,
            arena_printf(g->said->arena,
                         "%s, and rows are put back from a copy: the check after the "
                         "migration counts whether all are there",
                         how));
        return;
    }
    if (g->v->rule == GATE_DROP_TABLE && made_again(g))
        say_lost(g, GATE_ROWS_LOST,
                 arena_printf(g->said->arena, "%s and another takes its name", how));
    else
        say_lost(g, g->v->rule, how);
}

/* ---- columns ---- */

/* A column that the pending set added and that stays. */
static bool stays(const struct gate_column *c)
{
    return !c->gone && gate_column_is_added(c);
}

static const struct gate_column *added_as(const struct gate_victim *v)
{
    for (const struct gate_column *c = v->loss->table->columns; c != NULL; c = c->next)
        if (stays(c) && strcmp(c->name, v->column) == 0)
            return c;
    return NULL;
}

enum { TAKEN_MAX = 64 };

/* Added columns that are the new name of a lost one already. */
struct taken {
    const struct gate_column *items[TAKEN_MAX];
    size_t count;
};

/* The one that was added first of those that fit and are not taken. */
static const struct gate_column *successor(const struct judged *g, struct taken *taken)
{
    const struct gate_column *best = NULL;
    for (const struct gate_column *c = g->v->loss->table->columns; c != NULL; c = c->next) {
        bool fits = stays(c) && (g->v->type == NULL ||
                                 gate_type_same(c->type, g->v->type, g->j->default_schema));
        for (size_t i = 0; i < taken->count; i++)
            fits = fits && taken->items[i] != c;
        best = fits ? c : best;
    }
    if (best != NULL && taken->count < TAKEN_MAX)
        taken->items[taken->count++] = best;
    return best;
}

static void say_carried(const struct judged *g, const struct gate_column *to)
{
    struct arena *a = g->said->arena;
    const struct gate_victim *v = g->v;
    bool followed = strcmp(to->name, v->column) == 0 || v->type == NULL ||
                    gate_type_same(to->type, v->type, g->j->default_schema);
    say(g, GATE_DROP_COLUMN, FINDING_WARNING,
        arena_printf(a, "column is dropped after an UPDATE wrote its values to \"%s\"%s", to->name,
                     followed ? ""
                              : ", which is of another type: the check after the migration will "
                                "take them for lost unless that is allowed"));
}

static void judge_column(const struct judged *g, struct taken *taken)
{
    struct arena *a = g->said->arena;
    const struct gate_victim *v = g->v;
    const char *how = how_of(a, v);
    if (v->loss->table == NULL || v->column == NULL) {
        say_lost(g, GATE_DROP_COLUMN, how);
        return;
    }
    if (v->loss->carried != NULL && stays(v->loss->carried)) {
        say_carried(g, v->loss->carried);
        return;
    }
    if (added_as(v) != NULL) {
        say_lost(g, GATE_DROP_COLUMN, "column is dropped and added again");
        return;
    }
    const struct gate_column *next = successor(g, taken);
    if (next == NULL)
        say_lost(g, GATE_DROP_COLUMN, how);
    else if (v->type == NULL)
        say_lost(g, GATE_DROP_COLUMN,
                 arena_printf(a,
                              "column is dropped and \"%s\" is added, perhaps its new name, "
                              "for which there is RENAME COLUMN",
                              next->name));
    else
        say_lost(
            g, GATE_RENAMED_COLUMN,
            arena_printf(a, "column is dropped and \"%s\" of the same type is added", next->name));
}

static int by_lost(const void *a, const void *b)
{
    const struct gate_victim *const *x = a, *const *y = b;
    if ((*x)->lost != (*y)->lost)
        return (*x)->lost > (*y)->lost ? -1 : 1;
    return strcmp((*x)->column, (*y)->column);
}

/* All columns that a table loses, the fullest first: it has first choice among the added ones. */
static void judge_columns(struct judged *g, size_t first)
{
    const struct gate_victims *all = g->all;
    AUTO(arena) struct arena *scratch = arena_new();
    const struct gate_victim **lost =
        arena_array(scratch, all->count, sizeof(const struct gate_victim *));
    struct taken taken = {.count = 0};
    size_t n = 0;
    for (size_t i = first; i < all->count; i++) {
        const struct gate_victim *v = &all->items[i];
        if (v->rule == GATE_DROP_COLUMN && v->column != NULL && same_table(v, &all->items[first]) &&
            counts(g, v))
            lost[n++] = v;
    }
    qsort(lost, n, sizeof(const struct gate_victim *), by_lost);
    for (size_t i = 0; i < n; i++) {
        g->v = lost[i];
        judge_column(g, &taken);
    }
}

/* Was an earlier one of the same table judged with all its columns? */
static bool seen(const struct gate_victims *all, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (all->items[k].rule == GATE_DROP_COLUMN && all->items[k].column != NULL &&
            same_table(&all->items[k], &all->items[i]))
            return true;
    return false;
}

void gate_judge(const struct gate_victims *v, const struct gate_judging *j,
                struct gate_sayings *said)
{
    struct judged g = {.all = v, .j = j, .said = said};
    for (size_t i = 0; i < v->count; i++) {
        g.v = &v->items[i];
        if (g.v->rule == GATE_DROP_COLUMN && g.v->column != NULL) {
            if (!seen(v, i))
                judge_columns(&g, i);
        } else if (counts(&g, g.v)) {
            if (g.v->rule == GATE_DROP_COLUMN)
                say_lost(&g, GATE_DROP_COLUMN, g.v->loss->how);
            else
                judge_rows(&g);
        }
    }
}
