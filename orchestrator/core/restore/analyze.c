#include "core/restore/analyze.h"

#include "base/log.h"
#include "base/pool.h"
#include "sql/queries.h"

enum { SMALL_BYTES = 1 << 20, BATCH = 50 };

struct analyzing {
    const struct connection *to;
    struct pg *own; /* of the first worker; NULL: it opens one, as the others do */
    const char **names;
    size_t count;
    size_t next; /* atomic */
    size_t large;
};

/* One large table, or several small ones. */
struct share {
    size_t from, to;
};

static bool take(struct analyzing *z, struct share *share)
{
    size_t i = __atomic_fetch_add(&z->next, 1, __ATOMIC_RELAXED);
    share->from = i < z->large ? i : z->large + (i - z->large) * BATCH;
    share->to = i < z->large ? i + 1 : share->from + BATCH;
    if (share->to > z->count)
        share->to = z->count;
    return share->from < share->to;
}

/* What the server cannot make statistics of, such as an expression that fails for a row, is no
 * worse than it was: told, and left without. */
static bool one_by_one(struct pg *db, const struct analyzing *z, const struct share *share,
                       struct err *e)
{
    for (size_t i = share->from; i < share->to; i++) {
        struct err failed = {0};
        if (pg_execf(db, &failed, "ANALYZE %s", z->names[i]))
            continue;
        if (failed.kind != ERR_QUERY) {
            *e = failed;
            return false;
        }
        err_wrap(&failed, "could not analyze %s", z->names[i]);
        log_err_as(LOG_WARNING, &failed);
    }
    return true;
}

static bool analyze_share(struct pg *db, const struct analyzing *z, const struct share *share,
                          struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct str names = str_on(a);
    struct err failed = {0};
    for (size_t i = share->from; i < share->to; i++)
        str_item(&names, ", ", z->names[i]);
    if (pg_execf(db, &failed, "ANALYZE %s", names.text))
        return true;
    if (failed.kind == ERR_QUERY)
        return one_by_one(db, z, share, e);
    *e = failed;
    return false;
}

static bool analyze_some(struct analyzing *z, struct pg *db, struct err *e)
{
    if (!pg_exec(db, "SET default_transaction_read_only = off; SET synchronous_commit = off", e))
        return false;
    for (struct share share; take(z, &share);)
        if (!analyze_share(db, z, &share, e))
            return false;
    return true;
}

static bool work(void *context, int worker, struct err *e)
{
    struct analyzing *z = context;
    const struct session_use use = {.application_name = "migsafe"};
    if (worker == 0 && z->own != NULL)
        return analyze_some(z, z->own, e);
    AUTO(pg) struct pg *db = connection_open(z->to, &use, e);
    return db != NULL && analyze_some(z, db, e);
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

static bool analyze(struct analyzing *z, int jobs, struct err *e)
{
    int most = z->count < POOL_MAX ? (int)z->count : POOL_MAX;
    const struct pool_spec pool = {.threads = jobs < 1      ? 1
                                              : jobs < most ? jobs
                                                            : most,
                                   .work = work,
                                   .context = z};
    return z->count == 0 || pool_run(&pool, e);
}

bool analyze_parallel(struct arena *a, const struct connection *to, const struct manifest *m,
                      const bool *done, int jobs, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    struct analyzing z = {.to = to};
    struct pg_rows tables;
    AUTO(pg) struct pg *db = connection_open(to, &use, e);
    if (db == NULL || !list(a, db, m, done, &tables, e))
        return false;
    z.names = arena_array(a, tables.count + 1, sizeof(*z.names));
    z.count = tables.count;
    for (size_t i = 0; i < tables.count; i++) {
        z.names[i] = pg_cell(&tables, i, "name");
        z.large += pg_cell_int(&tables, i, "bytes") >= SMALL_BYTES;
    }
    return analyze(&z, jobs, e);
}

bool analyze_tables(const struct connection *to, struct pg *own, const struct strlist *names,
                    int jobs, struct err *e)
{
    struct analyzing z = {
        .to = to, .own = own, .names = names->items, .count = names->count, .large = names->count};
    return analyze(&z, jobs, e);
}
