#include "core/restore/lost_table.h"
#include "sql/queries.h"

struct planning {
    struct arena *arena;
    const struct lost_rows_spec *spec;
    struct pg_rows kept, live, triggers, edges; /* catalogs */
    bool *written;                              /* by row of live: the migration may have */
    bool same_database;
    struct lost_plan *plan;
};

static bool is_row(const struct pg_rows *rows, size_t i, const char *schema, const char *name)
{
    return strcmp(pg_cell(rows, i, "schema"), schema) == 0 &&
           strcmp(pg_cell(rows, i, "name"), name) == 0;
}

/* rows->count: there is none */
static size_t find(const struct pg_rows *rows, const char *schema, const char *name)
{
    size_t i = 0;
    while (i < rows->count && !is_row(rows, i, schema, name))
        i++;
    return i;
}

/* --- what the migration may have written ----------------------------------------------------- */

static bool writes(const struct lost_rows_wish *w, const char *schema, const char *name)
{
    for (size_t i = 0; i < w->effect_count; i++) {
        const struct effects *f = &w->effects[i];
        if (!f->parsed || (f->any_rows && effects_write(f, schema, name, w->default_schema)))
            return true;
    }
    return false;
}

static bool spread_edges(struct planning *p)
{
    bool more = false;
    for (size_t i = 0; i < p->edges.count; i++) {
        size_t from = find(&p->live, pg_cell(&p->edges, i, "from_schema"),
                           pg_cell(&p->edges, i, "from_name"));
        size_t to =
            find(&p->live, pg_cell(&p->edges, i, "to_schema"), pg_cell(&p->edges, i, "to_name"));
        /* A partitioned table has no rows, and is not in the list: asked for by its name. */
        bool written = from < p->live.count
                           ? p->written[from]
                           : writes(p->spec->wish, pg_cell(&p->edges, i, "from_schema"),
                                    pg_cell(&p->edges, i, "from_name"));
        if (!written || to == p->live.count || p->written[to])
            continue;
        p->written[to] = more = true;
    }
    return more;
}

/* A trigger of a written table may write any table. */
static bool is_triggered(const struct planning *p)
{
    for (size_t i = 0; i < p->triggers.count; i++) {
        size_t at =
            find(&p->live, pg_cell(&p->triggers, i, "schema"), pg_cell(&p->triggers, i, "name"));
        if (at < p->live.count ? p->written[at]
                               : writes(p->spec->wish, pg_cell(&p->triggers, i, "schema"),
                                        pg_cell(&p->triggers, i, "name")))
            return true;
    }
    return false;
}

static void mark_written(struct planning *p)
{
    p->written = arena_array(p->arena, p->live.count + 1, sizeof(*p->written));
    for (size_t i = 0; i < p->live.count; i++)
        p->written[i] =
            writes(p->spec->wish, pg_cell(&p->live, i, "schema"), pg_cell(&p->live, i, "name"));
    while (spread_edges(p))
        ;
    bool all = is_triggered(p);
    for (size_t i = 0; i < p->live.count; i++)
        p->written[i] = p->written[i] || all;
}

/* --- columns --------------------------------------------------------------------------------- */

static const char *kept_name(const struct planning *p, const struct manifest_table *was,
                             const char *column)
{
    const struct lost_rows_wish *w = p->spec->wish;
    struct effects_name n = {was->schema, was->name, column};
    for (size_t i = 0; i < w->effect_count; i++)
        effects_renamed(&w->effects[i], &n, w->default_schema);
    return n.column;
}

static size_t find_column(const struct pg_rows *rows, const char *oid, const char *name)
{
    size_t i = 0;
    while (i < rows->count && (strcmp(pg_cell(rows, i, "oid"), oid) != 0 ||
                               strcmp(pg_cell(rows, i, "name"), name) != 0))
        i++;
    return i;
}

