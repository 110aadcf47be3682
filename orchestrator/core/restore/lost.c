#include "core/restore/lost.h"

#include "base/clock.h"
#include "base/stop.h"
#include "sql/queries.h"

enum { LIMIT_MS = 120000 };

struct counting {
    struct arena *arena;
    const struct manifest *before;
    struct pg *db;      /* in the kept database */
    bool same_database; /* as the backup is of: transaction ids and counters can be compared */
    struct deadline limit;
    struct lost_writes *items;
    size_t count;
    struct strlist uncounted;
};

/*
 * Newer: created by a transaction from snapshot_xmax (64 bits) on.  A row tells only
 * the low 32 bits of its creator, so the distance from the snapshot is taken modulo
 * 2^32 and must be shorter than the way to now.  Two things it cannot tell: a
 * transaction that was running when the snapshot was taken counts as older, and a
 * row frozen more than 2^32 transactions ago might count as newer.
 */
static const char *count_query(struct arena *a, const char *from)
{
    return arena_printf(
        a,
        "SELECT count(*) AS rows, count(*) FILTER (WHERE xmin::text::bigint > 2 AND"
        " (xmin::text::bigint - $1::bigint %% 4294967296 + 4294967296) %% 4294967296"
        " < txid_snapshot_xmax(txid_current_snapshot()) - $1::bigint) AS written"
        " FROM %s",
        from);
}

static const char *only(struct arena *a, const char *schema, const char *name)
{
    return arena_printf(a, "ONLY %s", pg_ident2(a, schema, name));
}

static bool count_rows(struct counting *c, struct lost_writes *w, struct err *e)
{
    struct pg_rows rows;
    const char *xmax = c->before->snapshot_xmax;
    bool known = c->same_database && xmax != NULL && xmax[0] != '\0';
    int left_ms = deadline_left_ms(&c->limit);
    if (left_ms == 0)
        return err_set(e, ERR_TIMEOUT, "no time left");
    if (!pg_execf(c->db, e, "SET statement_timeout = %d", left_ms) ||
        !pg_query(c->arena, c->db, count_query(c->arena, only(c->arena, w->schema, w->table)),
                  PG_ARGS(known ? xmax : "0"), &rows, e))
        return false;
    w->rows_now = pg_cell_int(&rows, 0, "rows");
    w->written = known ? pg_cell_int(&rows, 0, "written") : -1;
    return true;
}

/* Counters only grow, unless someone resets them or the server crashed; -1: not known then. */
static int64_t grown(const struct counting *c, int64_t now, int64_t then)
{
    return !c->same_database || then < 0 || now < then ? -1 : now - then;
}

static bool differs(const struct lost_writes *w)
{
    if (w->rows_then < 0)
        return w->rows_now > 0;
    return w->rows_now != w->rows_then || w->written > 0 || w->inserted > 0 || w->updated > 0 ||
           w->deleted > 0;
}

static void add(struct counting *c, const struct lost_writes *w)
{
    if (differs(w))
        c->items[c->count++] = *w;
}

/* One table that kept has; `changed` ones are counted first. */
static void count_table(struct counting *c, const struct pg_rows *tables, size_t i, bool changed)
{
    const struct manifest *m = c->before;
    struct err e = {0};
    struct lost_writes w = {.schema = pg_cell(tables, i, "schema"),
                            .table = pg_cell(tables, i, "name"),
                            .rows_then = -1,
                            .inserted = pg_cell_int(tables, i, "inserted"),
                            .updated = pg_cell_int(tables, i, "updated"),
                            .deleted = pg_cell_int(tables, i, "deleted")};
    const struct manifest_table *then = manifest_table_find(m, w.schema, w.table);
    if (then != NULL) {
        w.rows_then = then->rows;
        w.inserted = grown(c, w.inserted, then->inserted);
        w.updated = grown(c, w.updated, then->updated);
        w.deleted = grown(c, w.deleted, then->deleted);
    }
    if ((w.inserted != 0 || w.updated != 0 || w.deleted != 0) != changed)
        return;
    if (count_rows(c, &w, &e))
        add(c, &w);
    else
        strlist_printf(&c->uncounted, "\"%s\".\"%s\" (%s)", w.schema, w.table, e.message);
}

static bool has_table(const struct pg_rows *tables, const struct manifest_table *t)
{
    for (size_t i = 0; i < tables->count; i++)
        if (strcmp(pg_cell(tables, i, "schema"), t->schema) == 0 &&
            strcmp(pg_cell(tables, i, "name"), t->name) == 0)
            return true;
    return false;
}

