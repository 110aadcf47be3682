#include "core/restore/data_applying.h"
#include "core/restore/data_sql.h"
#include "core/restore/data_text.h"
#include "core/restore/load.h"

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
    /* Whoever looks with an older snapshot would not see the old rows either, once it is truncated.
     */
    bool frozen = t->truncated && !x->spec->alone && t->staged == NULL && t->to->kind == 'r' &&
                  t->into == t->to;
    const char *columns = t->staged != NULL ? load_columns(a, t->from) : data_sql_columns(a, t);
    cut.drop = drop;
    const struct load_spec load = {
        .folder = x->spec->folder,
        .table = t->from,
        .from = 0,
        .to = -1,
        .copy = load_copy(a, x->plan->manifest, target, columns, frozen ? "FREEZE" : NULL),
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

bool data_load(struct applying *x, const struct data_table *t, struct data_loaded *done,
               struct err *e)
{
    *done = (struct data_loaded){.table = t};
    if (t->staged != NULL ? !load_staged(x, t, done, e)
                          : !data_copy(x, t, data_sql_table(x->arena, t->into), &done->rows, e))
        return false;
    if (t->staged == NULL)
        done->inserted = done->rows;
    progress_add(x->spec->progress, 0, done->rows);
    progress_table(x->spec->progress, t->from->schema, t->from->name, done->rows,
                   t->from->text_bytes);
    return true;
}
