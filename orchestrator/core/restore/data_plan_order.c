#include "core/restore/data_planning.h"

/* The graph of what is loaded: nodes are live tables by their place in the list. */
struct graph {
    struct planning *p;
    struct data_table **sources; /* by node: its first source, or NULL: not loaded */
    int64_t *rows;               /* by node: to be loaded */
    bool *emptied, *truncated;   /* by node: rows of it are deleted first, and how */
    bool *refilled;              /* by node: begins empty and gets many rows */
    bool *off;                   /* by foreign key */
    size_t *waits;               /* by node: parents that are not placed yet */
    bool *placed;
    size_t *first, *next; /* by parent: its foreign keys, as a list; SIZE_MAX: the end */
    size_t *up, *up_next; /* by child, the same */
};

static size_t node_of(const struct graph *g, const struct live_table *t)
{
    if (t->root != NULL)
        t = t->root;
    return (size_t)(t - g->p->plan->live->tables);
}

static void mark_loaded(struct graph *g)
{
    struct data_plan *plan = g->p->plan;
    for (size_t i = 0; i < plan->loaded; i++) {
        struct data_table *t = &plan->tables[i];
        size_t node = node_of(g, t->into);
        if (g->sources[node] == NULL)
            g->sources[node] = t;
        g->rows[node] += t->from->rows;
        g->emptied[node] = g->emptied[node] || t->deleted > 0;
        g->truncated[node] = g->truncated[node] || t->truncated;
    }
}

/* Triggers that fire may look at the rows that are there so far. */
static void mark_refilled(struct graph *g)
{
    const struct live *live = g->p->plan->live;
    for (size_t i = 0; i < live->table_count; i++) {
        const struct live_table *t = &live->tables[i];
        g->refilled[i] = g->rows[i] > DATA_MANY_ROWS && t->kind == 'r' && t->owned &&
                         (g->truncated[i] || t->rows == 0) && !g->p->plan->wishes->triggers;
    }
}

/* It leans on a key of a table that is filled anew, and would keep that from being made in the end.
 */
static bool keeps_index(const struct graph *g, const struct live_foreign_key *k)
{
    if (!g->refilled[node_of(g, k->parent)] || !k->child->owned || !k->validated)
        return false;
    for (size_t i = 0; i < k->parent->remakable_count; i++)
        if (str_same(k->parent->remakable[i].oid, k->index))
            return true;
    return false;
}

static void take_off(struct graph *g, size_t key)
{
    const struct live_foreign_key *k = &g->p->plan->live->foreign_keys[key];
    if (g->off[key])
        return;
    g->off[key] = true;
    if (g->sources[node_of(g, k->child)] != NULL && g->sources[node_of(g, k->parent)] != NULL)
        g->waits[node_of(g, k->child)]--;
    if (k->child->owned)
        return;
    data_block(g->p, g->sources[node_of(g, k->child)],
               arena_printf(g->p->arena,
                            "foreign key \"%s\" must be taken off meanwhile, and role \"%s\" does "
                            "not own table %s",
                            k->name, g->p->plan->live->role,
                            data_name(g->p->arena, k->child->schema, k->child->name)),
               "Set admin-url to a role that owns the tables.");
}

/* What would be in the way of deleting, or of loading in one statement, or slow.  Few rows are
 * deleted children first; but rows of others that refer to them stay, and wait for their return.
 * Rows that were there before a key that is not valid may break it. */
static bool is_in_the_way(const struct graph *g, const struct live_foreign_key *k)
{
    size_t child = node_of(g, k->child), parent = node_of(g, k->parent);
    bool stays = g->sources[child] == NULL || k->child->kind == 'p' || k->child->root != NULL;
    if (g->truncated[parent] || (g->emptied[parent] && stays))
        return true;
    if (g->sources[child] == NULL)
        return false;
    bool many = g->rows[child] > (g->p->plan->wishes->side ? 0 : DATA_MANY_ROWS);
    return child == parent || keeps_index(g, k) || (k->child->owned && (many || !k->validated));
}

