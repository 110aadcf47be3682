#include "core/schema/snapshot.h"

#include "ext/digest.h"
#include "sql/queries.h"

static const char *const parts[] = {
    sql_snapshot_schemas, sql_snapshot_relations, sql_snapshot_columns,   sql_snapshot_constraints,
    sql_snapshot_indexes, sql_snapshot_types,     sql_snapshot_functions, sql_snapshot_triggers,
    sql_snapshot_others,  sql_snapshot_comments,
};

/* One line, so that it can be shown and sorted: \n for a line end, \\ for a backslash. */
static const char *one_line(struct arena *a, const char *text)
{
    if (strpbrk(text, "\n\r\\") == NULL)
        return text;
    struct str s = str_on(a);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '\n')
            str_add(&s, "\\n");
        else if (*p == '\r')
            str_add(&s, "\\r");
        else if (*p == '\\')
            str_add(&s, "\\\\");
        else
            str_add_n(&s, p, 1);
    }
    return s.text;
}

bool snapshot_take(struct arena *a, struct pg *db, struct snapshot *s, struct err *e)
{
    struct str sql = str_on(a);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        str_printf(&sql, "%s(%s)", i == 0 ? "" : " UNION ALL ", parts[i]);
    struct pg_rows rows;
    if (!pg_query(a, db, sql.text, PG_NONE, &rows, e))
        return err_wrap(e, "could not read the catalogs");

    *s = (struct snapshot){.lines = strlist_on(a)};
    for (size_t i = 0; i < rows.count; i++)
        strlist_add(&s->lines, one_line(a, pg_cell(&rows, i, "line")));
    if (rows.count > 0)
        strlist_sort(&s->lines);
    const char *all = strlist_join(&s->lines, "\n");
    s->digest = digest_sha256(a, all, strlen(all));
    return true;
}

bool snapshot_equal(const struct snapshot *a, const struct snapshot *b)
{
    return strcmp(a->digest, b->digest) == 0;
}

struct strlist snapshot_difference(struct arena *a, const struct snapshot *before,
                                   const struct snapshot *after, size_t max)
{
    struct strlist out = strlist_on(a);
    size_t i = 0, j = 0, more = 0;
    while (i < before->lines.count || j < after->lines.count) {
        int order = i == before->lines.count ? 1
                    : j == after->lines.count
                        ? -1
                        : strcmp(before->lines.items[i], after->lines.items[j]);
        if (order == 0) {
            i++;
            j++;
            continue;
        }
        const char *line = order < 0 ? before->lines.items[i++] : after->lines.items[j++];
        if (out.count < max)
            strlist_printf(&out, "%c %s", order < 0 ? '-' : '+', line);
        else
            more++;
    }
    if (more > 0)
        strlist_printf(&out, "and %zu more", more);
    return out;
}