static void pair_column(struct planning *p, struct lost_table *t, const struct pg_rows *kept,
                        const struct pg_rows *live, size_t i)
{
    struct lost_column *c = &t->columns[t->count++];
    const char *key = pg_cell(live, i, "operator");
    *c = (struct lost_column){
        .name = pg_cell(live, i, "name"),
        .kept = kept_name(p, t->was, pg_cell(live, i, "name")),
        .type = pg_cell(live, i, "type"),
        .bare = pg_cell(live, i, "bare"),
        .key = (int)pg_cell_int(live, i, "key"),
        .operator= key,
        .required = pg_cell_bool(live, i, "required"),
        .identity = pg_cell(live, i, "identity")[0] != '\0',
        .always = pg_cell(live, i, "identity")[0] == 'a',
    };
    t->keys += c->key > 0;
    size_t k = find_column(kept, t->kept_oid, c->kept);
    if (k == kept->count || pg_cell_bool(kept, k, "generated") ||
        strcmp(pg_cell(kept, k, "signature"), pg_cell(live, i, "signature")) != 0)
        c->kept = NULL;
}

/* False: the table cannot be compared, a note says why. */
static bool pair_columns(struct planning *p, struct lost_table *t, const struct pg_rows *kept,
                         const struct pg_rows *live)
{
    struct strlist left_out = strlist_on(p->arena);
    bool key_known = true;
    t->columns = arena_array(p->arena, t->was->column_count + 1, sizeof(*t->columns));
    for (size_t i = 0; i < t->was->column_count; i++) {
        const struct manifest_column *was = &t->was->columns[i];
        size_t at = find_column(live, t->live_oid, was->name);
        if (was->generated)
            continue;
        if (at == live->count || pg_cell_bool(live, at, "generated")) {
            strlist_printf(&p->plan->notes, "table \"%s\".\"%s\" was changed after the swap",
                           t->was->schema, t->was->name);
            return false;
        }
        pair_column(p, t, kept, live, at);
        const struct lost_column *c = &t->columns[t->count - 1];
        if (c->kept != NULL)
            continue;
        strlist_printf(&left_out, "\"%s\"", c->name);
        t->no_inserts = t->no_inserts || c->required;
        key_known = key_known && c->key == 0;
    }
    if (left_out.count > 0)
        t->note =
            arena_printf(p->arena, "the migration dropped or changed column%s %s:%s",
                         left_out.count == 1 ? "" : "s", strlist_join(&left_out, ", "),
                         t->no_inserts ? " values written to it are not there, nor are new rows"
                                       : " values written to it are not there");
    if (key_known && t->count > 0)
        return true;
    strlist_printf(&p->plan->notes, "table \"%s\".\"%s\" %s", t->was->schema, t->was->name,
                   t->count == 0 ? "has no columns"
                                 : "has another primary key in the kept database");
    return false;
}

/* --- tables ---------------------------------------------------------------------------------- */

/* Its place in kept: a rename keeps the oid; a table made anew may have the name. */
static size_t kept_place(const struct planning *p, const struct manifest_table *was)
{
    for (size_t i = 0; p->same_database && was->oid != NULL && i < p->kept.count; i++)
        if (strcmp(pg_cell(&p->kept, i, "oid"), was->oid) == 0)
            return i;
    return find(&p->kept, was->schema, was->name);
}

static const struct lost_writes *counted(const struct planning *p, const char *schema,
                                         const char *name)
{
    for (size_t i = 0; i < p->spec->table_count; i++)
        if (strcmp(p->spec->tables[i].schema, schema) == 0 &&
            strcmp(p->spec->tables[i].table, name) == 0)
            return &p->spec->tables[i];
    return NULL;
}

