#include "core/restore/load.h"
#include "core/restore/lost_table.h"

/*
 * The rows of the backup are loaded as text, column i as c<i>; those of kept are written
 * as text by the types' output functions, as COPY does.  All comparing is of bytes.
 */
#define BEFORE "pg_temp.migsafe_before"

bool lost_has(const struct lost_table *t, size_t column, char side)
{
    return side == 'o' ? t->keys > 0 : t->columns[column].kept != NULL;
}

static const char *kept_text(struct arena *a, const struct lost_column *c)
{
    const char *name = pg_ident(a, c->kept);
    return c->key > 0 ? arena_printf(a, "pg_catalog.format('%%s', k.%s) COLLATE \"C\"", name)
                      : arena_printf(a,
                                     "CASE WHEN pg_catalog.num_nonnulls(k.%s) = 1 THEN"
                                     " pg_catalog.format('%%s', k.%s) END COLLATE \"C\"",
                                     name, name);
}

/* "m" for what the migration may have written, else "o". */
static const char *part_of_row(struct arena *a, const struct lost_rows_wish *w,
                               const struct lost_table *t)
{
    if (!t->of_migration)
        return "'o'";
    if (w->from == NULL)
        return "'m'";
    const char *span = w->to == NULL ? "2147483648" : arena_printf(a, "%s - %s", w->to, w->from);
    return arena_printf(a,
                        "CASE WHEN (k.xmin::text::bigint - %s %% 4294967296 + 4294967296) %%"
                        " 4294967296 < %s THEN 'm' ELSE 'o' END",
                        w->from, span);
}

static bool load_before(struct arena *a, const struct lost_rows_spec *spec, struct pg *kept,
                        const struct lost_table *t, struct err *e)
{
    int64_t rows = 0;
    struct str columns = str_on(a);
    for (size_t i = 0; i < t->count; i++)
        str_item(&columns, ", ", arena_printf(a, "c%zu text COLLATE \"C\"", i + 1));
    const struct load_spec load = {
        .folder = spec->backup->folder,
        .table = t->was,
        .from = 0,
        .to = -1,
        .copy = load_copy(a, &spec->backup->manifest, BEFORE, "", NULL),
    };
    if (!pg_execf(kept, e, "DROP TABLE IF EXISTS " BEFORE ", " LOST_FOUND))
        return false;
    if (!pg_execf(kept, e, "CREATE TEMP TABLE migsafe_before (%s)", columns.text) ||
        (t->was->rows > 0 && !load_text(kept, &load, &rows, e)) ||
        !pg_exec(kept, "ANALYZE " BEFORE, e))
        return false;
    return rows == t->was->rows || err_set(e, ERR_DAMAGED, "file \"%s\" has %lld rows, not %lld",
                                           t->was->file, (long long)rows, (long long)t->was->rows);
}

/* Rows of kept as text: its columns that are known as c<i>, the part. */
static const char *select_kept(struct arena *a, const struct lost_rows_spec *spec,
                               const struct lost_table *t)
{
    struct str s = str_on(a);
    str_printf(&s, "SELECT %s AS part", part_of_row(a, spec->wish, t));
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].kept != NULL)
            str_printf(&s, ", %s AS c%zu", kept_text(a, &t->columns[i]), i + 1);
    str_printf(&s, " FROM ONLY %s k", t->kept);
    return s.text;
}

static const char *same_key(struct arena *a, const struct lost_table *t)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].key > 0)
            str_item(&s, " AND ", arena_printf(a, "b.c%zu = k.c%zu", i + 1, i + 1));
    return s.text;
}

static const char *differs(struct arena *a, const struct lost_table *t)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].key == 0 && t->columns[i].kept != NULL)
            str_item(&s, " OR ", arena_printf(a, "b.c%zu IS DISTINCT FROM k.c%zu", i + 1, i + 1));
    return s.length == 0 ? "false" : s.text;
}

