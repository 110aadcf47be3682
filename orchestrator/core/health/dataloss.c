#include "core/health/dataloss.h"

#include "core/health/dataloss_match.h"
#include "sql/queries.h"

/* One statement counts several small tables: the round trips of 5,000 tables add up. */
enum { BATCH_TABLES = 50, BATCH_ROWS = 200000 };

static bool same_table(const struct pg_rows *rows, size_t a, size_t b)
{
    return strcmp(pg_cell(rows, a, "schema"), pg_cell(rows, b, "schema")) == 0 &&
           strcmp(pg_cell(rows, a, "name"), pg_cell(rows, b, "name")) == 0;
}

static struct live_column column_of(const struct pg_rows *rows, size_t row)
{
    return (struct live_column){
        .name = pg_cell(rows, row, "attribute"),
        .type = pg_cell(rows, row, "type"),
        .place = (int)pg_cell_int(rows, row, "place"),
        .dropped = pg_cell_bool(rows, row, "dropped"),
        .nullable = pg_cell_bool(rows, row, "nullable"),
        .computed = pg_cell_bool(rows, row, "computed"),
        .missing = pg_cell(rows, row, "missing"),
    };
}

static bool read_catalog(struct arena *a, struct pg *db, struct live_catalog *now, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_dataloss_catalog, PG_NONE, &rows, e))
        return err_wrap(e, "could not read the tables");
    *now = (struct live_catalog){.tables = arena_array(a, rows.count + 1, sizeof(*now->tables))};
    for (size_t row = 0; row < rows.count;) {
        size_t end = row + 1;
        while (end < rows.count && same_table(&rows, row, end))
            end++;
        struct live_table *t = &now->tables[now->count++];
        *t = (struct live_table){
            .schema = pg_cell(&rows, row, "schema"),
            .name = pg_cell(&rows, row, "name"),
            .oid = pg_cell(&rows, row, "oid"),
            .partitioned = pg_cell_bool(&rows, row, "partitioned"),
            .columns = arena_array(a, end - row, sizeof(*t->columns)),
        };
        for (; row < end; row++)
            if (pg_cell(&rows, row, "place") != NULL)
                t->columns[t->column_count++] = column_of(&rows, row);
    }
    return true;
}

static bool read_edges(struct arena *a, struct pg *db, struct live_catalog *now, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_dataloss_edges, PG_NONE, &rows, e))
        return err_wrap(e, "could not read what tables do to others");
    now->edges = arena_array(a, rows.count + 1, sizeof(*now->edges));
    for (size_t i = 0; i < rows.count; i++) {
        struct live_edge edge = {
            .from = live_table_find(now, pg_cell(&rows, i, "from_schema"),
                                    pg_cell(&rows, i, "from_name")),
            .to =
                live_table_find(now, pg_cell(&rows, i, "to_schema"), pg_cell(&rows, i, "to_name")),
        };
        if (edge.from != NULL && edge.to != NULL)
            now->edges[now->edge_count++] = edge;
    }
    return true;
}

static void add_measure(struct arena *a, struct str *sql, const struct live_column *c,
                        const char *relation)
{
    const char *name = pg_ident(a, c->name);
    if (c->want == WANT_VALUES && c->missing != NULL)
        str_printf(sql, ", count(%s) FILTER (WHERE %s::text <> %s)", name, name,
                   pg_literal(a, c->missing));
    else if (c->want == WANT_VALUES || c->sparse)
        str_printf(sql, ", count(%s)", name);
    else
        str_printf(sql, ", EXISTS (SELECT FROM %s WHERE %s IS NOT NULL)::int", relation, name);
}

static void add_table(struct arena *a, struct str *sql, const struct live_table *t, size_t number)
{
    /* As a dump has them: the rows of a partitioned table are those of its partitions, which are
     * tables of their own; it is counted whole for the case that it was none before. */
    const char *relation =
        arena_printf(a, "%s%s", t->partitioned ? "" : "ONLY ", pg_ident2(a, t->schema, t->name));
    str_printf(sql, "%sSELECT %zu AS number, ARRAY[count(*)", sql->length == 0 ? "" : " UNION ALL ",
               number);
    for (size_t i = 0; i < t->column_count; i++)
        if (t->columns[i].want != WANT_NOTHING)
            add_measure(a, sql, &t->columns[i], relation);
    str_printf(sql, "]::bigint[] AS measures FROM %s", relation);
}

/* "{12,1,0}": rows, then what was wanted of the columns, in their order. */
static void take_measures(struct live_table *t, const char *text)
{
    char *end;
    t->rows = strtoll(text + 1, &end, 10);
    for (size_t i = 0; i < t->column_count; i++)
        if (t->columns[i].want != WANT_NOTHING && *end == ',')
            t->columns[i].values = strtoll(end + 1, &end, 10);
}

static bool run_batch(struct arena *a, struct pg *db, const char *sql, struct live_catalog *now,
                      struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql, PG_NONE, &rows, e))
        return err_wrap(e, "could not count rows");
    for (size_t i = 0; i < rows.count; i++)
        take_measures(&now->tables[pg_cell_int(&rows, i, "number")], pg_cell(&rows, i, "measures"));
    return true;
}

static bool measure(struct pg *db, struct live_catalog *now, struct err *e)
{
    for (size_t i = 0; i < now->count;) {
        AUTO(arena) struct arena *scratch = arena_new();
        struct str sql = str_on(scratch);
        int64_t tables = 0, expected = 0;
        for (; i < now->count && tables < BATCH_TABLES && expected < BATCH_ROWS; i++) {
            if (!now->tables[i].wanted)
                continue;
            add_table(scratch, &sql, &now->tables[i], i);
            tables++;
            expected += now->tables[i].expected_rows;
        }
        if (tables > 0 && !run_batch(scratch, db, sql.text, now, e))
            return false;
    }
    return true;
}

bool dataloss_check(struct arena *a, const struct dataloss_context *c, struct findings *found,
                    struct err *e)
{
    struct live_catalog now;
    found->default_schema = c->default_schema;
    if (!read_catalog(a, c->db, &now, e) || !read_edges(a, c->db, &now, e))
        return err_wrap(e, "could not compare the data with backup %s", c->before->id);
    struct dataloss_matches matches = dataloss_match(a, c, &now);
    if (!measure(c->db, &now, e))
        return err_wrap(e, "could not compare the data with backup %s", c->before->id);
    dataloss_judge(a, &matches, &now, found);
    return true;
}