static void add_table(struct planning *p, const struct manifest_table *was, bool *known)
{
    size_t live = find(&p->live, was->schema, was->name), kept = kept_place(p, was);
    if (kept < p->kept.count)
        known[kept] = true;
    if (strcmp(was->name, "_prisma_migrations") == 0 || (was->file == NULL && was->rows > 0))
        return;
    if (live == p->live.count || kept == p->kept.count) {
        if (kept == p->kept.count)
            strlist_printf(&p->plan->notes,
                           "the migration dropped table \"%s\".\"%s\": what others wrote to it"
                           " before is gone",
                           was->schema, was->name);
        return;
    }
    if (!p->spec->all_tables &&
        counted(p, pg_cell(&p->kept, kept, "schema"), pg_cell(&p->kept, kept, "name")) == NULL)
        return;
    struct lost_table *t = ARENA_NEW(p->arena, struct lost_table);
    *t = (struct lost_table){
        .was = was,
        .live_oid = pg_cell(&p->live, live, "oid"),
        .kept_oid = pg_cell(&p->kept, kept, "oid"),
        .kept =
            pg_ident2(p->arena, pg_cell(&p->kept, kept, "schema"), pg_cell(&p->kept, kept, "name")),
        .of_migration = p->written[live],
    };
    p->plan->tables[p->plan->count++] = t;
}

static void add_tables(struct planning *p)
{
    const struct manifest *m = &p->spec->backup->manifest;
    bool *known = arena_array(p->arena, p->kept.count + 1, sizeof(*known));
    p->plan->tables = arena_array(p->arena, m->table_count + 1, sizeof(void *));
    for (size_t i = 0; i < m->table_count; i++)
        add_table(p, &m->tables[i], known);
    for (size_t i = 0; i < p->kept.count; i++) {
        const char *schema = pg_cell(&p->kept, i, "schema"), *name = pg_cell(&p->kept, i, "name");
        const struct lost_writes *w = counted(p, schema, name);
        if (!known[i] && w != NULL && strcmp(name, "_prisma_migrations") != 0)
            strlist_printf(&p->plan->notes,
                           "table \"%s\".\"%s\" is new with the migration: its rows (%lld) are only"
                           " in the kept database",
                           schema, name, (long long)w->rows_now);
    }
}

static const char *oids(struct planning *p, bool of_live)
{
    struct strlist list = strlist_on(p->arena);
    for (size_t i = 0; i < p->plan->count; i++)
        strlist_add(&list, of_live ? p->plan->tables[i]->live_oid : p->plan->tables[i]->kept_oid);
    return pg_array(p->arena, list.items, list.count);
}

static bool read_columns(struct planning *p, struct pg *kept, struct pg *live, struct err *e)
{
    struct pg_rows in_kept, in_live;
    size_t good = 0;
    if (!pg_query(p->arena, kept, sql_lost_columns, PG_ARGS(oids(p, false)), &in_kept, e) ||
        !pg_query(p->arena, live, sql_lost_columns, PG_ARGS(oids(p, true)), &in_live, e))
        return false;
    for (size_t i = 0; i < p->plan->count; i++)
        if (pair_columns(p, p->plan->tables[i], &in_kept, &in_live))
            p->plan->tables[good++] = p->plan->tables[i];
    p->plan->count = good;
    return true;
}

static void add_triggers(struct planning *p, struct lost_table *t)
{
    t->triggers = strlist_on(p->arena);
    for (size_t i = 0; i < p->triggers.count; i++)
        if (strcmp(pg_cell(&p->triggers, i, "oid"), t->live_oid) == 0)
            strlist_add(&t->triggers, pg_cell(&p->triggers, i, "trigger"));
}

/* --- keys ------------------------------------------------------------------------------------ */

static void add_pair(struct planning *p, struct lost_link *l, size_t most, struct lost_pair pair)
{
    if (l->pairs == NULL)
        l->pairs = arena_array(p->arena, most, sizeof(*l->pairs));
    l->pairs[l->count++] = pair;
}

