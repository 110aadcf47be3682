#include "core/restore/data_apply.h"

#include "base/clock.h"
#include "base/pool.h"
#include "base/stop.h"
#include "core/restore/data_applying.h"
#include "core/restore/data_sql.h"
#include "core/restore/data_text.h"
#include "core/restore/load.h"
#include "sql/queries.h"

/* --- one table ------------------------------------------------------------------------------- */

static int fields_of(const struct manifest_table *t)
{
    int count = 0;
    for (size_t i = 0; i < t->column_count; i++)
        count += !t->columns[i].generated;
    return count;
}

/* Every field goes somewhere: the text passes as it is. */
static bool is_whole(const struct data_table *t, bool *drop)
{
    bool whole = true;
    for (size_t i = 0; i < t->column_count; i++) {
        const struct data_column *c = &t->columns[i];
        if (c->field < 0)
            continue;
        drop[c->field] = c->to == NULL || c->fate == DATA_COMPUTED;
        whole = whole && !drop[c->field];
    }
    return whole;
}

bool data_copy(struct applying *x, const struct data_table *t, const char *target, int64_t *rows,
               struct err *e)
{
    struct arena *a = x->arena;
    int fields = fields_of(t->from);
    struct data_cut cut = {.field_count = fields};
    bool *drop = arena_array(a, (size_t)fields + 1, sizeof(*drop));
    bool whole = is_whole(t, drop) || t->staged != NULL;
    const char *columns = t->staged != NULL ? load_columns(a, t->from) : data_sql_columns(a, t);
    cut.drop = drop;
    const struct load_spec load = {
        .folder = x->spec->folder,
        .table = t->from,
        .from = 0,
        .to = -1,
        .copy = load_copy(a, x->plan->manifest, target, columns, NULL),
        .change = whole ? NULL : data_cut_text,
        .context = &cut,
        .progress = x->spec->progress,
    };
    *rows = 0;
    if (t->from->rows == 0)
        return true;
    if (t->from->file == NULL)
        return err_set(e, ERR_DAMAGED, "the backup has no file of table \"%s\".\"%s\"",
                       t->from->schema, t->from->name);
    if (!load_text(x->db, &load, rows, e))
        return false;
    return *rows == t->from->rows ||
           err_set(e, ERR_DAMAGED, "file \"%s\" has %lld rows of table \"%s\".\"%s\", not %lld",
                   t->from->file, (long long)*rows, t->from->schema, t->from->name,
                   (long long)t->from->rows);
}

static bool count_rows(struct applying *x, const struct live_table *t, int64_t *rows, struct err *e)
{
    const char *text =
        pg_value(x->arena, x->db,
                 arena_printf(x->arena, "SELECT count(*) FROM %s%s", t->kind == 'p' ? "" : "ONLY ",
                              data_sql_table(x->arena, t)),
                 PG_NONE, e);
    if (text == NULL)
        return err_wrap(e, "could not count table \"%s\".\"%s\"", t->schema, t->name);
    *rows = strtoll(text, NULL, 10);
    return true;
}

static bool stage(struct applying *x, const struct data_table *t, int64_t *rows, struct err *e)
{
    struct arena *a = x->arena;
    if (!pg_exec(x->db, data_sql_stage(a, t), e))
        return err_wrap(e, "could not make a temporary table");
    if (!data_copy(x, t, data_stage_name, rows, e))
        return false;
    return (pg_exec(x->db, data_sql_insert(a, x->plan, t), e) ||
            err_wrap(e, "could not put the rows into table \"%s\".\"%s\"", t->into->schema,
                     t->into->name)) &&
           pg_execf(x->db, e, "DROP TABLE %s", data_stage_name);
}

/* An INSERT may bring fewer rows than it was given: merged ones, and those that a rule or a trigger
 * of the user's sends elsewhere. */
static bool load_staged(struct applying *x, const struct data_table *t, struct data_loaded *done,
                        struct err *e)
{
    int64_t before, after;
    const struct data_wishes *w = x->plan->wishes;
    bool merged = (w->mode == DATA_SKIP || w->mode == DATA_UPDATE) && t->to->rows > 0 && !t->again;
    if (!count_rows(x, t->into, &before, e) || !stage(x, t, &done->rows, e) ||
        !count_rows(x, t->into, &after, e))
        return false;
    done->inserted = after - before;
    return merged || w->triggers || done->inserted == done->rows ||
           err_set(e, ERR_QUERY, "table \"%s\".\"%s\" took %lld of %lld rows", t->into->schema,
                   t->into->name, (long long)done->inserted, (long long)done->rows);
}

static bool load_table(struct applying *x, const struct data_table *t, struct err *e)
{
    struct data_loaded *done = &x->done->tables[x->done->table_count];
    *done = (struct data_loaded){.table = t};
    if (t->staged != NULL ? !load_staged(x, t, done, e)
                          : !data_copy(x, t, data_sql_table(x->arena, t->into), &done->rows, e))
        return false;
    if (t->staged == NULL)
        done->inserted = done->rows;
    x->done->inserted += done->inserted;
    x->done->table_count++;
    progress_add(x->spec->progress, 0, done->rows);
    progress_table(x->spec->progress, t->from->schema, t->from->name, done->rows,
                   t->from->text_bytes);
    return true;
}

