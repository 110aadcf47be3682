#include "core/health/health_check.h"
#include "sql/queries.h"

enum { COUNT_LIMIT = 1000 };

static bool count_orphans(const struct check_run *run, const struct health_check *check,
                          const struct pg_rows *keys, size_t row, struct err *e)
{
    struct arena *a = run->arena;
    const char *target = pg_cell(keys, row, "target");
    const char *sql =
        arena_printf(a,
                     "SELECT count(*) FROM (SELECT FROM %s AS c WHERE %s AND NOT EXISTS"
                     " (SELECT FROM %s AS p WHERE %s) LIMIT %d) AS orphans",
                     pg_cell(keys, row, "child"), pg_cell(keys, row, "filled"),
                     pg_cell(keys, row, "parent"), pg_cell(keys, row, "same"), COUNT_LIMIT + 1);
    const char *text = pg_value(a, run->context->db, sql, PG_NONE, e);
    if (text == NULL)
        return check_skipped(run, check, target, e) ||
               err_wrap(e, "could not count orphans of foreign key %s", target);
    int64_t count = strtoll(text, NULL, 10);
    if (count > COUNT_LIMIT)
        check_found(run, check, target, "more than 1 000 rows have no parent");
    else if (count > 0)
        check_found(run, check, target,
                    arena_printf(a, "%s no parent", str_plural(a, count, "row has", "rows have")));
    return true;
}

bool check_orphans(const struct check_run *run, const struct health_check *check, struct err *e)
{
    struct pg_rows keys;
    if (!pg_query(run->arena, run->context->db, sql_health_unchecked_foreign_keys, PG_NONE, &keys,
                  e))
        return err_wrap(e, "could not read the foreign keys");
    for (size_t row = 0; row < keys.count; row++)
        if (!count_orphans(run, check, &keys, row, e))
            return false;
    return true;
}
