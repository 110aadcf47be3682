#include "core/restore/rows.h"

#include "base/pool.h"
#include "core/restore/compare.h"
#include "core/restore/configuration.h"
#include "core/restore/load.h"
#include "core/restore/own_index.h"
#include "core/restore/schedule.h"
#include "sql/queries.h"

enum {
    FROZEN_LEAST =
        1 << 20,       /* bytes of text; a new file for a smaller table costs more than it saves */
    PARTS_PER_JOB = 4, /* a table is cut up when it is more than such a part of the work */
    BATCH_TABLES = 50, /* small ones in one transaction */
    BATCH_BYTES = 4 << 20,
};

/* A table, or what lies between two of its members. */
struct piece {
    const struct manifest_table *table;
    int64_t from, to;
    int64_t weight;
    bool whole;
    bool begins; /* a transaction */
};

/* Pieces in one transaction: whole tables; a part of a table is alone. */
struct batch {
    const struct piece *pieces;
    size_t count;
};

struct loading_all {
    const struct rows_spec *spec;
    struct manifest_table *tables; /* the manifest's, with what the server says of their columns */
    size_t table_count;
    struct piece *pieces;
    size_t count;
    struct batch *batches;
    size_t batch_count;
    bool *early; /* by table: its statistics can be made before there are indexes; NULL: of none */
    bool within; /* a transaction that is open already */
    struct schedule schedule;
    size_t index_count;
    int64_t *taken; /* atomic; rows by table of the manifest */
    size_t *left;   /* atomic; pieces that are not loaded yet, by table */
};

/* Manifests of old do not tell which columns the server computes: their files have none of them. */
static bool mark_generated(struct arena *a, struct loading_all *all, struct pg *db, struct err *e)
{
    struct pg_rows columns;
    if (!pg_query(a, db, sql_restore_generated, PG_NONE, &columns, e))
        return false;
    for (size_t i = 0; i < columns.count; i++) {
        const struct manifest *m = &all->spec->backup->manifest;
        const struct manifest_table *found =
            manifest_table_find(m, pg_cell(&columns, i, "schema"), pg_cell(&columns, i, "name"));
        struct manifest_table *t = found == NULL ? NULL : &all->tables[found - m->tables];
        for (size_t c = 0; t != NULL && c < t->column_count; c++)
            t->columns[c].generated |=
                strcmp(t->columns[c].name, pg_cell(&columns, i, "column")) == 0;
    }
    return true;
}

static int64_t weight_of(const struct manifest_table *t)
{
    return t->text_bytes > 0 ? t->text_bytes : t->bytes;
}

static size_t pieces_of(const struct manifest_table *t, int64_t total, int jobs)
{
    bool cut = jobs > 1 && weight_of(t) > total / PARTS_PER_JOB / jobs;
    return cut && t->member_count > 1 ? t->member_count : 1;
}

static int heavier_first(const void *a, const void *b)
{
    const struct piece *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    return x->table != y->table ? (x->table < y->table ? -1 : 1) : (x->from < y->from ? -1 : 1);
}

static void add_pieces(struct loading_all *all, const struct manifest_table *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        all->pieces[all->count++] = (struct piece){
            .table = t,
            .from = n == 1 ? 0 : t->members[i],
            .to = i + 1 < n ? t->members[i + 1] : -1,
            .weight = weight_of(t) / (int64_t)n,
            .whole = n == 1,
        };
}

static int64_t total_of(const struct loading_all *all)
{
    int64_t total = 0;
    for (size_t i = 0; i < all->table_count; i++)
        total += weight_of(&all->tables[i]) > 0 ? weight_of(&all->tables[i]) : 0;
    return total;
}