/* A rule or a trigger of the user's may keep rows from being deleted: they would be there twice. */
static bool check_empty(struct applying *x, const struct live_table *t, struct err *e)
{
    const char *left =
        pg_value(x->arena, x->db,
                 arena_printf(x->arena, "SELECT EXISTS (SELECT FROM %s%s)",
                              t->kind == 'p' ? "" : "ONLY ", data_sql_table(x->arena, t)),
                 PG_NONE, e);
    if (left == NULL || strcmp(left, "f") == 0)
        return left != NULL;
    err_set(e, ERR_QUERY, "rows of table \"%s\".\"%s\" are there after they were deleted",
            t->schema, t->name);
    err_hint(e, "A rule or a trigger of the table keeps them: switch it off, or restore without"
                " --triggers.");
    return false;
}

/* Children first: what refers to a row goes before the row. */
static bool delete_rows(struct applying *x, struct err *e)
{
    for (size_t i = x->plan->loaded; i-- > 0;) {
        const struct data_table *t = &x->plan->tables[i];
        if (t->deleted == 0)
            continue;
        if (!pg_execf(x->db, e, "%s %s%s", t->truncated ? "TRUNCATE TABLE" : "DELETE FROM",
                      t->to->kind == 'p' ? "" : "ONLY ", data_sql_table(x->arena, t->to)))
            return err_wrap(e, "could not empty table \"%s\".\"%s\"", t->to->schema, t->to->name);
        if (!check_empty(x, t->to, e))
            return false;
        x->done->deleted += t->deleted;
    }
    return true;
}

/* --- the transaction ------------------------------------------------------------------------- */

static void name_blocker(struct applying *x, struct err *e)
{
    struct err ignored = {0};
    struct pg_rows rows;
    if (!pg_exec(x->db, "ROLLBACK", &ignored) ||
        !pg_query(x->arena, x->db, sql_data_blocker,
                  PG_ARGS(data_sql_locked(x->arena, x->spec->plan)), &rows, &ignored) ||
        rows.count == 0)
        return;
    const char *pid = pg_cell(&rows, 0, "pid"), *query = pg_cell(&rows, 0, "query");
    err_detail(e, "Process %s (%s) %s %s on table %s: %s",
               pid == NULL ? "none, a prepared transaction" : pid, pg_cell(&rows, 0, "application"),
               pg_cell_bool(&rows, 0, "granted") ? "has" : "waits for", pg_cell(&rows, 0, "mode"),
               pg_ident2(x->arena, pg_cell(&rows, 0, "schema"), pg_cell(&rows, 0, "name")),
               query == NULL ? "?" : query);
}

static bool lock_tables(struct applying *x, struct err *e)
{
    if (!pg_execf(x->db, e, "BEGIN; SET LOCAL lock_timeout = %lld",
                  (long long)x->spec->lock_timeout_ms))
        return false;
    const char *sql = data_sql_lock(x->arena, x->spec->plan);
    if (sql[0] == '\0' || pg_exec(x->db, sql, e))
        return true;
    if (strcmp(e->sqlstate, "55P03") == 0) {
        err_set(e, ERR_TIMEOUT, "the tables could not be locked within %s",
                clock_human_ms(x->arena, x->spec->lock_timeout_ms));
        name_blocker(x, e);
        err_hint(e, "Run it again when that has ended, or raise lock-timeout.");
    }
    return false;
}

/* What others changed since the plan was shown: other columns, or rows in a table that was empty.
 */
static bool plan_again(struct applying *x, struct data_plan *plan, struct live *live, struct err *e)
{
    const struct data_plan *shown = x->spec->plan;
    struct data_inputs from = {.manifest = shown->manifest, .live = live, .wishes = shown->wishes};
    struct data_plan first;
    size_t count;
    if (!live_read(x->arena, x->db, shown->manifest, live, e) ||
        !data_plan_make(x->arena, &from, &first, e))
        return false;
    struct live_table **targets = data_plan_targets(x->arena, &first, &count);
    from.scans = x->spec->scans;
    from.trials = x->spec->trials;
    if (!live_count(x->arena, x->db, targets, count, e) ||
        !data_plan_make(x->arena, &from, plan, e) || !data_plan_check(x->arena, plan, e))
        return false;
    if (strcmp(data_plan_digest(x->arena, plan), data_plan_digest(x->arena, shown)) != 0) {
        err_set(e, ERR_PREFLIGHT, "the database has changed since the plan was made");
        err_hint(e, "Run it again: nothing was changed.");
        return false;
    }
    x->plan = plan;
    return true;
}

static bool load_all(struct applying *x, struct err *e)
{
    for (size_t i = 0; i < x->plan->loaded; i++)
        if (!stop_check(e) || !load_table(x, &x->plan->tables[i], e))
            return false;
    return true;
}

