#include "core/restore/data_index.h"

#include "sql/queries.h"

static struct live_index index_of(const struct pg_rows *rows, size_t i)
{
    return (struct live_index){
        .oid = pg_cell(rows, i, "oid"),
        .schema = pg_cell(rows, i, "schema"),
        .name = pg_cell(rows, i, "name"),
        .definition = pg_cell(rows, i, "definition"),
        .constraint = pg_cell(rows, i, "constraint"),
        .tablespace = pg_cell(rows, i, "tablespace"),
        .comment = pg_cell(rows, i, "comment"),
        .constraint_comment = pg_cell(rows, i, "constraint_comment"),
    };
}

bool data_index_read(struct arena *a, struct pg *db, struct live *live, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_data_indexes, PG_NONE, &rows, e))
        return false;
    struct live_index *items = arena_array(a, rows.count + 1, sizeof(*items));
    for (size_t i = 0; i < rows.count; i++) {
        struct live_table *t =
            live_find(live, pg_cell(&rows, i, "schema"), pg_cell(&rows, i, "table"));
        items[i] = index_of(&rows, i);
        items[i].table = t;
        if (t == NULL)
            continue; /* of an extension */
        if (t->remakable == NULL)
            t->remakable = items + i;
        t->remakable_count++;
    }
    return true;
}

static const char *kind_of(const struct live_index *x)
{
    return x->constraint == NULL ? "index" : "constraint";
}

static const char *table_of(struct arena *a, const struct live_index *x)
{
    return pg_ident2(a, x->table->schema, x->table->name);
}

bool data_index_off(struct pg *db, const struct live_index *x, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    bool ok = x->constraint == NULL
                  ? pg_execf(db, e, "DROP INDEX %s", pg_ident2(a, x->schema, x->name))
                  : pg_execf(db, e, "ALTER TABLE ONLY %s DROP CONSTRAINT %s", table_of(a, x),
                             pg_ident(a, x->name));
    return ok || err_wrap(e, "could not take off %s \"%s\" of table \"%s\".\"%s\"", kind_of(x),
                          x->name, x->table->schema, x->table->name);
}

static bool make(struct arena *a, struct pg *db, const struct live_index *x, struct err *e)
{
    const char *sql = x->constraint == NULL
                          ? x->definition
                          : arena_printf(a, "ALTER TABLE ONLY %s ADD CONSTRAINT %s %s",
                                         table_of(a, x), pg_ident(a, x->name), x->constraint);
    return pg_execf(db, e, "SET LOCAL default_tablespace = %s; %s",
                    pg_literal(a, x->tablespace == NULL ? "" : x->tablespace), sql);
}

/* The index of a constraint has a comment of its own. */
static bool comment(struct arena *a, struct pg *db, const struct live_index *x, struct err *e)
{
    return (x->comment == NULL ||
            pg_execf(db, e, "COMMENT ON INDEX %s IS %s", pg_ident2(a, x->schema, x->name),
                     pg_literal(a, x->comment))) &&
           (x->constraint_comment == NULL ||
            pg_execf(db, e, "COMMENT ON CONSTRAINT %s ON %s IS %s", pg_ident(a, x->name),
                     table_of(a, x), pg_literal(a, x->constraint_comment)));
}

bool data_index_on(struct pg *db, const struct live_index *x, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    return (make(a, db, x, e) && comment(a, db, x, e)) ||
           err_wrap(e, "could not make %s \"%s\" of table \"%s\".\"%s\"", kind_of(x), x->name,
                    x->table->schema, x->table->name);
}

static bool is_same(const struct live_index *x, const struct pg_rows *rows, size_t i)
{
    const struct live_index now = index_of(rows, i);
    return str_same(x->table->name, pg_cell(rows, i, "table")) &&
           str_same(x->definition, now.definition) && str_same(x->constraint, now.constraint) &&
           str_same(x->tablespace, now.tablespace) && str_same(x->comment, now.comment) &&
           str_same(x->constraint_comment, now.constraint_comment);
}

/* Both by schema, table and name. */
bool data_index_check(struct pg *db, const struct live_index *const *items, size_t count,
                      struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct pg_rows rows;
    if (count == 0)
        return true;
    if (!pg_query(a, db, sql_data_indexes, PG_NONE, &rows, e))
        return err_wrap(e, "could not read the indexes of the database");
    for (size_t i = 0, at = 0; i < count; i++) {
        const struct live_index *x = items[i];
        while (at < rows.count && !(str_same(x->schema, pg_cell(&rows, at, "schema")) &&
                                    str_same(x->name, pg_cell(&rows, at, "name"))))
            at++;
        if (at == rows.count || !is_same(x, &rows, at))
            return err_set(e, ERR_QUERY, "%s \"%s\" of table \"%s\".\"%s\" is not what it was",
                           kind_of(x), x->name, x->table->schema, x->table->name);
    }
    return true;
}
