#include "core/rehearsal/measure.h"

#include "base/clock.h"
#include "sql/queries.h"

static const char ledger_table[] = "_prisma_migrations";

static bool read_relations(struct arena *a, struct pg *db, struct measured_relations *list,
                           struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_rehearsal_relations, PG_NONE, &rows, e))
        return err_wrap(e, "could not read the tables of the copy");
    list->items = arena_array(a, rows.count + 1, sizeof(*list->items));
    list->count = rows.count;
    for (size_t i = 0; i < rows.count; i++)
        list->items[i] = (struct measured_relation){
            .oid = pg_cell_int(&rows, i, "oid"),
            .file = pg_cell_int(&rows, i, "file"),
            .bytes = pg_cell_int(&rows, i, "bytes"),
            .name = pg_cell(&rows, i, "name"),
            .bare = pg_cell(&rows, i, "bare"),
            .is_index = pg_cell_bool(&rows, i, "is_index"),
        };
    return true;
}

static const struct measured_relation *find(const struct measured_relations *list, int64_t oid)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (list->items[middle].oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < list->count && list->items[low].oid == oid ? &list->items[low] : NULL;
}

/* --- locks --------------------------------------------------------------------------------------
 */

/* Does it conflict with ROW EXCLUSIVE, which every writer takes? */
static bool blocks_writes(const char *mode)
{
    return strcmp(mode, "ShareLock") == 0 || strcmp(mode, "ShareRowExclusiveLock") == 0 ||
           strcmp(mode, "ExclusiveLock") == 0 || strcmp(mode, "AccessExclusiveLock") == 0;
}

static void keep_longest(struct rehearsal *r, const char *table, const struct sampled_lock *l)
{
    int64_t held = l->last_ms - l->first_ms;
    for (size_t i = 0; i < r->lock_count; i++)
        if (strcmp(r->locks[i].table, table) == 0 && strcmp(r->locks[i].mode, l->mode) == 0) {
            r->locks[i].held_ms = held > r->locks[i].held_ms ? held : r->locks[i].held_ms;
            return;
        }
    r->locks[r->lock_count++] = (struct rehearsal_lock){
        .table = table,
        .mode = l->mode,
        .held_ms = held,
        .blocks_writes = blocks_writes(l->mode),
        .blocks_reads = strcmp(l->mode, "AccessExclusiveLock") == 0,
    };
}

static int longest_first(const void *a, const void *b)
{
    const struct rehearsal_lock *x = a, *y = b;
    if (x->held_ms != y->held_ms)
        return x->held_ms < y->held_ms ? 1 : -1;
    int order = strcmp(x->table, y->table);
    return order != 0 ? order : strcmp(x->mode, y->mode);
}

void measure_locks(struct arena *a, const struct measured_relations *before,
                   const struct sampled *seen, struct rehearsal *r)
{
    r->locks = arena_array(a, seen->count + 1, sizeof(*r->locks));
    r->lock_count = 0;
    r->sample_ms = seen->longest_gap_ms;
    r->blocking_ms = 0;
    for (size_t i = 0; i < seen->count; i++) {
        const struct measured_relation *of = find(before, seen->locks[i].relation);
        if (of != NULL && strcmp(of->bare, ledger_table) != 0)
            keep_longest(r, of->name, &seen->locks[i]);
    }
    if (r->lock_count > 1)
        qsort(r->locks, r->lock_count, sizeof(*r->locks), longest_first);
    for (size_t i = 0; i < r->lock_count; i++)
        if (r->locks[i].blocks_writes && r->locks[i].held_ms > r->blocking_ms)
            r->blocking_ms = r->locks[i].held_ms;
}

/* --- before and after ---------------------------------------------------------------------------
 */

static void compare(struct arena *a, const struct measured_relations *before,
                    const struct measured_relations *after, struct rehearsal *r)
{
    r->rewritten = arena_array(a, before->count + 1, sizeof(*r->rewritten));
    r->rewritten_count = 0;
    for (size_t i = 0; i < before->count; i++) {
        const struct measured_relation *was = &before->items[i], *is = find(after, was->oid);
        if (is != NULL && !was->is_index && is->file != was->file)
            r->rewritten[r->rewritten_count++] = (struct rehearsal_table){
                .table = is->name, .bytes_before = was->bytes, .bytes_after = is->bytes};
    }
}

/* "2026-11-20T19:46:09.123456Z"; -1: none. */
static int64_t stamp_ms(const char *stamp)
{
    if (stamp == NULL || strlen(stamp) < 20)
        return -1;
    int64_t seconds = clock_parse_rfc3339(stamp);
    int64_t fraction = 0, unit = 100;
    for (const char *p = stamp + 20; stamp[19] == '.' && *p >= '0' && *p <= '9'; p++, unit /= 10)
        fraction += (*p - '0') * unit;
    return seconds < 0 ? -1 : seconds * 1000 + fraction;
}

void measure_migrations(struct arena *a, const struct ledger *ledger, const struct strlist *wanted,
                        struct rehearsal *r)
{
    r->migrations = arena_array(a, wanted->count + 1, sizeof(*r->migrations));
    r->migration_count = 0;
    for (size_t i = 0; ledger != NULL && i < ledger->count; i++) {
        const struct ledger_row *row = &ledger->rows[i];
        int64_t began = stamp_ms(row->started_at), ended = stamp_ms(row->finished_at);
        if (ledger_row_state(row) == LEDGER_APPLIED && strlist_has(wanted, row->name) &&
            began >= 0 && ended >= began && r->migration_count < wanted->count)
            r->migrations[r->migration_count++] =
                (struct rehearsal_migration){.name = row->name, .elapsed_ms = ended - began};
    }
}

static const char *wal_position(struct arena *a, struct pg *db)
{
    struct err ignored = {0};
    return pg_value(a, db, "SELECT pg_current_wal_insert_lsn()", PG_NONE, &ignored);
}

static int64_t wal_since(struct arena *a, struct pg *db, const char *lsn)
{
    struct err ignored = {0};
    const char *bytes =
        lsn == NULL
            ? NULL
            : pg_value(a, db, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1)::bigint",
                       PG_ARGS(lsn), &ignored);
    return bytes == NULL ? -1 : strtoll(bytes, NULL, 10);
}

bool measure_begin(struct arena *a, const struct connection *where, struct measure *m,
                   struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    *m = (struct measure){.where = where};
    AUTO(pg) struct pg *db = connection_open(where, &use, e);
    if (db == NULL || !read_relations(a, db, &m->before, e))
        return false;
    m->lsn = wal_position(a, db);
    m->sampler = sampler_start(where, e);
    return m->sampler != NULL;
}

bool measure_end(struct arena *a, struct measure *m, struct rehearsal *r, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    struct sampled seen = {0};
    struct measured_relations after;
    sampler_stop(a, TAKE(m->sampler), &seen);
    measure_locks(a, &m->before, &seen, r);
    r->wal_bytes = -1;
    AUTO(pg) struct pg *db = connection_open(m->where, &use, e);
    if (db == NULL)
        return false;
    r->wal_bytes = wal_since(a, db, m->lsn);
    if (!read_relations(a, db, &after, e))
        return false;
    compare(a, &m->before, &after, r);
    return true;
}

void measure_abandon(struct arena *a, struct measure *m)
{
    sampler_stop(a, TAKE(m->sampler), NULL);
}
