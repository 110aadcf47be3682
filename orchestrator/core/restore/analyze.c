#include "core/restore/analyze.h"

#include "base/pool.h"
#include "sql/queries.h"

enum { SMALL_BYTES = 1 << 20, BATCH = 50 };

struct analyzing {
    const struct connection *to;
    struct pg_rows tables;
    size_t next; /* atomic */
    size_t large;
};

/* One large table, or several small ones: their names. */
static const char *take(struct analyzing *z, struct arena *a)
{
    struct str names = str_on(a);
    size_t i = __atomic_fetch_add(&z->next, 1, __ATOMIC_RELAXED);
    size_t from = i < z->large ? i : z->large + (i - z->large) * BATCH;
    size_t to = i < z->large ? i + 1 : from + BATCH;
    for (; from < to && from < z->tables.count; from++)
        str_item(&names, ", ", pg_cell(&z->tables, from, "name"));
    return names.length == 0 ? NULL : names.text;
}

static bool work(void *context, int worker UNUSED, struct err *e)
{
    struct analyzing *z = context;
    const struct session_use use = {.application_name = "migsafe"};
    AUTO(pg) struct pg *db = connection_open(z->to, &use, e);
    if (db == NULL ||
        !pg_exec(db, "SET default_transaction_read_only = off; SET synchronous_commit = off", e))
        return false;
    for (;;) {
        AUTO(arena) struct arena *a = arena_new();
        const char *names = take(z, a);
        if (names == NULL)
            return true;
        if (!pg_execf(db, e, "ANALYZE %s", names))
            return false;
    }
}

static bool list(struct arena *a, struct pg *db, const struct manifest *m, const bool *done,
                 struct pg_rows *tables, struct err *e)
{
    const char **schemas = arena_array(a, m->table_count + 1, sizeof(*schemas));
    const char **names = arena_array(a, m->table_count + 1, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; done != NULL && i < m->table_count; i++) {
        if (!done[i])
            continue;
        schemas[count] = m->tables[i].schema;
        names[count++] = m->tables[i].name;
    }
    return pg_query(a, db, sql_restore_analyze,
                    PG_ARGS(pg_array(a, schemas, count), pg_array(a, names, count)), tables, e);
}

bool analyze_parallel(struct arena *a, const struct connection *to, const struct manifest *m,
                      const bool *done, int jobs, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    struct analyzing z = {.to = to};
    AUTO(pg) struct pg *db = connection_open(to, &use, e);
    if (db == NULL || !list(a, db, m, done, &z.tables, e))
        return false;
    if (z.tables.count == 0)
        return true;
    while (z.large < z.tables.count && pg_cell_int(&z.tables, z.large, "bytes") >= SMALL_BYTES)
        z.large++;
    const struct pool_spec pool = {.threads = jobs < 1          ? 1
                                              : jobs < POOL_MAX ? jobs
                                                                : POOL_MAX,
                                   .work = work,
                                   .context = &z};
    return pool_run(&pool, e);
}
