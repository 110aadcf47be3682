#include "core/gate/gate_count.h"

#include "base/clock.h"
#include "sql/queries.h"

/* A table of 100 million rows takes half a minute to count; a deploy does not wait for that. */
enum { TABLE_MS = 5000, ALL_MS = 30000 };

/* What is known of a victim besides. */
struct facts {
    int64_t estimate; /* rows; 0 and less: unknown */
    const char *key;  /* only rows where this is not NULL */
};

struct counting {
    struct arena *arena;
    struct pg *db;
    struct gate_victims *victims;
    struct facts *facts; /* as many as victims */
    size_t size;
};

/* ---- which tables and columns ---- */

static void add(struct counting *c, struct gate_victim victim, struct facts facts)
{
    gate_victims_add(c->victims, victim);
    if (c->victims->count > c->size) {
        const struct facts *old = c->facts;
        size_t had = c->size;
        c->size = 2 * c->size + 8;
        c->facts = arena_array(c->arena, c->size, sizeof(*c->facts));
        if (had > 0)
            memcpy(c->facts, old, had * sizeof(*old));
    }
    c->facts[c->victims->count - 1] = facts;
}

static bool is_excepted(struct arena *a, const struct gate_loss *loss, const struct gate_victim *v)
{
    if (loss->reach == GATE_OF_TABLE)
        return false;
    const char *dot = v->column == NULL ? "" : ".", *column = v->column == NULL ? "" : v->column;
    const char *bare = arena_printf(a, "%s%s%s", v->table, dot, column);
    return strlist_has(&loss->except, bare) ||
           strlist_has(&loss->except, arena_printf(a, "%s.%s", v->schema, bare));
}

static void take_rows(struct counting *c, const struct gate_loss *loss, const struct pg_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct gate_victim v = {
            .loss = loss,
            .rule = loss->rule,
            .schema = pg_cell(rows, i, "schema"),
            .table = pg_cell(rows, i, "name"),
            .column = pg_cell(rows, i, "attribute"),
            .type = pg_cell(rows, i, "type"),
            .named = pg_cell_bool(rows, i, "named"),
            .holder = pg_cell_bool(rows, i, "partitioned"),
        };
        if (loss->reach != GATE_OF_TABLE)
            v.rule = v.column == NULL ? GATE_DROP_TABLE : GATE_DROP_COLUMN;
        if (!is_excepted(c->arena, loss, &v))
            add(c, v,
                (struct facts){.estimate = pg_cell_int(rows, i, "estimate"),
                               .key = pg_cell(rows, i, "key")});
    }
}

static const char *schemas_of(struct arena *a, const struct gate_loss *loss)
{
    if (loss->schema != NULL)
        return pg_array(a, &loss->schema, 1);
    return loss->path == NULL ? NULL : pg_array(a, loss->path->items, loss->path->count);
}

/* ADD COLUMN IF NOT EXISTS: was it there? */
static bool ask_added(struct counting *c, const struct gate_loss *loss, struct err *e)
{
    const char *schemas = schemas_of(c->arena, loss);
    for (struct gate_column *k = loss->table->columns; k != NULL; k = k->next) {
        struct pg_rows rows;
        if (!k->maybe_added)
            continue;
        if (!pg_query(c->arena, c->db, sql_gate_tables,
                      PG_ARGS(schemas, loss->name, k->was, "alone"), &rows, e))
            return err_wrap(e, "could not look what the pending migrations lose");
        k->maybe_added = false;
        if (rows.count == 0)
            k->was = NULL;
    }
    return true;
}

static bool expand(struct counting *c, const struct gate_loss *loss, struct err *e)
{
    static const char *const reaches[] = {
        [GATE_OF_SCHEMA] = "schema",       [GATE_OF_TYPE] = "type",
        [GATE_OF_COLLATION] = "collation", [GATE_OF_EXTENSION] = "extension",
        [GATE_OF_ROLE] = "role",
    };
    static const char *const alongs[] = {
        [GATE_ALONE] = "alone",       [GATE_PARTITIONS] = "partitions", [GATE_HEIRS] = "heirs",
        [GATE_TRUNCATE] = "truncate", [GATE_DELETE] = "delete",
    };
    const char *schemas = schemas_of(c->arena, loss);
    struct pg_rows rows;
    bool ok =
        loss->reach == GATE_OF_TABLE
            ? pg_query(c->arena, c->db, sql_gate_tables,
                       PG_ARGS(schemas, loss->name, loss->column, alongs[loss->along]), &rows, e)
            : pg_query(c->arena, c->db, sql_gate_dependents,
                       PG_ARGS(reaches[loss->reach], schemas, loss->name), &rows, e);
    if (!ok)
        return err_wrap(e, "could not look what the pending migrations lose");
    take_rows(c, loss, &rows);
    return rows.count == 0 || loss->column == NULL || ask_added(c, loss, e);
}

