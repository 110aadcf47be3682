#include "core/backup/count.h"

#include "sql/queries.h"

/* Rows of the answer belong to one table as long as the oid is the same. */
static size_t take_columns(struct arena *a, const struct pg_rows *rows, size_t from,
                           const char *oid, struct manifest_table *t)
{
    size_t end = from;
    while (end < rows->count && strcmp(pg_cell(rows, end, "oid"), oid) == 0)
        end++;
    t->column_count = end - from;
    t->columns = arena_array(a, t->column_count + 1, sizeof(*t->columns));
    for (size_t i = 0; i < t->column_count; i++)
        t->columns[i] =
            (struct manifest_column){.name = pg_cell(rows, from + i, "name"),
                                     .type = pg_cell(rows, from + i, "type"),
                                     .values = pg_cell_bool(rows, from + i, "never_null") ? 0 : -1};
    return end;
}

/* A column that is never NULL has as many values as there are rows and is not counted. */
static bool count_table(struct arena *a, struct pg *db, struct manifest_table *t, struct err *e)
{
    struct str sql = str_on(a);
    struct pg_rows rows;
    str_add(&sql, "SELECT count(*)");
    for (size_t i = 0; i < t->column_count; i++)
        if (t->columns[i].values < 0)
            str_printf(&sql, ", count(%s)", pg_ident(a, t->columns[i].name));
    const char *table = pg_ident2(a, t->schema, t->name);
    str_printf(&sql, " FROM ONLY %s", table);
    if (!pg_query(a, db, sql.text, PG_NONE, &rows, e))
        return err_wrap(e, "could not count the rows of table %s", table);
    size_t cell = 0;
    t->rows = strtoll(rows.cells[cell++], NULL, 10);
    for (size_t i = 0; i < t->column_count; i++)
        t->columns[i].values =
            t->columns[i].values < 0 ? strtoll(rows.cells[cell++], NULL, 10) : t->rows;
    return true;
}

bool count_contents(struct arena *a, struct pg *db, const struct frozen *f, struct manifest *m,
                    struct err *e)
{
    struct strlist oids = strlist_on(a);
    struct pg_rows columns;
    size_t next = 0;
    for (size_t i = 0; i < f->count; i++)
        if (f->tables[i].counted)
            strlist_add(&oids, f->tables[i].oid);
    if (!pg_query(a, db, sql_backup_columns, PG_ARGS(pg_array(a, oids.items, oids.count)), &columns,
                  e))
        return err_wrap(e, "could not list the columns");
    m->tables = arena_array(a, oids.count + 1, sizeof(*m->tables));
    for (size_t i = 0; i < f->count; i++) {
        const struct frozen_table *from = &f->tables[i];
        struct manifest_table *t = &m->tables[m->table_count];
        if (!from->counted)
            continue;
        *t = (struct manifest_table){.schema = from->schema,
                                     .name = from->name,
                                     .oid = from->oid,
                                     .bytes = -1,
                                     .inserted = from->inserted,
                                     .updated = from->updated,
                                     .deleted = from->deleted};
        next = take_columns(a, &columns, next, from->oid, t);
        if (!count_table(a, db, t, e))
            return false;
        m->table_count++;
    }
    const char *large_objects =
        pg_value(a, db, "SELECT count(*) FROM pg_largeobject_metadata", PG_NONE, e);
    if (large_objects == NULL)
        return err_wrap(e, "could not count the large objects");
    m->large_objects = strtoll(large_objects, NULL, 10);
    return true;
}
