#include "core/health/dataloss_match.h"

#include <limits.h>

static int by_name(const void *a, const void *b)
{
    const struct live_table *x = a, *y = b;
    int order = strcmp(x->schema, y->schema);
    return order != 0 ? order : strcmp(x->name, y->name);
}

struct live_table *live_table_find(const struct live_catalog *now, const char *schema,
                                   const char *name)
{
    const struct live_table sought = {.schema = schema, .name = name};
    return bsearch(&sought, now->tables, now->count, sizeof(sought), by_name);
}

static struct live_column *find_column(struct live_table *t, const char *name)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (!t->columns[i].dropped && strcmp(t->columns[i].name, name) == 0)
            return &t->columns[i];
    return NULL;
}

static bool is_touched(const struct dataloss_context *c, const char *schema, const char *name)
{
    for (size_t i = 0; i < c->effect_count; i++) {
        const struct effects *f = &c->effects[i];
        if (!f->parsed || f->anything || effects_touch(f, schema, name, c->default_schema))
            return true;
    }
    return false;
}

static void spread_touch(const struct dataloss_context *c, struct live_catalog *now)
{
    for (size_t i = 0; i < now->count; i++)
        now->tables[i].touched = is_touched(c, now->tables[i].schema, now->tables[i].name);
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < now->edge_count; i++) {
            const struct live_edge *edge = &now->edges[i];
            if (edge->from->touched && !edge->to->touched)
                edge->to->touched = again = true;
        }
    }
}

/* Is there a dropped column between two places? */
static bool has_hole(const struct live_table *t, int after, int before)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (t->columns[i].dropped && t->columns[i].place > after && t->columns[i].place < before)
            return true;
    return false;
}

/* Where the migrations' own words have put it; renamed: elsewhere. */
static struct effects_name follow(const struct dataloss_context *c, struct effects_name n,
                                  bool *renamed)
{
    *renamed = false;
    for (size_t i = 0; i < c->effect_count; i++)
        if (effects_renamed(&c->effects[i], &n, c->default_schema))
            *renamed = true;
    return n;
}

static void match_names(const struct dataloss_context *c, struct table_match *m)
{
    for (size_t i = 0; i < m->was->column_count; i++) {
        struct column_match *k = &m->columns[i];
        const struct effects_name was = {m->was->schema, m->was->name, m->was->columns[i].name};
        k->was = &m->was->columns[i];
        k->is = find_column(m->is, follow(c, was, &k->renamed).column);
    }
    /* A column that was given the name of another one is not that one. */
    for (size_t i = 0; i < m->was->column_count; i++)
        for (size_t k = 0; m->columns[i].renamed && k < m->was->column_count; k++)
            if (!m->columns[k].renamed && m->columns[k].is == m->columns[i].is)
                m->columns[k].is = NULL;
}

/* Another type, and the mark of ADD COLUMN ... DEFAULT. */
static bool looks_added(const struct column_match *c)
{
    return c->is->missing != NULL && strcmp(c->is->type, c->was->type) != 0;
}

/* Place of the nearest column before the i-th that does not look added. */
static int place_ahead(const struct table_match *m, size_t i)
{
    while (i-- > 0)
        if (m->columns[i].is != NULL && !looks_added(&m->columns[i]))
            return m->columns[i].is->place;
    return 0;
}

/* A column that now stands after one that it stood before was dropped and added again.  The last
 * ones have none behind them: there a hole and the look of an added column tell. */
static void find_recreated(struct table_match *m)
{
    int behind = INT_MAX; /* smallest place of the kept columns behind */
    for (size_t i = m->was->column_count; i-- > 0;) {
        struct column_match *c = &m->columns[i];
        if (c->is == NULL)
            continue;
        bool last = behind == INT_MAX;
        c->recreated = c->is->place > behind ||
                       (last && looks_added(c) && has_hole(m->is, place_ahead(m, i), c->is->place));
        if (!c->recreated)
            behind = c->is->place;
    }
    for (size_t i = 0; i < m->was->column_count; i++)
        if (m->columns[i].recreated) {
            m->columns[i].is->added = true;
            m->columns[i].is = NULL;
        }
}

static bool stood_before(const struct table_match *m, const struct live_column *column)
{
    for (size_t i = 0; i < m->was->column_count; i++)
        if (m->columns[i].is == column)
            return true;
    return false;
}

/* Columns between two neighbours that are still there: lost ones of before, places of now. */
struct gap {
    size_t first, end; /* of the manifest's columns */
    int after, before; /* places */
};

static size_t gap_places(const struct table_match *m, const struct gap *g,
                         struct live_column **places)
{
    size_t n = 0;
    for (size_t i = 0; i < m->is->column_count; i++) {
        struct live_column *c = &m->is->columns[i];
        if (c->place > g->after && c->place < g->before && !c->added)
            places[n++] = c;
    }
    return n;
}

static bool fits(const struct column_match *lost, const struct live_column *place, bool any_type)
{
    return lost->is == NULL && !lost->recreated && !place->dropped &&
           (any_type || strcmp(lost->was->type, place->type) == 0);
}