/* Triggers of users find what they name without a schema where the application finds it. */
static bool set_path(struct applying *x, struct err *e)
{
    return !x->plan->wishes->triggers || pg_execf(x->db, e, "SET LOCAL search_path = %s",
                                                  pg_ident(x->arena, x->spec->to->schema));
}

/* All but the COMMIT. */
static bool work(void *context, int worker UNUSED, struct err *e)
{
    struct applying *x = context;
    struct data_plan *plan = ARENA_NEW(x->arena, struct data_plan);
    struct live *live = ARENA_NEW(x->arena, struct live);
    if (!lock_tables(x, e) || !plan_again(x, plan, live, e))
        return false;
    x->done->tables = arena_array(x->arena, plan->loaded + 1, sizeof(*x->done->tables));
    return set_path(x, e) && data_triggers_off(x, e) && data_keys_off(x, e) && delete_rows(x, e) &&
           load_all(x, e) &&
           /* What is deferred is checked now: no table may be altered before that. */
           pg_exec(x->db, "SET CONSTRAINTS ALL IMMEDIATE", e) && data_keys_on(x, e) &&
           data_triggers_on(x, e) && data_sequences(x, e);
}

static bool tick(void *context, struct err *e)
{
    struct applying *x = context;
    return progress_tick(x->spec->progress, e);
}

/* The connection was lost while the server committed: did it? */
static bool ask_outcome(struct applying *x, const char *transaction, struct err *e)
{
    enum { TRIES = 10, PAUSE_MS = 1000 };
    const struct session_use use = {.query_deadline_ms = 10000};
    for (int i = 0; i < TRIES; i++) {
        struct err ignored = {0};
        AUTO(pg) struct pg *db = connection_open(x->spec->to, &use, &ignored);
        const char *status = db == NULL ? NULL
                                        : pg_value(x->arena, db, "SELECT txid_status($1::bigint)",
                                                   PG_ARGS(transaction), &ignored);
        if (status != NULL && strcmp(status, "committed") == 0)
            return true;
        if (status != NULL && strcmp(status, "aborted") == 0)
            return err_set(e, ERR_QUERY, "the server went away before it committed");
        if (!stop_sleep_ms(PAUSE_MS, &ignored))
            break;
    }
    x->done->unknown = true;
    return err_wrap(e, "it is unknown whether the restore was committed");
}

static bool commit(struct applying *x, struct err *e)
{
    const char *transaction = pg_value(x->arena, x->db, "SELECT txid_current()", PG_NONE, e);
    if (transaction == NULL || !stop_check(e))
        return false;
    /* A request to stop must not come between a COMMIT and the news of it. */
    stop_shield(true);
    bool ok =
        pg_exec(x->db, "COMMIT", e) || (e->kind == ERR_CONNECT && ask_outcome(x, transaction, e));
    stop_shield(false);
    x->done->committed = ok;
    return ok;
}

/* As autovacuum has it: fewer rows need no statistics. */
static void analyze(struct applying *x)
{
    enum { ANALYZED_ROWS = 50 };
    struct err e = {0};
    for (size_t i = 0; i < x->plan->loaded; i++) {
        const struct live_table *t = x->plan->tables[i].into;
        if (x->plan->tables[i].again || !t->owned || x->plan->tables[i].from->rows < ANALYZED_ROWS)
            continue;
        if (!pg_execf(x->db, &e, "ANALYZE %s", data_sql_table(x->arena, t))) {
            strlist_printf(&x->done->warnings, "could not analyze \"%s\".\"%s\": %s", t->schema,
                           t->name, e.message);
            return;
        }
    }
}

/* Values are read as the text was written. */
bool data_session(struct pg *db, const struct manifest *m, struct err *e)
{
    return load_session(db, m, e) &&
           pg_exec(db,
                   "SET synchronous_commit = on;"
                   "SET IntervalStyle = postgres; SET xmloption = content",
                   e);
}

bool data_apply(struct arena *a, const struct data_apply_spec *spec, struct data_applied *done,
                struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    struct applying x = {.arena = a, .spec = spec, .done = done};
    const struct pool_spec pool = {.threads = 1, .work = work, .tick = tick, .context = &x};
    int64_t bytes = 0;
    *done = (struct data_applied){.warnings = strlist_on(a)};
    AUTO(pg) struct pg *db = connection_open(spec->to, &use, e);
    if (db == NULL || !data_session(db, spec->plan->manifest, e))
        return false;
    x.db = db;
    for (size_t i = 0; i < spec->plan->loaded; i++)
        bytes +=
            spec->plan->tables[i].from->text_bytes > 0 ? spec->plan->tables[i].from->text_bytes : 0;
    progress_begin(spec->progress, "restore", bytes);
    if (!pool_run(&pool, e) || !commit(&x, e))
        return false;
    analyze(&x);
    struct err late = {0};
    if (!progress_end(spec->progress, &late))
        strlist_add(&done->warnings, arena_strdup(a, late.message));
    return true;
}
