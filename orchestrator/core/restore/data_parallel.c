#include "base/pool.h"
#include "base/stop.h"
#include "core/restore/data_applying.h"
#include "core/restore/data_index.h"
#include "core/restore/own_index.h"

/* Tables of the backup that go into one table: loaded in one transaction, one after another. */
struct unit {
    size_t from, count; /* of plan->tables */
    int64_t bytes;
};

struct loading {
    struct applying *x;
    struct unit *units;
    size_t unit_count;
    size_t next; /* atomic */
    bool indexes;
};

static bool is_off(const struct data_plan *plan, const struct live_foreign_key *k)
{
    for (size_t i = 0; i < plan->taken_off_count; i++)
        if (plan->taken_off[i] == k)
            return true;
    return false;
}

static bool is_loaded(const struct data_plan *plan, const struct live_table *t)
{
    for (size_t i = 0; i < plan->loaded; i++)
        if (plan->tables[i].into == t || plan->tables[i].to == t)
            return plan->tables[i].from->rows > 0;
    return false;
}

/* No row waits for one of another table, and no trigger looks at one. */
static bool is_any_order(const struct data_plan *plan)
{
    for (size_t i = 0; i < plan->live->foreign_key_count; i++) {
        const struct live_foreign_key *k = &plan->live->foreign_keys[i];
        if (!is_off(plan, k) && is_loaded(plan, k->child))
            return false;
    }
    return !plan->wishes->triggers;
}

static int by_bytes(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;
    return x->bytes > y->bytes ? -1 : x->bytes < y->bytes;
}

static void list_units(struct loading *l)
{
    const struct data_plan *plan = l->x->plan;
    l->units = arena_array(l->x->arena, plan->loaded + 1, sizeof(*l->units));
    for (size_t i = 0; i < plan->loaded; i++) {
        if (i == 0 || plan->tables[i].into != plan->tables[i - 1].into)
            l->units[l->unit_count++] = (struct unit){.from = i};
        struct unit *u = &l->units[l->unit_count - 1];
        u->count++;
        u->bytes += plan->tables[i].from->text_bytes > 0 ? plan->tables[i].from->text_bytes : 0;
    }
}

static bool load_unit(struct applying *own, const struct unit *u, struct err *e)
{
    if (!pg_exec(own->db, "BEGIN", e) || !data_set_path(own, e))
        return false;
    for (size_t i = u->from; i < u->from + u->count; i++)
        if (!data_load(own, &own->plan->tables[i], &own->done->tables[i], e))
            return false;
    return pg_exec(own->db, "COMMIT", e);
}

static bool take(struct loading *l, struct applying *own, bool *more, struct err *e)
{
    size_t i = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
    *more = i < (l->indexes ? own->plan->remade_count : l->unit_count);
    if (!*more)
        return true;
    if (!stop_check(e))
        return false;
    return !l->indexes
               ? load_unit(own, &l->units[i], e)
               : pg_exec(own->db, "BEGIN", e) && data_index_on(own->db, own->plan->remade[i], e) &&
                     pg_exec(own->db, "COMMIT", e);
}

static bool work(void *context, int worker UNUSED, struct err *e)
{
    struct loading *l = context;
    const struct session_use use = {.application_name = "migsafe"};
    AUTO(arena) struct arena *a = arena_new();
    AUTO(pg) struct pg *db = connection_open(l->x->spec->to, &use, e);
    struct applying own = *l->x;
    own.arena = a;
    own.db = db;
    if (db == NULL || !data_session(db, own.plan->manifest, e) || !own_index_memory(db, e))
        return false;
    for (bool more = true; more;)
        if (!take(l, &own, &more, e))
            return false;
    return true;
}

static bool tick(void *context, struct err *e)
{
    struct loading *l = context;
    return progress_tick(l->x->spec->progress, e);
}

static bool run(struct loading *l, size_t items, struct err *e)
{
    bool any_order = is_any_order(l->x->plan);
    int most = items < POOL_MAX ? (int)items : POOL_MAX, jobs = l->x->spec->jobs;
    const struct pool_spec pool = {.threads = !any_order || jobs < 1 ? 1
                                              : jobs < most          ? jobs
                                                                     : most,
                                   .work = work,
                                   .tick = tick,
                                   .context = l};
    if (any_order && !l->indexes)
        qsort(l->units, l->unit_count, sizeof(*l->units), by_bytes);
    l->next = 0;
    return items == 0 || pool_run(&pool, e);
}

bool data_load_parallel(struct applying *x, struct err *e)
{
    struct loading l = {.x = x};
    const struct data_plan *plan = x->plan;
    list_units(&l);
    if (!run(&l, l.unit_count, e))
        return false;
    x->done->table_count = plan->loaded;
    for (size_t i = 0; i < plan->loaded; i++)
        x->done->inserted += x->done->tables[i].inserted;
    l.indexes = true;
    return run(&l, plan->remade_count, e) &&
           data_index_check(x->db, plan->remade, plan->remade_count, e);
}