/* "b.c1 AS o1, k.c1 AS n1, ..."; NULLs for the side that has no row. */
static const char *outputs(struct arena *a, const struct lost_table *t, bool deleted)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < t->count; i++) {
        str_printf(&s, ", b.c%zu AS o%zu", i + 1, i + 1);
        if (t->columns[i].kept != NULL)
            str_printf(&s, ", %s%s AS n%zu", deleted ? "NULL::text" : "k.c",
                       deleted ? "" : arena_printf(a, "%zu", i + 1), i + 1);
    }
    return s.text;
}

static const char *by_key(struct arena *a, const struct lost_rows_spec *spec,
                          const struct lost_table *t)
{
    size_t key = 0;
    while (t->columns[key].key == 0)
        key++;
    const char *kept = select_kept(a, spec, t), *on = same_key(a, t);
    return arena_printf(a,
                        "SELECT CASE WHEN b.c%zu IS NULL THEN 'i' ELSE 'u' END AS op, k.part%s"
                        " FROM (%s) k LEFT JOIN " BEFORE " b ON %s WHERE b.c%zu IS NULL OR %s"
                        " UNION ALL SELECT 'd', '%c'%s FROM " BEFORE " b"
                        " WHERE NOT EXISTS (SELECT FROM (%s) k WHERE %s)",
                        key + 1, outputs(a, t, false), kept, on, key + 1, differs(a, t),
                        t->of_migration ? 'm' : 'o', outputs(a, t, true), kept, on);
}

/* How often each row was there and is there. */
static const char *by_row(struct arena *a, const struct lost_rows_spec *spec,
                          const struct lost_table *t)
{
    struct str list = str_on(a), named = str_on(a);
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].kept != NULL) {
            str_item(&list, ", ", arena_printf(a, "c%zu", i + 1));
            str_printf(&named, ", c%zu AS n%zu", i + 1, i + 1);
        }
    return arena_printf(
        a,
        "SELECT CASE WHEN sum(now) > sum(\"then\") THEN 'i' ELSE 'd' END AS op,"
        " CASE WHEN bool_or(part = 'm') OR (%s AND sum(now) < sum(\"then\")) THEN 'm' ELSE 'o' END"
        " AS part, sum(\"then\")::bigint AS \"then\", sum(now)::bigint AS now%s FROM"
        " (SELECT 'o' AS part, 1 AS \"then\", 0 AS now, %s FROM " BEFORE
        " UNION ALL SELECT part, 0, 1, %s FROM (%s) k) x"
        " GROUP BY %s HAVING sum(\"then\") <> sum(now)",
        t->of_migration ? "true" : "false", named.text, list.text, list.text,
        select_kept(a, spec, t), list.text);
}

static bool count_found(struct arena *a, struct pg *kept, struct lost_table *t, struct err *e)
{
    struct pg_rows rows;
    const char *sql =
        arena_printf(a, "SELECT op, part, %s AS rows FROM " LOST_FOUND " GROUP BY op, part",
                     t->keys > 0 ? "count(*)" : "sum(abs(now - \"then\"))::bigint");
    if (!pg_query(a, kept, sql, PG_NONE, &rows, e))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        char op = pg_cell(&rows, i, "op")[0];
        int part = pg_cell(&rows, i, "part")[0] == 'm' ? LOST_MIGRATION : LOST_OTHERS;
        t->found[part][op == 'i'   ? LOST_INSERT
                       : op == 'u' ? LOST_UPDATE
                                   : LOST_DELETE] = pg_cell_int(&rows, i, "rows");
    }
    return true;
}

bool lost_compare(struct arena *a, const struct lost_rows_spec *spec, struct pg *kept,
                  struct lost_table *t, struct err *e)
{
    return load_before(a, spec, kept, t, e) &&
           pg_execf(kept, e, "CREATE TEMP TABLE migsafe_found AS %s",
                    t->keys > 0 ? by_key(a, spec, t) : by_row(a, spec, t)) &&
           count_found(a, kept, t, e);
}
