#include "core/restore/numbers.h"

#include "sql/queries.h"

enum { AHEAD = 1000, LIMIT_MS = 10000 };

static const struct manifest_sequence *then(const struct manifest *m, const char *schema,
                                            const char *name)
{
    for (size_t i = 0; i < m->sequence_count; i++)
        if (strcmp(m->sequences[i].schema, schema) == 0 && strcmp(m->sequences[i].name, name) == 0)
            return &m->sequences[i];
    return NULL;
}

static bool may_be_of_migration(const struct numbers_spec *s, const char *schema, const char *table)
{
    for (size_t i = 0; i < s->effect_count; i++)
        if (effects_write(&s->effects[i], schema, table, s->default_schema))
            return true;
    return false;
}

/* Where it shall go on from; -1: as the backup has it. */
static int64_t goal(const struct numbers_spec *s, const struct pg_rows *rows, size_t i)
{
    const struct manifest_sequence *was =
        then(s->before, pg_cell(rows, i, "schema"), pg_cell(rows, i, "name"));
    int64_t now = pg_cell_int(rows, i, "last_value"), most = pg_cell_int(rows, i, "max_value"),
            step = pg_cell_int(rows, i, "increment");
    /* One that was never used stands at the first number as one that gave it out does. */
    if (was == NULL || now < was->last_value || (now == was->last_value && was->is_called) ||
        may_be_of_migration(s, pg_cell(rows, i, "table_schema"), pg_cell(rows, i, "table_name")))
        return -1;
    return step > (most - now) / AHEAD ? now : now + step * AHEAD;
}

static bool set(struct arena *a, struct pg *side, const struct pg_rows *rows, size_t i, int64_t to,
                struct err *e)
{
    const char *name = pg_ident2(a, pg_cell(rows, i, "schema"), pg_cell(rows, i, "name"));
    return pg_value(a, side, "SELECT setval($1::regclass, $2::bigint)",
                    PG_ARGS(name, arena_printf(a, "%lld", (long long)to)), e) != NULL ||
           err_wrap(e, "could not let sequence %s go on", name);
}

bool numbers_go_on(struct arena *a, const struct numbers_spec *spec, int *moved, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe", .query_deadline_ms = LIMIT_MS};
    struct connection live = connection_to(spec->server, spec->live),
                      side = connection_to(spec->server, spec->side);
    struct pg_rows rows;
    *moved = 0;
    AUTO(pg) struct pg *to = connection_open(&side, &use, e);
    AUTO(pg) struct pg *from = to == NULL ? NULL : connection_open(&live, &use, e);
    if (from == NULL || !pg_query(a, from, sql_sequences_owned, PG_NONE, &rows, e))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        int64_t next = goal(spec, &rows, i);
        if (next < 0)
            continue;
        if (!set(a, to, &rows, i, next, e))
            return false;
        (*moved)++;
    }
    return true;
}