/* Fewer in one the fewer are left, so that all sessions end at the same time. */
static void plan_batches(struct arena *a, struct loading_all *all)
{
    all->batches = arena_array(a, all->count + 1, sizeof(*all->batches));
    for (size_t i = 0; i < all->count;) {
        size_t n = 1, share = (all->count - i) / 2 / (size_t)all->spec->jobs;
        int64_t bytes = all->pieces[i].weight;
        all->pieces[i].begins = all->pieces[i].whole;
        while (i + n < all->count && n < share && n < BATCH_TABLES && all->pieces[i].whole &&
               all->pieces[i + n].whole && bytes < BATCH_BYTES)
            bytes += all->pieces[i + n++].weight;
        all->batches[all->batch_count++] = (struct batch){.pieces = &all->pieces[i], .count = n};
        i += n;
    }
}

static void plan(struct arena *a, struct loading_all *all)
{
    const struct manifest_table *tables = all->tables;
    int64_t total = total_of(all);
    size_t most = 1;
    for (size_t i = 0; i < all->table_count; i++)
        most += tables[i].member_count + 1;
    all->pieces = arena_array(a, most, sizeof(*all->pieces));
    all->taken = arena_array(a, all->table_count + 1, sizeof(*all->taken));
    all->left = arena_array(a, all->table_count + 1, sizeof(*all->left));
    for (size_t i = 0; i < all->table_count; i++) {
        const struct manifest_table *t = &tables[i];
        if (t->file == NULL)
            continue;
        if (t->rows == 0 && t->text_bytes == 0) {
            progress_table(all->spec->progress, t->schema, t->name, 0, 0);
            continue;
        }
        all->left[i] = pieces_of(t, total, all->spec->jobs);
        add_pieces(all, t, all->left[i]);
    }
    qsort(all->pieces, all->count, sizeof(*all->pieces), heavier_first);
    plan_batches(a, all);
}

/* Emptying the table in the same transaction is what lets rows be written frozen; it is empty
 * already, and a partitioned table, which the rows of others pass through, cannot be. */
static bool load_piece(struct arena *a, struct pg *db, const struct loading_all *all,
                       const struct piece *p, int64_t *rows, struct err *e)
{
    const struct manifest *m = &all->spec->backup->manifest;
    const struct manifest_table *t = p->table;
    bool by_root = t->load_root_name != NULL;
    bool frozen = p->whole && !by_root && !all->within && weight_of(t) >= FROZEN_LEAST;
    const char *target = by_root ? pg_ident2(a, t->load_root_schema, t->load_root_name)
                                 : pg_ident2(a, t->schema, t->name);
    const char *copy = load_copy(a, m, target, load_columns(a, t), frozen ? "FREEZE" : NULL);
    const struct load_spec load = {
        .folder = all->spec->backup->folder,
        .table = t,
        .from = p->from,
        .to = p->to,
        .copy = arena_printf(a, "%s%s%s", p->begins && !all->within ? "BEGIN; " : "",
                             frozen ? arena_printf(a, "TRUNCATE ONLY %s; ", target) : "", copy),
        .progress = all->spec->progress,
    };
    return load_text(db, &load, rows, e);
}

/* True when all of the table is there. */
static bool tell(struct loading_all *all, const struct manifest_table *t, int64_t rows)
{
    size_t i = (size_t)(t - all->tables);
    int64_t taken = __atomic_add_fetch(&all->taken[i], rows, __ATOMIC_RELAXED);
    progress_add(all->spec->progress, 0, rows);
    if (__atomic_sub_fetch(&all->left[i], 1, __ATOMIC_ACQ_REL) > 0)
        return false;
    progress_table(all->spec->progress, t->schema, t->name, taken, t->text_bytes);
    return true;
}

