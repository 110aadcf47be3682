#include "core/prisma/ledger.h"

#include "sql/queries.h"

static const char ledger_table[] = "_prisma_migrations";

enum ledger_state ledger_row_state(const struct ledger_row *row)
{
    if (row->rolled_back_at != NULL)
        return LEDGER_ROLLED_BACK;
    return row->finished_at != NULL ? LEDGER_APPLIED : LEDGER_FAILED;
}

static bool refused(struct arena *a, const struct pg_rows *places, size_t i, struct err *e)
{
    const char *schema = pg_cell(places, i, "schema");
    const char *role = pg_ident(a, pg_cell(places, i, "role"));
    const char *table = pg_ident2(a, schema, ledger_table);
    err_set(e, ERR_QUERY, "permission denied for Prisma's ledger %s", table);
    snprintf(e->sqlstate, sizeof(e->sqlstate), "42501");
    if (pg_cell_bool(places, i, "may_enter"))
        err_hint(e, "Run: GRANT SELECT ON %s TO %s;", table, role);
    else
        err_hint(e, "Run: GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT ON %s TO %s;",
                 pg_ident(a, schema), role, table, role);
    return false;
}

static struct ledger_row row_of(const struct pg_rows *rows, size_t i)
{
    return (struct ledger_row){.id = pg_cell(rows, i, "id"),
                               .checksum = pg_cell(rows, i, "checksum"),
                               .name = pg_cell(rows, i, "migration_name"),
                               .started_at = pg_cell(rows, i, "started"),
                               .finished_at = pg_cell(rows, i, "finished"),
                               .rolled_back_at = pg_cell(rows, i, "rolled_back"),
                               .logs = pg_cell(rows, i, "logs"),
                               .applied_steps = (int)pg_cell_int(rows, i, "applied_steps_count")};
}

static bool read_rows(struct arena *a, struct pg *db, struct ledger *ledger, struct err *e)
{
    struct pg_rows rows;
    const char *table = pg_ident2(a, ledger->schema, ledger_table);
    /* Prisma orders by started_at alone; the rest only makes equal stamps come out alike. */
    const char *sql = arena_printf(
        a, "%s FROM %s ORDER BY started_at, migration_name COLLATE \"C\", id COLLATE \"C\"",
        sql_ledger_rows, table);
    if (!pg_query(a, db, sql, PG_NONE, &rows, e))
        return err_wrap(e, "could not read Prisma's ledger %s", table);
    ledger->count = rows.count;
    ledger->rows = arena_array(a, rows.count, sizeof(*ledger->rows));
    for (size_t i = 0; i < rows.count; i++)
        ledger->rows[i] = row_of(&rows, i);
    return true;
}

bool ledgers_read(struct arena *a, struct pg *db, struct ledgers *all, struct err *e)
{
    struct pg_rows places;
    if (!pg_query(a, db, sql_ledger_places, PG_NONE, &places, e))
        return err_wrap(e, "could not look for Prisma's ledger");
    *all = (struct ledgers){.items = arena_array(a, places.count, sizeof(*all->items))};
    for (size_t i = 0; i < places.count; i++) {
        if (pg_cell_bool(&places, i, "is_prisma8")) {
            all->prisma8 = true;
            continue;
        }
        if (!pg_cell_bool(&places, i, "may_enter") || !pg_cell_bool(&places, i, "may_read"))
            return refused(a, &places, i, e);
        struct ledger *ledger = &all->items[all->count++];
        ledger->schema = pg_cell(&places, i, "schema");
        if (!read_rows(a, db, ledger, e))
            return false;
    }
    return true;
}

static const struct ledger *ledger_in(const struct ledgers *all, const char *schema)
{
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->items[i].schema, schema) == 0)
            return &all->items[i];
    return NULL;
}

const struct ledger *ledgers_main(const struct ledgers *all, const char *schema, bool schema_given)
{
    const struct ledger *named = ledger_in(all, schema);
    if (named != NULL || schema_given || all->count != 1)
        return named;
    return &all->items[0];
}

bool ledgers_ambiguous(const struct ledgers *all, bool schema_given)
{
    return !schema_given && all->count > 1 && ledger_in(all, "public") == NULL;
}

static bool rows_equal(const struct ledger_row *a, const struct ledger_row *b)
{
    return str_same(a->id, b->id) && str_same(a->checksum, b->checksum) &&
           str_same(a->name, b->name) && str_same(a->started_at, b->started_at) &&
           str_same(a->finished_at, b->finished_at) &&
           str_same(a->rolled_back_at, b->rolled_back_at) && a->applied_steps == b->applied_steps;
}

static bool ledger_equal(const struct ledger *a, const struct ledger *b)
{
    if (!str_same(a->schema, b->schema) || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!rows_equal(&a->rows[i], &b->rows[i]))
            return false;
    return true;
}

bool ledgers_equal(const struct ledgers *a, const struct ledgers *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!ledger_equal(&a->items[i], &b->items[i]))
            return false;
    return true;
}

bool ledger_mark_rolled_back(struct pg *db, const char *schema, const char *name, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct pg_rows rows;
    const char *sql = arena_printf(a,
                                   "UPDATE %s SET rolled_back_at = now() WHERE migration_name = $1"
                                   " AND finished_at IS NULL AND rolled_back_at IS NULL"
                                   " RETURNING id",
                                   pg_ident2(a, schema, ledger_table));
    if (!pg_query(a, db, sql, PG_ARGS(name), &rows, e))
        return err_wrap(e, "could not mark migration \"%s\" as rolled back", name);
    if (rows.count == 0)
        return err_set(e, ERR_NOT_FOUND, "migration \"%s\" has no failed row to mark", name);
    return true;
}
