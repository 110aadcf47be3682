#include "core/restore/data_apply.h"

#include "base/clock.h"
#include "base/pool.h"
#include "base/stop.h"
#include "core/restore/analyze.h"
#include "core/restore/commit.h"
#include "core/restore/data_applying.h"
#include "core/restore/data_sql.h"
#include "core/restore/load.h"
#include "core/restore/lost.h"
#include "sql/queries.h"

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

/* What came since the emergency backup would be deleted and be nowhere. */
static bool check_saved(struct applying *x, const struct live_table *t, struct err *e)
{
    int64_t newer;
    const struct lost_table_look look = {.db = x->db,
                                         .before = x->spec->saved,
                                         .schema = t->schema,
                                         .table = t->name,
                                         .partitioned = t->kind == 'p'};
    if (look.before == NULL)
        return true;
    if (!lost_newer(x->arena, &look, &newer, e))
        return false;
    if (newer == 0)
        return true;
    err_set(e, ERR_PREFLIGHT, "others wrote %s to table \"%s\".\"%s\" after the emergency backup",
            str_plural(x->arena, newer, "row", "rows"), t->schema, t->name);
    err_detail(e, "They would be deleted, and no backup has them. Nothing was changed.");
    err_hint(e, "Stop what writes there (hooks pre-restore and post-restore) and run it again, or"
                " add --side: the database as it is is kept then.");
    return false;
}