/* Rows and their statistics. */
static bool load_batch(struct pg *db, struct loading_all *all, const struct batch *batch,
                       struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct str names = str_on(a), end = str_on(a);
    for (size_t i = 0; i < batch->count; i++) {
        const struct manifest_table *t = batch->pieces[i].table;
        int64_t rows;
        if (!load_piece(a, db, all, &batch->pieces[i], &rows, e))
            return false;
        if (!tell(all, t, rows) || all->early == NULL || !all->early[t - all->tables])
            continue;
        str_item(&names, ", ", pg_ident2(a, t->schema, t->name));
        all->spec->analyzed[t - all->tables] = true;
    }
    if (names.length > 0)
        str_printf(&end, "ANALYZE %s;", names.text);
    if (batch->pieces[0].begins)
        str_add(&end, "COMMIT");
    return end.length == 0 || pg_exec(db, end.text, e) ||
           err_wrap(e, "could not analyze %s", names.length > 0 ? names.text : "a table");
}

static bool make_index(struct pg *db, struct loading_all *all, const struct own_index *index,
                       struct err *e)
{
    const struct rows_spec *s = all->spec;
    s->made[index->entry] = true;
    return own_index_make(db, &s->toc->entries[index->entry], &all->tables[index->table], e);
}

static bool do_all(struct pg *db, struct loading_all *all, struct err *e)
{
    struct schedule_item *item;
    while (schedule_take(&all->schedule, &item, e)) {
        if (item == NULL)
            return true;
        if (!(item->kind == SCHEDULE_ROWS ? load_batch(db, all, item->what, e)
                                          : make_index(db, all, item->what, e)))
            return false;
        schedule_done(&all->schedule, item);
    }
    return false;
}

static bool work(void *context, int worker UNUSED, struct err *e)
{
    struct loading_all *all = context;
    const struct session_use use = {.application_name = "migsafe"};
    AUTO(pg) struct pg *db = connection_open(all->spec->to, &use, e);
    return db != NULL && load_session(db, &all->spec->backup->manifest, e) &&
           (all->index_count == 0 || own_index_session(db, e)) && do_all(db, all, e);
}

static bool tick(void *context, struct err *e)
{
    const struct loading_all *all = context;
    return progress_tick(all->spec->progress, e);
}

static void plan_schedule(struct arena *a, struct loading_all *all)
{
    const struct rows_spec *spec = all->spec;
    struct own_index *indexes = NULL;
    if (spec->made != NULL && spec->toc != NULL)
        own_index_plan(a, spec->toc, &spec->backup->manifest, &indexes, &all->index_count);
    struct schedule *s = &all->schedule;
    s->items = arena_array(a, all->batch_count + all->index_count + 1, sizeof(*s->items));
    for (size_t i = 0; i < all->batch_count; i++) {
        const struct manifest_table *t = all->batches[i].pieces[0].table;
        s->items[s->count++] = (struct schedule_item){.kind = SCHEDULE_ROWS,
                                                      .table = (size_t)(t - all->tables),
                                                      .weight = weight_of(t),
                                                      .what = &all->batches[i]};
    }
    for (size_t i = 0; i < all->index_count; i++) {
        const struct own_index *index = &indexes[i];
        s->items[s->count++] =
            (struct schedule_item){.kind = index->alone ? SCHEDULE_ALONE : SCHEDULE_SHARED,
                                   .last = index->last,
                                   .table = index->table,
                                   .weight = weight_of(&all->tables[index->table]),
                                   .what = index};
    }
    schedule_begin(a, s, all->table_count);
}

static bool load_parallel(struct arena *a, struct loading_all *all, struct err *e)
{
    size_t most = all->spec->jobs < POOL_MAX ? (size_t)all->spec->jobs : POOL_MAX;
    plan_schedule(a, all);
    size_t count = all->schedule.count < most ? all->schedule.count : most;
    const struct pool_spec pool = {
        .threads = (int)count, .work = work, .tick = tick, .context = all};
    bool ok = count == 0 || pool_run(&pool, e);
    schedule_end(&all->schedule);
    return ok;
}

