#include "core/restore/compare.h"

#include <stdarg.h>

enum { SHOWN = 5 }; /* differences told in the detail */

struct differences differences_on(struct arena *a)
{
    return (struct differences){.arena = a, .shown = strlist_on(a)};
}

void differences_add(struct differences *d, const char *fmt, ...)
{
    char *text;
    va_list ap;
    if (d->count++ >= SHOWN)
        return;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    strlist_add(&d->shown, arena_strdup(d->arena, text));
    free(text);
}

void differences_rows(struct differences *d, const struct manifest_table *t, int64_t rows)
{
    if (rows < 0)
        differences_add(d, "table \"%s\".\"%s\" is missing", t->schema, t->name);
    else if (rows != t->rows)
        differences_add(d, "table \"%s\".\"%s\" has %lld rows instead of %lld", t->schema, t->name,
                        (long long)rows, (long long)t->rows);
}

static bool is_gone(const struct err *e)
{
    return strcmp(e->sqlstate, "42P01") == 0 || strcmp(e->sqlstate, "3F000") == 0;
}

bool differences_table(struct differences *d, struct pg *db, const struct manifest_table *t,
                       struct err *e)
{
    struct err why = {0};
    const char *sql = arena_printf(d->arena, "SELECT count(*) FROM ONLY %s",
                                   pg_ident2(d->arena, t->schema, t->name));
    const char *rows = pg_value(d->arena, db, sql, PG_NONE, &why);
    if (rows == NULL && !is_gone(&why)) {
        *e = why;
        return err_wrap(e, "could not count table \"%s\".\"%s\"", t->schema, t->name);
    }
    differences_rows(d, t, rows == NULL ? -1 : strtoll(rows, NULL, 10));
    return true;
}

static bool compare_sequence(struct differences *d, struct pg *db,
                             const struct manifest_sequence *s, struct err *e)
{
    struct err why = {0};
    struct pg_rows rows;
    const char *sql = arena_printf(d->arena, "SELECT last_value, is_called FROM %s",
                                   pg_ident2(d->arena, s->schema, s->name));
    if (!pg_query(d->arena, db, sql, PG_NONE, &rows, &why)) {
        if (!is_gone(&why)) {
            *e = why;
            return err_wrap(e, "could not read sequence \"%s\".\"%s\"", s->schema, s->name);
        }
        differences_add(d, "sequence \"%s\".\"%s\" is missing", s->schema, s->name);
        return true;
    }
    if (pg_cell_int(&rows, 0, "last_value") != s->last_value ||
        pg_cell_bool(&rows, 0, "is_called") != s->is_called)
        differences_add(d, "sequence \"%s\".\"%s\" stands at %lld instead of %lld", s->schema,
                        s->name, (long long)pg_cell_int(&rows, 0, "last_value"),
                        (long long)s->last_value);
    return true;
}

bool differences_sequences(struct differences *d, struct pg *db, const struct manifest *m,
                           struct err *e)
{
    for (size_t i = 0; i < m->sequence_count; i++)
        if (!compare_sequence(d, db, &m->sequences[i], e))
            return false;
    return true;
}

bool differences_none(const struct differences *d, struct err *e)
{
    if (d->count == 0)
        return true;
    err_set(e, ERR_DAMAGED, "restored database is not the one backed up: %s", d->shown.items[0]);
    if (d->count > 1)
        err_detail(e, "%zu differences: %s%s.", d->count, strlist_join(&d->shown, "; "),
                   d->count > SHOWN ? "; ..." : "");
    return false;
}

bool restore_compare(struct arena *a, struct pg *db, const struct manifest *m, struct err *e)
{
    struct differences d = differences_on(a);
    for (size_t i = 0; i < m->table_count; i++)
        if (!differences_table(&d, db, &m->tables[i], e))
            return false;
    return differences_sequences(&d, db, m, e) && differences_none(&d, e);
}
