#include "base/stop.h"
#include "core/restore/data_applying.h"
#include "core/restore/data_index.h"
#include "core/restore/data_sql.h"
#include "core/restore/own_index.h"

/* What holds a table together, off during the load and on again after it; and its sequences. */

/* ONLY: copies that partitions have are in the list themselves, each with its own state. */
static bool alter_trigger(struct applying *x, const struct live_table *t,
                          const struct live_trigger *trigger, const char *state, struct err *e)
{
    return pg_execf(x->db, e, "ALTER TABLE ONLY %s %s TRIGGER %s", data_sql_table(x->arena, t),
                    state, pg_ident(x->arena, trigger->name)) ||
           err_wrap(e, "could not switch trigger \"%s\" of table \"%s\".\"%s\"", trigger->name,
                    t->schema, t->name);
}

bool data_triggers_off(struct applying *x, struct err *e)
{
    for (size_t i = 0; i < x->plan->quiet_count; i++)
        for (size_t k = 0; k < x->plan->quiet[i]->trigger_count; k++)
            if (!alter_trigger(x, x->plan->quiet[i], &x->plan->quiet[i]->triggers[k], "DISABLE", e))
                return false;
    return true;
}

bool data_triggers_on(struct applying *x, struct err *e)
{
    for (size_t i = 0; i < x->plan->quiet_count; i++)
        for (size_t k = 0; k < x->plan->quiet[i]->trigger_count; k++) {
            const struct live_trigger *trigger = &x->plan->quiet[i]->triggers[k];
            const char *state = trigger->enabled == 'A'   ? "ENABLE ALWAYS"
                                : trigger->enabled == 'R' ? "ENABLE REPLICA"
                                                          : "ENABLE";
            if (!alter_trigger(x, x->plan->quiet[i], trigger, state, e))
                return false;
        }
    return true;
}

bool data_keys_off(struct applying *x, struct err *e)
{
    for (size_t i = 0; i < x->plan->taken_off_count; i++) {
        const struct live_foreign_key *k = x->plan->taken_off[i];
        if (!pg_execf(x->db, e, "ALTER TABLE %s DROP CONSTRAINT %s",
                      data_sql_table(x->arena, k->child), pg_ident(x->arena, k->name)))
            return err_wrap(e, "could not take off foreign key \"%s\"", k->name);
    }
    return true;
}

/* A partitioned table takes no NOT VALID foreign key: there it is checked as it is added. */
static bool add_key(struct applying *x, const struct live_foreign_key *k, struct err *e)
{
    const char *table = data_sql_table(x->arena, k->child), *name = pg_ident(x->arena, k->name);
    bool later = k->validated && k->child->kind == 'r';
    if (!pg_execf(x->db, e, "ALTER TABLE %s ADD CONSTRAINT %s %s%s", table, name, k->definition,
                  later ? " NOT VALID" : ""))
        return false;
    if (k->comment != NULL && !pg_execf(x->db, e, "COMMENT ON CONSTRAINT %s ON %s IS %s", name,
                                        table, pg_literal(x->arena, k->comment)))
        return false;
    return !later || pg_execf(x->db, e, "ALTER TABLE %s VALIDATE CONSTRAINT %s", table, name);
}

bool data_keys_on(struct applying *x, struct err *e)
{
    for (size_t i = 0; i < x->plan->taken_off_count; i++) {
        const struct live_foreign_key *k = x->plan->taken_off[i];
        if (add_key(x, k, e))
            continue;
        if (strcmp(e->sqlstate, "23503") == 0)
            err_hint(e, "A row that stays refers to one that the backup does not have. Delete it, "
                        "or keep the other with --merge skip.");
        return err_wrap(e, "the rows do not fit foreign key \"%s\" of table \"%s\".\"%s\"", k->name,
                        k->child->schema, k->child->name);
    }
    return true;
}

bool data_indexes_off(struct applying *x, struct err *e)
{
    for (size_t i = 0; i < x->plan->remade_count; i++)
        if (!data_index_off(x->db, x->plan->remade[i], e))
            return false;
    return true;
}