/* Children first: what refers to a row goes before the row. */
static bool delete_rows(struct applying *x, struct err *e)
{
    for (size_t i = x->plan->loaded; i-- > 0;) {
        const struct data_table *t = &x->plan->tables[i];
        if (t->deleted == 0)
            continue;
        if (!check_saved(x, t->to, e))
            return false;
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
    bool same =
        x->spec->alone
            ? strcmp(data_plan_mapping(x->arena, plan), data_plan_mapping(x->arena, shown)) == 0
            : strcmp(data_plan_digest(x->arena, plan), data_plan_digest(x->arena, shown)) == 0;
    if (!same) {
        err_set(e, ERR_PREFLIGHT, "the database has changed since the plan was made");
        err_hint(e, "Run it again: nothing was changed.");
        return false;
    }
    x->plan = plan;
    return true;
}

static bool load_all(struct applying *x, struct err *e)
{
    for (size_t i = 0; i < x->plan->loaded; i++) {
        struct data_loaded *done = &x->done->tables[x->done->table_count];
        if (!stop_check(e) || !data_load(x, &x->plan->tables[i], done, e))
            return false;
        x->done->inserted += done->inserted;
        x->done->table_count++;
    }
    return true;
}

bool data_set_path(struct applying *x, struct err *e)
{
    return !x->plan->wishes->triggers || pg_execf(x->db, e, "SET LOCAL search_path = %s",
                                                  pg_ident(x->arena, x->spec->to->schema));
}

/* Until the rows can come. */
static bool clear(struct applying *x, struct err *e)
{
    struct data_plan *plan = ARENA_NEW(x->arena, struct data_plan);
    struct live *live = ARENA_NEW(x->arena, struct live);
    if (!lock_tables(x, e) || !plan_again(x, plan, live, e))
        return false;
    x->done->tables = arena_array(x->arena, plan->loaded + 1, sizeof(*x->done->tables));
    return data_set_path(x, e) && data_triggers_off(x, e) && data_keys_off(x, e) &&
           data_indexes_off(x, e) && delete_rows(x, e);
}

/* All but the COMMIT. */
static bool work(void *context, int worker UNUSED, struct err *e)
{
    struct applying *x = context;
    return clear(x, e) && load_all(x, e) &&
           /* What is deferred is checked now: no table may be altered before that. */
           pg_exec(x->db, "SET CONSTRAINTS ALL IMMEDIATE", e) && data_indexes_on(x, e) &&
           data_keys_on(x, e) && data_triggers_on(x, e) && data_sequences(x, e);
}

/* In a database that nobody else uses, which is dropped when anything fails. */
static bool clear_alone(void *context, int worker UNUSED, struct err *e)
{
    struct applying *x = context;
    return clear(x, e) && pg_exec(x->db, "COMMIT", e);
}

static bool close_alone(void *context, int worker UNUSED, struct err *e)
{
    struct applying *x = context;
    return pg_exec(x->db, "BEGIN", e) && data_keys_on(x, e) && data_triggers_on(x, e) &&
           data_sequences(x, e);
}

static bool tick(void *context, struct err *e)
{
    struct applying *x = context;
    return progress_tick(x->spec->progress, e);
}

static bool commit(struct applying *x, struct err *e)
{
    const struct commit_spec spec = {.db = x->db,
                                     .to = x->spec->to,
                                     .committing = x->spec->committing,
                                     .context = x->spec->context};
    enum commit_outcome outcome;
    bool ok = commit_transaction(x->arena, &spec, &outcome, e);
    x->done->committed = ok;
    x->done->unknown = outcome == COMMIT_UNKNOWN;
    return ok;
}

static int by_text(const void *a, const void *b)
{
    const struct data_table *const *x = a, *const *y = b;
    int64_t bytes_x = (*x)->from->text_bytes, bytes_y = (*y)->from->text_bytes;
    return bytes_x > bytes_y ? -1 : bytes_x < bytes_y;
}

/* As autovacuum has it: fewer rows need no statistics. */
static void analyze(struct applying *x)
{
    enum { ANALYZED_ROWS = 50 };
    struct err e = {0};
    const struct data_plan *plan = x->plan;
    const struct data_table **tables = arena_array(x->arena, plan->loaded + 1, sizeof(void *));
    struct strlist names = strlist_on(x->arena);
    size_t count = 0;
    for (size_t i = 0; i < plan->loaded; i++)
        if (!plan->tables[i].again && plan->tables[i].into->owned &&
            plan->tables[i].from->rows >= ANALYZED_ROWS)
            tables[count++] = &plan->tables[i];
    qsort(tables, count, sizeof(void *), by_text);
    for (size_t i = 0; i < count; i++)
        strlist_add(&names, data_sql_table(x->arena, tables[i]->into));
    struct pg *own = pg_is_alive(x->db) ? x->db : NULL;
    if (!analyze_tables(x->spec->to, own, &names, x->spec->jobs, &e))
        strlist_printf(&x->done->warnings, "could not analyze: %s", e.message);
}

/* Values are read as the text was written; foreign keys are checked, whatever role or database say.
 */
bool data_session(struct pg *db, const struct manifest *m, struct err *e)
{
    return load_session(db, m, e) && load_checked(db, e) &&
           pg_exec(db,
                   "SET synchronous_commit = on;"
                   "SET IntervalStyle = postgres; SET xmloption = content",
                   e);
}

/* By one worker, while progress is told and a stop is heard. */
static bool by_one(struct applying *x, bool (*part)(void *, int, struct err *), struct err *e)
{
    const struct pool_spec pool = {.threads = 1, .work = part, .tick = tick, .context = x};
    return pool_run(&pool, e);
}

static struct pg *open_session(struct arena *a, const struct data_apply_spec *spec, struct err *e)
{
    const char *name = spec->application_name == NULL ? "migsafe" : spec->application_name;
    const struct session_use use = {.application_name = name};
    struct err gone = {0};
    if (spec->session != NULL &&
        pg_execf(spec->session, &gone, "SET application_name = %s", pg_literal(a, name)))
        return spec->session;
    pg_close(spec->session);
    return connection_open(spec->to, &use, e);
}

bool data_apply(struct arena *a, const struct data_apply_spec *spec, struct data_applied *done,
                struct err *e)
{
    struct applying x = {.arena = a, .spec = spec, .done = done};
    int64_t bytes = 0;
    *done = (struct data_applied){.warnings = strlist_on(a)};
    AUTO(pg) struct pg *db = open_session(a, spec, e);
    if (db == NULL || !data_session(db, spec->plan->manifest, e))
        return false;
    x.db = db;
    for (size_t i = 0; i < spec->plan->loaded; i++)
        bytes +=
            spec->plan->tables[i].from->text_bytes > 0 ? spec->plan->tables[i].from->text_bytes : 0;
    progress_begin(spec->progress, "restore", bytes);
    bool ok = spec->alone ? by_one(&x, clear_alone, e) && data_load_parallel(&x, e) &&
                                by_one(&x, close_alone, e)
                          : by_one(&x, work, e);
    if (!ok || !commit(&x, e))
        return false;
    analyze(&x);
    struct err late = {0};
    if (!progress_end(spec->progress, &late))
        strlist_add(&done->warnings, arena_strdup(a, late.message));
    return true;
}