static bool count_all(struct counting *c, struct err *e)
{
    const struct manifest *m = c->before;
    struct pg_rows tables;
    if (!pg_query(c->arena, c->db, sql_lost_tables, PG_NONE, &tables, e))
        return false;
    c->items = arena_array(c->arena, tables.count + m->table_count + 1, sizeof(*c->items));
    for (size_t i = 0; i < m->table_count; i++)
        if (!has_table(&tables, &m->tables[i]))
            add(c, &(struct lost_writes){.schema = m->tables[i].schema,
                                         .table = m->tables[i].name,
                                         .rows_now = -1,
                                         .rows_then = m->tables[i].rows,
                                         .written = -1,
                                         .inserted = -1,
                                         .updated = -1,
                                         .deleted = -1});
    for (int changed = 1; changed >= 0; changed--)
        for (size_t i = 0; i < tables.count; i++)
            count_table(c, &tables, i, changed == 1);
    return true;
}

static bool set_open(const struct lost_spec *s, bool open, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    return pg_execf(s->maintenance, e, "ALTER DATABASE %s ALLOW_CONNECTIONS %s",
                    pg_ident(a, s->kept), open ? "true" : "false");
}

static struct counting counting_of(struct arena *a, const struct manifest *before,
                                   bool same_database, int64_t limit_ms)
{
    return (struct counting){
        .arena = a,
        .before = before,
        .same_database = same_database,
        .limit = deadline_in(limit_ms > 0 ? limit_ms : LIMIT_MS),
        .uncounted = strlist_on(a),
    };
}

static const char *not_counted(const struct counting *c, bool ok, const struct err *e)
{
    struct arena *a = c->arena;
    size_t more = c->uncounted.count - 1;
    if (!ok)
        return arena_printf(a, "could not count lost writes: %s", e->message);
    if (c->uncounted.count == 0)
        return NULL;
    return arena_printf(a, "not counted: %s%s", c->uncounted.items[0],
                        more == 0 ? "" : arena_printf(a, " and %zu more", more));
}

static bool count_open(struct counting *c, const struct lost_spec *spec, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    struct connection kept = connection_to(spec->server, spec->kept);
    AUTO(pg) struct pg *db = connection_open(&kept, &use, e);
    c->db = db;
    return db != NULL && count_all(c, e);
}

const char *lost_count_in(struct arena *a, const struct lost_look *look, struct lost_writes **items,
                          size_t *count)
{
    struct err e = {0};
    struct counting c = counting_of(a, look->before, look->same_database, look->limit_ms);
    c.db = look->db;
    bool ok = count_all(&c, &e);
    *items = c.items;
    *count = c.count;
    return not_counted(&c, ok, &e);
}

const char *lost_count(struct arena *a, const struct lost_spec *spec, struct lost_writes **items,
                       size_t *count)
{
    struct err e = {0}, closing = {0};
    struct counting c = counting_of(
        a, spec->before, str_same(spec->kept_oid, spec->before->database.oid), spec->limit_ms);
    bool ok = set_open(spec, true, &e) && count_open(&c, spec, &e);
    stop_shield(true);
    bool closed = set_open(spec, false, &closing);
    stop_shield(false);
    *items = c.items;
    *count = c.count;
    if (!closed)
        return arena_printf(a, "could not close database \"%s\" again: %s", spec->kept,
                            closing.message);
    return not_counted(&c, ok, &e);
}

bool lost_newer(struct arena *a, const struct lost_table_look *look, int64_t *newer, struct err *e)
{
    const struct manifest_table *then =
        manifest_table_find(look->before, look->schema, look->table);
    const char *from = look->partitioned ? pg_ident2(a, look->schema, look->table)
                                         : only(a, look->schema, look->table);
    struct pg_rows rows;
    if (!pg_query(a, look->db, count_query(a, from), PG_ARGS(look->before->snapshot_xmax), &rows,
                  e))
        return err_wrap(e, "could not count what is new in table \"%s\".\"%s\"", look->schema,
                        look->table);
    *newer = pg_cell_int(&rows, 0, "written");
    int64_t more = then == NULL ? 0 : pg_cell_int(&rows, 0, "rows") - then->rows;
    if (more > *newer)
        *newer = more;
    return true;
}
