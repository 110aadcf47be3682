#include "core/restore/preview.h"

#include "sql/queries.h"

static struct preview_table *find(struct preview_table *items, size_t count, const char *schema,
                                  const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(items[i].schema, schema) == 0 && strcmp(items[i].name, name) == 0)
            return &items[i];
    return NULL;
}

bool restore_preview(struct arena *a, struct pg *live, const struct manifest *m,
                     struct preview_table **items, size_t *count, struct err *e)
{
    struct pg_rows tables;
    if (!pg_query(a, live, sql_lost_tables, PG_NONE, &tables, e))
        return false;
    struct preview_table *list = arena_array(a, tables.count + m->table_count + 1, sizeof(*list));
    *items = list;
    *count = 0;
    for (size_t i = 0; i < m->table_count; i++)
        list[(*count)++] = (struct preview_table){.schema = m->tables[i].schema,
                                                  .name = m->tables[i].name,
                                                  .rows_now = -1,
                                                  .rows_then = m->tables[i].rows};
    for (size_t i = 0; i < tables.count; i++) {
        const char *schema = pg_cell(&tables, i, "schema"), *name = pg_cell(&tables, i, "name");
        struct preview_table *t = find(list, m->table_count, schema, name);
        if (t == NULL) {
            t = &list[(*count)++];
            *t = (struct preview_table){.schema = schema, .name = name, .rows_then = -1};
        }
        const char *sql =
            arena_printf(a, "SELECT count(*) FROM ONLY %s", pg_ident2(a, schema, name));
        const char *rows = pg_value(a, live, sql, PG_NONE, e);
        if (rows == NULL)
            return err_wrap(e, "could not count table \"%s\".\"%s\"", schema, name);
        t->rows_now = strtoll(rows, NULL, 10);
    }
    return true;
}

static bool has_column(const struct manifest_table *t, const char *name)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (strcmp(t->columns[i].name, name) == 0)
            return true;
    return false;
}

bool restore_preview_gone(struct arena *a, struct pg *live, const struct manifest *m,
                          struct strlist *gone, struct err *e)
{
    const char *schema = "", *name = ""; /* of the row before */
    const struct manifest_table *t = NULL;
    struct pg_rows rows;
    *gone = strlist_on(a);
    if (!pg_query(a, live, sql_preview_columns, PG_NONE, &rows, e))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const char *column = pg_cell(&rows, i, "column");
        bool same = strcmp(schema, pg_cell(&rows, i, "schema")) == 0 &&
                    strcmp(name, pg_cell(&rows, i, "name")) == 0;
        schema = pg_cell(&rows, i, "schema");
        name = pg_cell(&rows, i, "name");
        if (!same && (t = manifest_table_find(m, schema, name)) == NULL)
            strlist_printf(gone, "table %s.%s", schema, name);
        if (t != NULL && column != NULL && !has_column(t, column))
            strlist_printf(gone, "column %s.%s.%s", schema, name, column);
    }
    return true;
}
