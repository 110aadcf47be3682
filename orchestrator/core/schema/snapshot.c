#include "core/schema/snapshot.h"

#include "ext/digest.h"
#include "sql/queries.h"

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool add_lines(struct arena *a, struct pg *db, const char *query, struct strlist *lines,
                      struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, query, PG_NONE, &rows, e))
        return false;
    for (size_t i = 0; i < rows.count; i++)
        strlist_add(lines, pg_cell(&rows, i, "line"));
    return true;
}

/* One transaction: the three queries must see the same catalogs. */
static bool read_all(struct arena *a, struct pg *db, struct strlist *lines, struct err *e)
{
    const char *const queries[] = {sql_snapshot_relations, sql_snapshot_attached,
                                   sql_snapshot_others};
    for (size_t i = 0; i < ARRAY_LEN(queries); i++)
        if (!add_lines(a, db, queries[i], lines, e))
            return false;
    return true;
}

bool snapshot_take(struct arena *a, struct pg *db, struct snapshot *s, struct err *e)
{
    struct err ignored = {0};
    *s = (struct snapshot){.lines = strlist_on(a)};
    if (!pg_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", e))
        return false;
    bool ok = read_all(a, db, &s->lines, e);
    if (!pg_exec(db, ok ? "COMMIT" : "ROLLBACK", ok ? e : &ignored) || !ok)
        return err_wrap(e, "could not read the catalogs");
    qsort(s->lines.items, s->lines.count, sizeof(*s->lines.items), by_bytes);
    const char *text = strlist_join(&s->lines, "\n");
    s->digest = digest_sha256(a, text, strlen(text));
    return true;
}

bool snapshot_equal(const struct snapshot *a, const struct snapshot *b)
{
    return strcmp(a->digest, b->digest) == 0;
}

struct strlist snapshot_difference(struct arena *a, const struct snapshot *before,
                                   const struct snapshot *after, size_t max)
{
    struct strlist found = strlist_on(a);
    size_t i = 0, j = 0;
    while ((i < before->lines.count || j < after->lines.count) && found.count < max) {
        int order = i == before->lines.count ? 1
                    : j == after->lines.count
                        ? -1
                        : strcmp(before->lines.items[i], after->lines.items[j]);
        if (order < 0)
            strlist_printf(&found, "- %s", before->lines.items[i]);
        else if (order > 0)
            strlist_printf(&found, "+ %s", after->lines.items[j]);
        i += order <= 0;
        j += order >= 0;
    }
    return found;
}