static void link_keys(struct graph *g)
{
    const struct live *live = g->p->plan->live;
    for (size_t i = 0; i < live->table_count; i++)
        g->first[i] = g->up[i] = SIZE_MAX;
    for (size_t i = live->foreign_key_count; i-- > 0;) {
        const struct live_foreign_key *k = &live->foreign_keys[i];
        size_t child = node_of(g, k->child), parent = node_of(g, k->parent);
        g->next[i] = g->first[parent];
        g->first[parent] = i;
        g->up_next[i] = g->up[child];
        g->up[child] = i;
        if (g->sources[child] != NULL && g->sources[parent] != NULL)
            g->waits[child]++;
    }
    for (size_t i = 0; i < live->foreign_key_count; i++)
        if (is_in_the_way(g, &live->foreign_keys[i]))
            take_off(g, i);
}

/* A foreign key of `node` to a loaded table that is not placed; SIZE_MAX: none. */
static size_t unplaced_parent(const struct graph *g, size_t node)
{
    for (size_t k = g->up[node]; k != SIZE_MAX; k = g->up_next[k]) {
        size_t parent = node_of(g, g->p->plan->live->foreign_keys[k].parent);
        if (!g->off[k] && g->sources[parent] != NULL && !g->placed[parent])
            return k;
    }
    return SIZE_MAX;
}

/* Every table that is left waits for another: going from one to its parent again and again ends in
 * a cycle, of which one foreign key is taken off. */
static void break_cycle(struct graph *g, size_t node)
{
    const struct live *live = g->p->plan->live;
    for (size_t steps = 0; steps <= live->table_count; steps++)
        node = node_of(g, live->foreign_keys[unplaced_parent(g, node)].parent);
    take_off(g, unplaced_parent(g, node));
}

struct queue {
    size_t *items;
    size_t count, done;
};

static void place(struct graph *g, struct queue *q, size_t node)
{
    g->placed[node] = true;
    q->items[q->count++] = node;
}

static void free_children(struct graph *g, struct queue *q, size_t node)
{
    for (size_t k = g->first[node]; k != SIZE_MAX; k = g->next[k]) {
        size_t child = node_of(g, g->p->plan->live->foreign_keys[k].child);
        if (g->off[k] || g->sources[child] == NULL || g->placed[child])
            continue;
        if (--g->waits[child] == 0)
            place(g, q, child);
    }
}

/* Those that wait for nothing, by name. */
static void place_free(struct graph *g, struct queue *q)
{
    for (size_t i = 0; i < g->p->plan->live->table_count; i++)
        if (g->sources[i] != NULL && g->waits[i] == 0 && !g->placed[i])
            place(g, q, i);
    while (q->done < q->count)
        free_children(g, q, q->items[q->done++]);
}

static void order_nodes(struct graph *g, struct queue *q)
{
    place_free(g, q);
    for (size_t i = 0; i < g->p->plan->live->table_count; i++)
        while (g->sources[i] != NULL && !g->placed[i]) {
            break_cycle(g, i);
            place_free(g, q);
        }
}

/* The tables in the order of their nodes; sources of one node stay in theirs. */
static void sort_tables(struct graph *g, const struct queue *q)
{
    struct data_plan *plan = g->p->plan;
    struct data_table *sorted = arena_array(g->p->arena, plan->table_count + 1, sizeof(*sorted));
    size_t *rank = arena_array(g->p->arena, plan->live->table_count + 1, sizeof(*rank));
    size_t *starts = arena_array(g->p->arena, q->count + 2, sizeof(*starts));
    for (size_t i = 0; i < q->count; i++)
        rank[q->items[i]] = i;
    for (size_t i = 0; i < plan->loaded; i++)
        starts[rank[node_of(g, plan->tables[i].into)] + 1]++;
    for (size_t i = 1; i <= q->count; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < plan->loaded; i++)
        sorted[starts[rank[node_of(g, plan->tables[i].into)]]++] = plan->tables[i];
    for (size_t i = plan->loaded; i < plan->table_count; i++)
        sorted[i] = plan->tables[i];
    plan->tables = sorted;
}