/* By what COPY took; tables without a file of their own are counted. */
static bool judge(struct arena *a, const struct loading_all *all, struct pg *db, struct err *e)
{
    struct differences d = differences_on(a);
    for (size_t i = 0; i < all->table_count; i++) {
        if (all->tables[i].file != NULL)
            differences_rows(&d, &all->tables[i], all->taken[i]);
        else if (!differences_table(&d, db, &all->tables[i], e))
            return false;
    }
    return differences_none(&d, e);
}

/* Columns too: what is marked there is not the manifest's. */
static struct manifest_table *copy_tables(struct arena *a, const struct manifest *m)
{
    struct manifest_table *tables = arena_array(a, m->table_count + 1, sizeof(*tables));
    for (size_t i = 0; i < m->table_count; i++) {
        struct manifest_table *t = &tables[i];
        *t = m->tables[i];
        t->columns = arena_array(a, t->column_count + 1, sizeof(*t->columns));
        if (t->column_count > 0)
            memcpy(t->columns, m->tables[i].columns, t->column_count * sizeof(*t->columns));
    }
    return tables;
}

/* Statistics that are made together with others', or of what only the archive's end makes, come at
 * the end. */
static bool plan_statistics(struct arena *a, struct loading_all *all, struct pg *db, struct err *e)
{
    const struct manifest *m = &all->spec->backup->manifest;
    const struct toc *toc = all->spec->toc;
    const struct toc_tables known = toc_tables_of(a, toc, m);
    struct pg_rows related;
    if (all->spec->analyzed == NULL || toc == NULL)
        return true;
    if (!pg_query(a, db, sql_restore_related, PG_NONE, &related, e))
        return false;
    all->early = arena_array(a, m->table_count + 1, sizeof(*all->early));
    for (size_t i = 0; i < m->table_count; i++)
        all->early[i] = m->tables[i].rows > 0 && m->tables[i].load_root_name == NULL;
    for (size_t i = 0; i < related.count; i++) {
        const struct manifest_table *t =
            manifest_table_find(m, pg_cell(&related, i, "schema"), pg_cell(&related, i, "name"));
        if (t != NULL)
            all->early[t - m->tables] = false;
    }
    for (size_t i = 0; i < toc->count; i++) {
        const struct toc_entry *entry = &toc->entries[i];
        bool adds = strcmp(entry->type, "STATISTICS") == 0 ||
                    (strcmp(entry->type, "INDEX") == 0 && toc_computes(entry->definition));
        for (size_t d = 0; adds && d < entry->depend_count; d++) {
            int64_t table = toc_tables_find(&known, entry->depend_ids[d]);
            if (table >= 0)
                all->early[table] = false;
        }
    }
    return true;
}

static bool prepare(struct arena *a, struct pg *db, struct loading_all *all, struct err *e)
{
    const struct manifest *m = &all->spec->backup->manifest;
    all->tables = copy_tables(a, m);
    all->table_count = m->table_count;
    if (!configuration_load(a, db, all->spec, e) || !mark_generated(a, all, db, e) ||
        !plan_statistics(a, all, db, e))
        return false;
    plan(a, all);
    return true;
}

bool rows_load(struct arena *a, const struct rows_spec *spec, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    struct loading_all all = {.spec = spec};
    AUTO(pg) struct pg *db = connection_open(spec->to, &use, e);
    return db != NULL && prepare(a, db, &all, e) && load_parallel(a, &all, e) &&
           judge(a, &all, db, e);
}

bool rows_load_within(struct arena *a, struct pg *db, const struct rows_spec *spec, struct err *e)
{
    struct loading_all all = {.spec = spec, .within = true};
    if (!prepare(a, db, &all, e))
        return false;
    for (size_t i = 0; i < all.count; i++) {
        int64_t rows;
        if (!load_piece(a, db, &all, &all.pieces[i], &rows, e))
            return false;
        (void)tell(&all, all.pieces[i].table, rows);
        if (!progress_tick(spec->progress, e))
            return false;
    }
    return judge(a, &all, db, e);
}
