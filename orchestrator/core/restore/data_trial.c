#include "core/restore/data_trial.h"

#include "base/pool.h"
#include "base/stop.h"
#include "core/restore/data_applying.h"
#include "core/restore/data_sql.h"
#include "core/restore/load.h"

enum verdict { FITS, TOO_LONG, FAILS, UNKNOWN };

struct trying {
    struct applying x;
    struct data_trials *trials;
};

/* What comes of the rows from..to (to 0: all); why: the server's words. */
static enum verdict judge(struct applying *x, const struct data_column *c, int64_t from, int64_t to,
                          struct err *why)
{
    struct pg_rows row;
    struct err e = {0};
    *why = (struct err){0};
    if (!pg_exec(x->db, "SAVEPOINT migsafe", why))
        return UNKNOWN;
    bool ok = pg_query(x->arena, x->db, data_sql_try(x->arena, c, from, to), PG_NONE, &row, why);
    if (!ok && why->kind != ERR_QUERY)
        return UNKNOWN;
    if (!pg_exec(x->db, "ROLLBACK TO SAVEPOINT migsafe; RELEASE SAVEPOINT migsafe", &e)) {
        *why = e;
        return UNKNOWN;
    }
    if (!ok)
        return FAILS;
    return strcmp(row.cells[0], "0") == 0 ? FITS : TOO_LONG;
}

/* The first row for which it is that; 0: none alone, or the server went away. */
static int64_t find_row(struct applying *x, const struct data_column *c, enum verdict wanted,
                        int64_t rows)
{
    int64_t from = 1, to = rows;
    struct err why;
    while (from < to) {
        int64_t middle = from + (to - from) / 2;
        enum verdict verdict = judge(x, c, from, middle, &why);
        if (verdict == UNKNOWN)
            return 0;
        if (verdict == wanted)
            to = middle;
        else
            from = middle + 1;
    }
    return judge(x, c, from, from, &why) == wanted ? from : 0;
}

static const char *row_text(struct applying *x, int64_t row)
{
    struct err ignored = {0};
    const char *text = pg_value(
        x->arena, x->db,
        arena_printf(x->arena,
                     "SELECT left(CAST(s AS text), 200) FROM %s AS s WHERE migsafe_row = %lld",
                     data_stage_name, (long long)row),
        PG_NONE, &ignored);
    return text == NULL ? "?" : text;
}

static bool find_changed(struct applying *x, const struct data_column *c, struct data_trial *trial,
                         struct err *e)
{
    struct pg_rows changed;
    const char *sql = data_sql_changed(x->arena, c);
    if (sql == NULL)
        return true;
    if (!pg_query(x->arena, x->db, sql, PG_NONE, &changed, e))
        return err_wrap(e, "could not compare the values of column \"%s\"", c->to->name);
    trial->changed = pg_cell_int(&changed, 0, "changed");
    trial->example = pg_cell(&changed, 0, "example");
    return true;
}

static bool try_column(struct trying *t, const struct data_table *table,
                       const struct data_column *c, int64_t rows, struct err *e)
{
    struct applying *x = &t->x;
    struct data_trial *trial = &t->trials->items[t->trials->count++];
    struct err why;
    *trial = (struct data_trial){.table = table->from, .column = c->to->name};
    enum verdict verdict = judge(x, c, 0, 0, &why);
    if (verdict == UNKNOWN) {
        *e = why;
        return false;
    }
    if (verdict != FITS) {
        const char *words = verdict == FAILS
                                ? arena_strdup(x->arena, why.message)
                                : arena_printf(x->arena, "value too long for type %s", c->to->type);
        int64_t row = find_row(x, c, verdict, rows);
        trial->refused = row == 0 ? words
                                  : arena_printf(x->arena, "%s, in row %lld of the backup: %s",
                                                 words, (long long)row, row_text(x, row));
        return true;
    }
    return find_changed(x, c, trial, e);
}

static bool has_computed(const struct data_table *t)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (data_is_computed(&t->columns[i]))
            return true;
    return false;
}

static bool try_table(struct trying *t, const struct data_table *table, struct err *e)
{
    int64_t rows;
    if (!pg_exec(t->x.db, "BEGIN", e) || !pg_exec(t->x.db, data_sql_stage(t->x.arena, table), e) ||
        !data_copy(&t->x, table, data_stage_name, &rows, e))
        return false;
    for (size_t i = 0; i < table->column_count; i++)
        if (data_is_computed(&table->columns[i]) &&
            !try_column(t, table, &table->columns[i], rows, e))
            return false;
    return pg_exec(t->x.db, "ROLLBACK", e);
}

static bool work(void *context, int worker UNUSED, struct err *e)
{
    struct trying *t = context;
    const struct data_plan *plan = t->x.plan;
    for (size_t i = 0; i < plan->loaded; i++)
        if (plan->tables[i].from->rows > 0 && has_computed(&plan->tables[i]) &&
            (!stop_check(e) || !try_table(t, &plan->tables[i], e)))
            return err_wrap(e, "could not try the values of table \"%s\".\"%s\"",
                            plan->tables[i].from->schema, plan->tables[i].from->name);
    return true;
}

static bool tick(void *context, struct err *e)
{
    struct trying *t = context;
    return progress_tick(t->x.spec->progress, e);
}

bool data_try(struct arena *a, const struct data_apply_spec *spec, struct data_trials *trials,
              struct err *e)
{
    const struct data_plan *plan = spec->plan;
    const struct session_use use = {.application_name = "migsafe"};
    struct trying t = {.x = {.arena = a, .spec = spec, .plan = plan}, .trials = trials};
    const struct pool_spec pool = {.threads = 1, .work = work, .tick = tick, .context = &t};
    size_t columns = 0;
    int64_t bytes = 0;
    for (size_t i = 0; i < plan->loaded; i++)
        if (plan->tables[i].from->rows > 0 && has_computed(&plan->tables[i])) {
            columns += plan->tables[i].column_count;
            bytes += plan->tables[i].from->text_bytes > 0 ? plan->tables[i].from->text_bytes : 0;
        }
    *trials = (struct data_trials){.items = arena_array(a, columns + 1, sizeof(*trials->items))};
    if (columns == 0)
        return true;
    AUTO(pg) struct pg *db = connection_open(spec->to, &use, e);
    if (db == NULL || !data_session(db, plan->manifest, e))
        return false;
    t.x.db = db;
    progress_begin(spec->progress, "preview", bytes);
    return pool_run(&pool, e) && progress_end(spec->progress, e);
}