static void note_triggers(struct graph *g)
{
    struct data_plan *plan = g->p->plan;
    const struct live *live = plan->live;
    plan->quiet = arena_array(g->p->arena, live->table_count + 1, sizeof(void *));
    for (size_t i = 0; i < live->table_count && !plan->wishes->triggers; i++) {
        struct live_table *t = &live->tables[i];
        if (t->trigger_count == 0 || g->sources[node_of(g, t)] == NULL)
            continue;
        plan->quiet[plan->quiet_count++] = t;
        if (!t->owned)
            data_block(g->p, g->sources[node_of(g, t)],
                       arena_printf(g->p->arena,
                                    "its triggers must be off meanwhile, and role \"%s\" does not "
                                    "own table %s",
                                    live->role, data_name(g->p->arena, t->schema, t->name)),
                       "Set admin-url to a role that owns the tables, or add --triggers to let them"
                       " fire.");
    }
}

static bool is_in_backup(const struct manifest *m, const struct live_sequence *s)
{
    for (size_t i = 0; i < m->sequence_count; i++)
        if (strcmp(m->sequences[i].schema, s->schema) == 0 &&
            strcmp(m->sequences[i].name, s->name) == 0)
            return true;
    return false;
}

static void note_sequences(struct graph *g)
{
    struct data_plan *plan = g->p->plan;
    const struct live *live = plan->live;
    plan->sequences = arena_array(g->p->arena, live->sequence_count + 1, sizeof(void *));
    for (size_t i = 0; i < live->sequence_count; i++) {
        const struct live_sequence *s = &live->sequences[i];
        bool loaded = s->table != NULL && g->sources[node_of(g, s->table)] != NULL;
        if (loaded || (s->table == NULL && is_in_backup(plan->manifest, s)))
            plan->sequences[plan->sequence_count++] = s;
    }
}

void data_plan_order(struct planning *p)
{
    struct data_plan *plan = p->plan;
    const struct live *live = plan->live;
    size_t tables = live->table_count + 1, keys = live->foreign_key_count + 1;
    struct graph g = {
        .p = p,
        .sources = arena_array(p->arena, tables, sizeof(void *)),
        .rows = arena_array(p->arena, tables, sizeof(*g.rows)),
        .emptied = arena_array(p->arena, tables, sizeof(*g.emptied)),
        .truncated = arena_array(p->arena, tables, sizeof(*g.truncated)),
        .refilled = arena_array(p->arena, tables, sizeof(*g.refilled)),
        .waits = arena_array(p->arena, tables, sizeof(*g.waits)),
        .placed = arena_array(p->arena, tables, sizeof(*g.placed)),
        .first = arena_array(p->arena, tables, sizeof(*g.first)),
        .off = arena_array(p->arena, keys, sizeof(*g.off)),
        .next = arena_array(p->arena, keys, sizeof(*g.next)),
        .up = arena_array(p->arena, tables, sizeof(*g.up)),
        .up_next = arena_array(p->arena, keys, sizeof(*g.up_next)),
    };
    struct queue q = {.items = arena_array(p->arena, tables, sizeof(*q.items))};
    mark_loaded(&g);
    mark_refilled(&g);
    link_keys(&g);
    order_nodes(&g, &q);
    note_triggers(&g);
    note_sequences(&g);
    sort_tables(&g, &q);
    plan->taken_off = arena_array(p->arena, keys, sizeof(void *));
    for (size_t i = 0; i < live->foreign_key_count; i++)
        if (g.off[i])
            plan->taken_off[plan->taken_off_count++] = &live->foreign_keys[i];
    data_plan_indexes(p, g.refilled);
}