/* ---- how many ---- */

static bool same_table(const struct gate_victim *a, const struct gate_victim *b)
{
    return strcmp(a->schema, b->schema) == 0 && strcmp(a->table, b->table) == 0;
}

/* One pass over a table counts all that is lost of it. */
static const char *count_query(struct arena *a, const struct counting *c, size_t first)
{
    const struct gate_victims *all = c->victims;
    const struct gate_victim *v = &all->items[first];
    struct str sql = str_on(a);
    for (size_t i = first; i < all->count; i++) {
        if (!same_table(v, &all->items[i]))
            continue;
        const char *name = all->items[i].column != NULL ? all->items[i].column : c->facts[i].key;
        str_printf(&sql, "%s count(%s)", sql.length == 0 ? "SELECT" : ",",
                   name == NULL ? "*" : pg_ident(a, name));
    }
    /* A partition and an heir are tables of their own here. */
    str_printf(&sql, " FROM %s%s", v->holder ? "" : "ONLY ", pg_ident2(a, v->schema, v->table));
    return sql.text;
}

static bool estimate(struct counting *c, size_t i, struct err *e)
{
    struct gate_victim *v = &c->victims->items[i];
    const struct facts *f = &c->facts[i];
    struct pg_rows rows = {0};
    v->lost = f->estimate > 0 ? f->estimate : 0;
    if (v->column != NULL && v->lost > 0) {
        if (!pg_query(c->arena, c->db, sql_gate_null_fraction,
                      PG_ARGS(v->schema, v->table, v->column), &rows, e))
            return err_wrap(e, "could not read the statistics of \"%s\"", v->table);
        if (rows.count > 0)
            v->lost =
                (int64_t)((double)v->lost * (1.0 - strtod(pg_cell(&rows, 0, "fraction"), NULL)) +
                          0.5);
    }
    v->kind = v->lost > 0 ? GATE_ESTIMATED : GATE_UNKNOWN;
    return true;
}

static bool estimate_table(struct counting *c, size_t first, struct err *e)
{
    for (size_t i = first; i < c->victims->count; i++)
        if (same_table(&c->victims->items[first], &c->victims->items[i]) && !estimate(c, i, e))
            return false;
    return true;
}

/* False with ERR_QUERY or ERR_TIMEOUT: it takes too long, is locked, or may not be read whole. */
static bool run_count(struct arena *a, struct pg *db, const char *sql, struct pg_rows *rows,
                      struct err *e)
{
    /* Sessions have row_security off: rows that a policy hides make an error, not a smaller count.
     */
    if (!pg_execf(db, e,
                  "BEGIN READ ONLY; SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d",
                  TABLE_MS, TABLE_MS / 5))
        return false;
    bool ok = pg_query(a, db, sql, PG_NONE, rows, e);
    struct err after = {0};
    if (!pg_exec(db, "ROLLBACK", &after)) {
        if (ok || e->kind == ERR_QUERY || e->kind == ERR_TIMEOUT)
            *e = after;
        e->kind = e->kind == ERR_QUERY || e->kind == ERR_TIMEOUT ? ERR_CONNECT : e->kind;
        return false;
    }
    return ok;
}

static bool count_table(struct counting *c, size_t first, struct err *e)
{
    AUTO(arena) struct arena *scratch = arena_new();
    struct pg_rows rows;
    struct err why = {0};
    if (!run_count(scratch, c->db, count_query(scratch, c, first), &rows, &why)) {
        if (why.kind == ERR_QUERY || why.kind == ERR_TIMEOUT)
            return estimate_table(c, first, e);
        *e = why;
        return err_wrap(e, "could not count \"%s\"", c->victims->items[first].table);
    }
    size_t cell = 0;
    for (size_t i = first; i < c->victims->count; i++) {
        struct gate_victim *v = &c->victims->items[i];
        if (!same_table(v, &c->victims->items[first]))
            continue;
        v->kind = GATE_COUNTED;
        v->lost = strtoll(rows.cells[cell++], NULL, 10);
    }
    return true;
}

static bool is_first(const struct gate_victims *all, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (same_table(&all->items[k], &all->items[i]))
            return false;
    return true;
}

bool gate_count(struct arena *a, struct pg *db, const struct gate_walk *w,
                struct gate_victims *victims, struct err *e)
{
    struct counting c = {.arena = a, .db = db, .victims = victims};
    struct deadline limit = deadline_in(ALL_MS);
    for (size_t i = 0; i < w->loss_count; i++)
        if (!expand(&c, &w->losses[i], e))
            return false;
    for (size_t i = 0; i < victims->count; i++) {
        if (!is_first(victims, i))
            continue;
        if (!(deadline_passed(&limit) ? estimate_table(&c, i, e) : count_table(&c, i, e)))
            return false;
    }
    return true;
}
