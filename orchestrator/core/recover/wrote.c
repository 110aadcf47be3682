#include "core/recover/wrote.h"

#include "core/prisma/effects.h"
#include "core/restore/lost.h"
#include "ext/sql.h"

#include <strings.h>

static bool in_word(char c)
{
    return c == '_' || c == '$' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
}

bool wrote_names(const char *sql, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = sql; *p != '\0'; p++) {
        bool begins = p == sql || !in_word(p[-1]);
        if (begins && strncasecmp(p, name, n) == 0 && !in_word(p[n]))
            return true;
    }
    return false;
}

struct naming {
    struct arena *arena;
    const char *table;
    int64_t count; /* statements that name the table and may write rows of it */
};

/* A column with a default may be filled by rewriting the table, and then every row is new. */
static bool may_write(struct arena *a, const struct sql_statement *s)
{
    static const char *const words[] = {"DEFAULT",   "GENERATED",   "TYPE",    "SERIAL",
                                        "BIGSERIAL", "SMALLSERIAL", "IDENTITY"};
    if (effects_of(a, s->text).any_rows)
        return true;
    for (size_t i = 0; strcmp(s->kind, "AlterTableStmt") == 0 && i < ARRAY_LEN(words); i++)
        if (wrote_names(s->text, words[i]))
            return true;
    return false;
}

static bool visit(void *context, const struct sql_statement *s, struct err *e UNUSED)
{
    struct naming *n = context;
    n->count += wrote_names(s->text, n->table) && may_write(n->arena, s);
    return true;
}

/* What does not parse may write as often as it has semicolons. */
static int64_t statements_of(struct arena *a, const char *sql, const char *table)
{
    struct err ignored = {0};
    struct naming n = {.arena = a, .table = table};
    if (sql_each(a, sql, visit, &n, &ignored))
        return n.count;
    n.count = wrote_names(sql, table);
    for (const char *p = sql; n.count > 0 && *p != '\0'; p++)
        n.count += *p == ';';
    return n.count;
}

int64_t wrote_statements(struct arena *a, const struct migration_list *list, const char *table)
{
    int64_t n = 0;
    for (size_t i = 0; i < list->count; i++)
        n += list->items[i].sql == NULL ? 0 : statements_of(a, list->items[i].sql, table);
    return n;
}

struct writers {   /* of rows newer than the snapshot */
    int64_t early; /* transactions from before Prisma was started */
    int64_t later;
};

static bool count_writers(struct arena *a, const struct wrote_spec *s, const struct lost_writes *w,
                          struct writers *n)
{
    struct pg_rows rows;
    struct err ignored = {0};
    const char *xmax = s->before->snapshot_xmax;
    const char *sql = arena_printf(
        a,
        "SELECT count(*) FILTER (WHERE age < $2::bigint - $1::bigint) AS early,"
        " count(*) FILTER (WHERE age >= $2::bigint - $1::bigint) AS later FROM (SELECT DISTINCT"
        " (xmin::text::bigint - $1::bigint %% 4294967296 + 4294967296) %% 4294967296 AS age"
        " FROM ONLY %s WHERE xmin::text::bigint > 2) x"
        " WHERE age < txid_snapshot_xmax(txid_current_snapshot()) - $1::bigint",
        pg_ident2(a, w->schema, w->table));
    if (!pg_query(a, s->live, sql, PG_ARGS(xmax, s->xid == NULL ? xmax : s->xid), &rows, &ignored))
        return false;
    n->early = pg_cell_int(&rows, 0, "early");
    n->later = pg_cell_int(&rows, 0, "later");
    return true;
}

static int64_t most(int64_t x, int64_t y)
{
    return x > y ? x : y;
}

static void add(struct arena *a, struct wrote *out, const struct lost_writes *w)
{
    int64_t fewer = w->rows_then > w->rows_now ? w->rows_then - w->rows_now : 0;
    int64_t counted = most(w->inserted, 0) + most(w->updated, 0) + most(w->deleted, 0);
    int64_t rows = most(most(w->written, fewer), most(counted, w->rows_now - w->rows_then));
    strlist_printf(&out->tables, "%s.%s (%s)", w->schema, w->table,
                   w->rows_now < 0 ? "gone" : str_plural(a, most(rows, 1), "row", "rows"));
}

static void judge(struct arena *a, const struct wrote_spec *s, const struct lost_writes *w,
                  struct wrote *out)
{
    if (strcmp(w->table, "_prisma_migrations") == 0)
        return;
    int64_t statements = wrote_statements(a, s->migrations, w->table);
    if (statements == 0) {
        add(a, out, w);
        return;
    }
    struct writers n = {0};
    if (w->written > 0 && !count_writers(a, s, w, &n))
        out->unknown = arena_printf(a, "table %s.%s could not be read", w->schema, w->table);
    if (n.early > 0 || n.later > statements)
        add(a, out, w);
}

void wrote_look(struct arena *a, const struct wrote_spec *spec, struct wrote *w)
{
    struct lost_writes *items;
    size_t count;
    bool same = str_same(spec->live_oid, spec->before->database.oid);
    *w = (struct wrote){.tables = strlist_on(a)};
    const struct lost_look look = {.db = spec->live,
                                   .before = spec->before,
                                   .same_database = same,
                                   .limit_ms = spec->limit_ms};
    w->unknown = lost_count_in(a, &look, &items, &count);
    if (!same)
        w->unknown = "the live database is not the one that the backup is of";
    for (size_t i = 0; i < count; i++)
        judge(a, spec, &items[i], w);
}