bool data_indexes_on(struct applying *x, struct err *e)
{
    const struct data_plan *plan = x->plan;
    if (plan->remade_count == 0)
        return true;
    if (!own_index_memory(x->db, e))
        return false;
    for (size_t i = 0; i < plan->remade_count; i++)
        if (!stop_check(e) || !data_index_on(x->db, plan->remade[i], e))
            return false;
    return data_index_check(x->db, plan->remade, plan->remade_count, e);
}

/* A state of a sequence: the last value that was given out, or the next one. */
struct state {
    int64_t last;
    bool called;
};

/* Is state a further on than b? */
static bool is_beyond(struct state a, struct state b, bool descending)
{
    if (a.last == b.last)
        return a.called && !b.called;
    return descending ? a.last < b.last : a.last > b.last;
}

static const struct manifest_sequence *in_backup(const struct manifest *m,
                                                 const struct live_sequence *s)
{
    for (size_t i = 0; i < m->sequence_count; i++)
        if (strcmp(m->sequences[i].schema, s->schema) == 0 &&
            strcmp(m->sequences[i].name, s->name) == 0)
            return &m->sequences[i];
    return NULL;
}

static bool is_possible(const struct live_sequence *s, int64_t value)
{
    return value >= s->least && value <= s->most;
}

/* The last number in its column that the sequence can give out; "" for none.  Others may stand
 * there too: a column may be wider than its sequence. */
static const char *last_used(struct applying *x, const struct live_sequence *s, struct err *e)
{
    struct arena *a = x->arena;
    const char *column = pg_ident(a, s->column);
    const char *sql = arena_printf(a, "SELECT %s(%s) FROM %s", s->descending ? "min" : "max",
                                   column, data_sql_table(a, s->table));
    const char *last = pg_value(a, x->db, sql, PG_NONE, e);
    if (last == NULL || last[0] == '\0' || is_possible(s, strtoll(last, NULL, 10)))
        return last;
    return pg_value(a, x->db,
                    arena_printf(a, "%s WHERE %s BETWEEN %lld AND %lld", sql, column,
                                 (long long)s->least, (long long)s->most),
                    PG_NONE, e);
}

/* Never back: a number that was given out meanwhile is not given out again. */
static bool set_sequence(struct applying *x, const struct live_sequence *s, struct err *e)
{
    struct arena *a = x->arena;
    struct pg_rows row;
    const char *name = pg_ident2(a, s->schema, s->name), *last = NULL;
    const struct manifest_sequence *then = in_backup(x->plan->manifest, s);
    if (!pg_query(a, x->db, arena_printf(a, "SELECT last_value, is_called FROM %s", name), PG_NONE,
                  &row, e))
        return false;
    const struct state now = {pg_cell_int(&row, 0, "last_value"),
                              pg_cell_bool(&row, 0, "is_called")};
    struct state best = now;
    if (then != NULL && is_possible(s, then->last_value) &&
        is_beyond((struct state){then->last_value, then->is_called}, best, s->descending))
        best = (struct state){then->last_value, then->is_called};
    if (s->column != NULL && (last = last_used(x, s, e)) == NULL)
        return false;
    if (last != NULL && last[0] != '\0') {
        const struct state used = {strtoll(last, NULL, 10), true};
        if (is_beyond(used, best, s->descending))
            best = used;
    }
    if (best.last == now.last && best.called == now.called)
        return true;
    x->done->sequences_set++;
    return pg_execf(x->db, e, "SELECT pg_catalog.setval(%s, %lld, %s)", pg_literal(a, name),
                    (long long)best.last, best.called ? "true" : "false");
}

bool data_sequences(struct applying *x, struct err *e)
{
    for (size_t i = 0; i < x->plan->sequence_count; i++) {
        const struct live_sequence *s = x->plan->sequences[i];
        if (!set_sequence(x, s, e))
            return err_wrap(e, "could not set sequence \"%s\".\"%s\"", s->schema, s->name);
    }
    return true;
}
