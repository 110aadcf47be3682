#include "core/health/health_check.h"
#include "sql/queries.h"

/* So many columns are compared by one statement: the round trips of 5,000 tables add up. */
enum { BATCH = 200 };

struct sequence_check {
    const struct check_run *run;
    const struct health_check *check;
    struct pg_rows columns; /* health_sequence_columns.sql */
};

static char *batch_sql(struct arena *a, const struct pg_rows *columns, size_t from, size_t to)
{
    struct str sql = str_on(a);
    str_add(&sql, "SELECT i, next, most FROM (");
    for (size_t i = from; i < to; i++)
        str_printf(&sql,
                   "%s SELECT %zu AS i, (SELECT CASE WHEN is_called THEN last_value::numeric + %s"
                   " ELSE last_value END FROM %s) AS next, (SELECT max(%s) FROM %s) AS most",
                   i == from ? "" : " UNION ALL", i, pg_cell(columns, i, "step"),
                   pg_cell(columns, i, "sequence"), pg_cell(columns, i, "attribute"),
                   pg_cell(columns, i, "relation"));
    str_add(&sql, ") AS q WHERE next <= most ORDER BY i");
    return sql.text;
}

static void found_behind(const struct sequence_check *c, const struct pg_rows *behind, size_t row)
{
    struct arena *a = c->run->arena;
    size_t i = (size_t)pg_cell_int(behind, row, "i");
    struct health_check check = *c->check;
    if (!pg_cell_bool(&c->columns, i, "is_unique"))
        check.level = FINDING_WARNING;
    check_found(c->run, &check, pg_cell(&c->columns, i, "target"),
                arena_printf(a, "the next value is %s, but %s goes up to %s",
                             pg_cell(behind, row, "next"), pg_cell(&c->columns, i, "plain"),
                             pg_cell(behind, row, "most")));
}

/* A table that may not be read or is locked must not hide the others: halves until it is alone. */
static bool compare(const struct sequence_check *c, size_t from, size_t to, struct err *e)
{
    struct pg_rows behind;
    struct arena *a = c->run->arena;
    if (!pg_query(a, c->run->context->db, batch_sql(a, &c->columns, from, to), PG_NONE, &behind,
                  e)) {
        if (e->kind != ERR_QUERY)
            return false;
        if (to - from > 1) {
            size_t middle = from + (to - from) / 2;
            *e = (struct err){0};
            return compare(c, from, middle, e) && compare(c, middle, to, e);
        }
        return check_skipped(c->run, c->check, pg_cell(&c->columns, from, "target"), e);
    }
    for (size_t row = 0; row < behind.count; row++)
        found_behind(c, &behind, row);
    return true;
}

bool check_sequences(const struct check_run *run, const struct health_check *check, struct err *e)
{
    struct sequence_check c = {.run = run, .check = check};
    if (!pg_query(run->arena, run->context->db, sql_health_sequence_columns, PG_NONE, &c.columns,
                  e))
        return err_wrap(e, "could not read the columns that sequences fill");
    for (size_t from = 0; from < c.columns.count; from += BATCH) {
        size_t left = c.columns.count - from;
        if (!compare(&c, from, from + (left < BATCH ? left : BATCH), e))
            return err_wrap(e, "could not compare sequences with their columns");
    }
    return true;
}