/* First lost with first of the same type, then what is left in order. */
static void match_by_type(struct table_match *m, const struct gap *g, struct live_column **places,
                          size_t n, bool any_type)
{
    for (size_t i = g->first; i < g->end; i++)
        for (size_t k = 0; k < n && m->columns[i].is == NULL; k++)
            if (fits(&m->columns[i], places[k], any_type) && !stood_before(m, places[k]))
                m->columns[i].is = places[k];
}

static void match_gap(struct arena *a, struct table_match *m, const struct gap *g)
{
    size_t lost = g->end - g->first;
    if (lost == 0)
        return;
    struct live_column **places =
        arena_array(a, m->is->column_count + 1, sizeof(struct live_column *));
    size_t n = gap_places(m, g, places);
    if (n == lost) { /* place by place */
        for (size_t i = 0; i < n; i++)
            if (fits(&m->columns[g->first + i], places[i], true))
                m->columns[g->first + i].is = places[i];
    } else if (g->before != INT_MAX) { /* holes from long ago; but nothing here can be new */
        match_by_type(m, g, places, n, false);
        match_by_type(m, g, places, n, true);
    }
}

static void match_renamed(struct arena *a, struct table_match *m)
{
    size_t n = m->was->column_count;
    struct gap g = {.before = INT_MAX};
    for (size_t i = 0; i <= n; i++) {
        bool kept = i < n && m->columns[i].is != NULL;
        if (i < n && !kept)
            continue;
        g.end = i;
        g.before = kept ? m->columns[i].is->place : INT_MAX;
        match_gap(a, m, &g);
        g.first = i + 1;
        g.after = g.before;
    }
    for (size_t i = 0; i < m->is->column_count; i++) {
        struct live_column *c = &m->is->columns[i];
        c->added = c->added || (!c->dropped && !stood_before(m, c));
    }
}

static void want_values(struct table_match *m)
{
    bool lost = false;
    for (size_t i = 0; i < m->was->column_count; i++) {
        struct column_match *c = &m->columns[i];
        lost = lost || (c->is == NULL && c->was->values != 0);
        if (c->is == NULL || c->was->values <= 0 || !c->is->nullable)
            continue;
        c->is->want = WANT_ANY;
        c->is->sparse = c->was->values < m->was->rows / 20;
    }
    for (size_t k = 0; lost && k < m->is->column_count; k++)
        if (m->is->columns[k].added)
            m->is->columns[k].want = WANT_VALUES;
}

static void match_columns(struct arena *a, const struct dataloss_context *c, struct table_match *m)
{
    m->columns = arena_array(a, m->was->column_count + 1, sizeof(*m->columns));
    match_names(c, m);
    find_recreated(m);
    match_renamed(a, m);
    want_values(m);
    m->is->wanted = true;
    m->is->expected_rows = m->was->rows;
}

bool live_table_fits(struct live_table *t, const struct manifest_table *was)
{
    for (size_t i = 0; i < was->column_count; i++) {
        const struct live_column *c = find_column(t, was->columns[i].name);
        if (c == NULL || strcmp(c->type, was->columns[i].type) != 0)
            return false;
    }
    return was->column_count > 0;
}

static void match_gone(struct live_catalog *now, const struct manifest_table *was)
{
    for (size_t i = 0; i < now->count && was->rows > 0; i++) {
        struct live_table *t = &now->tables[i];
        /* A partitioned table is in no manifest, its partitions are: it may be an old one. */
        if (!t->is_new || t->partitioned || !live_table_fits(t, was))
            continue;
        t->wanted = true;
        t->expected_rows = was->rows;
    }
}

/* Another table was given the name of this one, which must be gone then. */
static void yield_names(struct dataloss_matches *all)
{
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; all->items[i].renamed && k < all->count; k++)
            if (!all->items[k].renamed && all->items[k].is == all->items[i].is)
                all->items[k].is = NULL;
}

struct dataloss_matches dataloss_match(struct arena *a, const struct dataloss_context *c,
                                       struct live_catalog *now)
{
    const struct manifest *before = c->before;
    struct dataloss_matches all = {
        .items = arena_array(a, before->table_count + 1, sizeof(*all.items)),
    };
    for (size_t i = 0; i < now->count; i++)
        now->tables[i].is_new = true;
    spread_touch(c, now);
    for (size_t i = 0; i < before->table_count; i++) {
        const struct manifest_table *was = &before->tables[i];
        if (strcmp(was->name, "_prisma_migrations") == 0)
            continue;
        struct table_match *m = &all.items[all.count++];
        *m = (struct table_match){.was = was,
                                  .blamed = c->fenced || is_touched(c, was->schema, was->name)};
        const struct effects_name is =
            follow(c, (struct effects_name){was->schema, was->name, NULL}, &m->renamed);
        m->is = live_table_find(now, is.schema, is.name);
    }
    yield_names(&all);
    for (size_t i = 0; i < all.count; i++) {
        struct table_match *m = &all.items[i];
        if (m->is != NULL) {
            m->blamed = m->blamed || m->is->touched;
            m->is->is_new = false;
            match_columns(a, c, m);
        }
    }
    for (size_t i = 0; i < all.count; i++)
        if (all.items[i].is == NULL)
            match_gone(now, all.items[i].was);
    return all;
}