static bool read_links(struct planning *p, struct pg *live, struct err *e)
{
    enum { MOST_COLUMNS = 32 }; /* of an index */
    struct pg_rows rows;
    struct lost_plan *plan = p->plan;
    if (!pg_query(p->arena, live, sql_lost_references, PG_ARGS(oids(p, true)), &rows, e))
        return false;
    plan->links = arena_array(p->arena, rows.count + 1, sizeof(*plan->links));
    for (size_t i = 0; i < rows.count; i++) {
        if (i == 0 || strcmp(pg_cell(&rows, i, "oid"), pg_cell(&rows, i - 1, "oid")) != 0)
            plan->links[plan->link_count++] = (struct lost_link){
                .child_oid = pg_cell(&rows, i, "child_oid"),
                .parent_oid = pg_cell(&rows, i, "parent_oid"),
                .child = lost_ident2(p->arena, pg_cell(&rows, i, "child_schema"),
                                     pg_cell(&rows, i, "child_name")),
                .parent = lost_ident2(p->arena, pg_cell(&rows, i, "parent_schema"),
                                      pg_cell(&rows, i, "parent_name")),
                .of_parts = pg_cell_bool(&rows, i, "of_parts"),
                .acts = pg_cell_bool(&rows, i, "acts"),
            };
        add_pair(p, &plan->links[plan->link_count - 1], MOST_COLUMNS,
                 (struct lost_pair){pg_cell(&rows, i, "child_column"),
                                    pg_cell(&rows, i, "parent_column"),
                                    pg_cell(&rows, i, "operator")});
    }
    return true;
}

static bool read_uniques(struct planning *p, struct pg *live, struct err *e)
{
    enum { MOST_COLUMNS = 32 };
    struct pg_rows rows;
    struct lost_plan *plan = p->plan;
    if (!pg_query(p->arena, live, sql_lost_unique, PG_ARGS(oids(p, true)), &rows, e))
        return false;
    plan->uniques = arena_array(p->arena, rows.count + 1, sizeof(*plan->uniques));
    for (size_t i = 0; i < rows.count; i++) {
        if (i == 0 || strcmp(pg_cell(&rows, i, "oid"), pg_cell(&rows, i - 1, "oid")) != 0)
            plan->uniques[plan->unique_count++] =
                (struct lost_link){.child_oid = pg_cell(&rows, i, "table_oid")};
        add_pair(
            p, &plan->uniques[plan->unique_count - 1], MOST_COLUMNS,
            (struct lost_pair){pg_cell(&rows, i, "name"), NULL, pg_cell(&rows, i, "operator")});
    }
    return true;
}

/* Does it refer to a table from the i-th on, besides itself? */
static bool waits(const struct lost_plan *plan, size_t t, size_t from)
{
    for (size_t l = 0; l < plan->link_count; l++)
        for (size_t i = from; i < plan->count; i++)
            if (i != t && str_same(plan->links[l].child_oid, plan->tables[t]->live_oid) &&
                str_same(plan->links[l].parent_oid, plan->tables[i]->live_oid))
                return true;
    return false;
}

/* In a ring of foreign keys the order is any: what is repeated finds the rest. */
static void sort_tables(struct lost_plan *plan)
{
    for (size_t placed = 0; placed < plan->count; placed++) {
        size_t next = placed;
        while (next + 1 < plan->count && waits(plan, next, placed))
            next++;
        if (waits(plan, next, placed))
            next = placed;
        struct lost_table *t = plan->tables[next];
        for (size_t i = next; i > placed; i--)
            plan->tables[i] = plan->tables[i - 1];
        plan->tables[placed] = t;
        t->number = (int)placed + 1;
    }
}

bool lost_plan(struct arena *a, const struct lost_rows_spec *spec, struct pg *kept, struct pg *live,
               struct lost_plan *plan, struct err *e)
{
    struct planning p = {
        .arena = a,
        .spec = spec,
        .same_database = str_same(spec->kept_oid, spec->backup->manifest.database.oid),
        .plan = plan,
    };
    *plan = (struct lost_plan){.notes = strlist_on(a)};
    if (!pg_query(a, kept, sql_lost_places, PG_NONE, &p.kept, e) ||
        !pg_query(a, live, sql_lost_places, PG_NONE, &p.live, e) ||
        !pg_query(a, live, sql_lost_triggers, PG_NONE, &p.triggers, e) ||
        !pg_query(a, live, sql_dataloss_edges, PG_NONE, &p.edges, e))
        return false;
    mark_written(&p);
    add_tables(&p);
    if (!read_columns(&p, kept, live, e) || !read_links(&p, live, e) || !read_uniques(&p, live, e))
        return false;
    for (size_t i = 0; i < plan->count; i++)
        add_triggers(&p, plan->tables[i]);
    sort_tables(plan);
    return true;
}
