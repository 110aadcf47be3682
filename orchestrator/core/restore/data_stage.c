#include "core/restore/data_applying.h"
#include "core/restore/data_sql.h"

static const char savepoint[] = "migsafe";

static bool is_about_a_value(const struct err *e)
{
    return e->kind == ERR_QUERY && strncmp(e->sqlstate, "22", 2) == 0;
}

/* Tries something that may fail, and leaves the transaction as it was. */
static bool try(struct applying *x, const char *sql, struct err *why, struct err *e)
{
    *why = (struct err){0};
    if (!pg_execf(x->db, e, "SAVEPOINT %s", savepoint))
        return false;
    bool ok = pg_exec(x->db, sql, why);
    if (!ok && why->kind != ERR_QUERY) {
        *e = *why;
        return false;
    }
    return pg_execf(x->db, e, "ROLLBACK TO SAVEPOINT %s; RELEASE SAVEPOINT %s", savepoint,
                    savepoint);
}

/* The only row of from..to that fails alone; 0: the failure is not of one row. */
static bool find_row(struct applying *x, const struct data_table *t, int64_t rows, int64_t *row,
                     struct err *e)
{
    int64_t from = 1, to = rows;
    struct err why;
    while (from < to) {
        int64_t middle = from + (to - from) / 2;
        if (!try(x, data_sql_insert(x->arena, x->plan, t, from, middle), &why, e))
            return false;
        if (why.kind == ERR_NONE)
            from = middle + 1;
        else
            to = middle;
    }
    *row = from;
    return true;
}

/* Which column of it: the one whose value alone fails. */
static const struct data_column *find_column(struct applying *x, const struct data_table *t,
                                             int64_t row, struct err *e)
{
    for (size_t i = 0; i < t->column_count; i++) {
        const struct data_column *c = &t->columns[i];
        struct err why;
        if (c->from == NULL || c->to == NULL || c->cast == NULL)
            continue;
        const char *sql =
            arena_printf(x->arena, "SELECT %s FROM %s AS s WHERE migsafe_row = %lld",
                         data_sql_value(x->arena, c), data_stage_name, (long long)row);
        if (!try(x, sql, &why, e))
            return NULL;
        if (why.kind != ERR_NONE)
            return c;
    }
    return NULL;
}

/* Says which row it was, in e; the transaction is at the savepoint before the INSERT. */
static void name_row(struct applying *x, const struct data_table *t, int64_t rows, struct err *e)
{
    struct err ignored = {0};
    int64_t row = 0;
    if (!is_about_a_value(e) || !find_row(x, t, rows, &row, &ignored))
        return;
    const char *text =
        pg_value(x->arena, x->db,
                 arena_printf(x->arena,
                              "SELECT left(CAST(s AS text), 300) FROM %s AS s WHERE migsafe_row = "
                              "%lld",
                              data_stage_name, (long long)row),
                 PG_NONE, &ignored);
    const struct data_column *c = find_column(x, t, row, &ignored);
    err_detail(e, "Row %lld of the backup's file%s%s%s: %s", (long long)row,
               c == NULL ? "" : ", column \"", c == NULL ? "" : c->to->name, c == NULL ? "" : "\"",
               text == NULL ? "?" : text);
}

static bool check_changed(struct applying *x, const struct data_table *t, struct err *e)
{
    for (size_t i = 0; i < t->column_count; i++) {
        struct pg_rows row;
        const struct data_column *c = &t->columns[i];
        const char *sql = data_sql_changed(x->arena, c);
        if (sql == NULL || x->plan->wishes->accept_loss)
            continue;
        if (!pg_query(x->arena, x->db, sql, PG_NONE, &row, e))
            return false;
        int64_t changed = pg_cell_int(&row, 0, "changed");
        if (changed == 0)
            continue;
        err_set(e, ERR_UNSAFE, "%s of column \"%s\" would not be the same as %s",
                str_plural(x->arena, changed, "value", "values"), c->to->name, c->to->type);
        err_detail(e, "For example %s.", pg_cell(&row, 0, "example"));
        err_hint(e, "Add --accept-loss when that is meant.");
        return false;
    }
    return true;
}

static bool insert(struct applying *x, const struct data_table *t, int64_t rows, struct err *e)
{
    if (!pg_execf(x->db, e, "SAVEPOINT %s", savepoint))
        return false;
    if (pg_exec(x->db, data_sql_insert(x->arena, x->plan, t, 0, 0), e))
        return pg_execf(x->db, e, "RELEASE SAVEPOINT %s", savepoint);
    struct err ignored = {0};
    if (e->kind == ERR_QUERY && pg_execf(x->db, &ignored, "ROLLBACK TO SAVEPOINT %s", savepoint))
        name_row(x, t, rows, e);
    return false;
}

bool data_stage_load(struct applying *x, const struct data_table *t, int64_t *rows, struct err *e)
{
    if (!pg_exec(x->db, data_sql_stage(x->arena, t), e))
        return err_wrap(e, "could not make a staging table");
    if (!data_copy(x, t, data_stage_name, rows, e))
        return false;
    return ((insert(x, t, *rows, e) && check_changed(x, t, e)) ||
            err_wrap(e, "could not put the rows into table \"%s\".\"%s\"", t->into->schema,
                     t->into->name)) &&
           pg_execf(x->db, e, "DROP TABLE %s", data_stage_name);
}
