#include "core/gate/gate_sql.h"

#include "core/gate/gate_count.h"

struct ordered {
    struct gate_said said;
    size_t number;
};

static int by_place(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->said.at.file != y->said.at.file)
        return x->said.at.file < y->said.at.file ? -1 : 1;
    if (x->said.at.line != y->said.at.line)
        return x->said.at.line < y->said.at.line ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void tell(struct arena *a, const struct gate_sql_context *c, const struct gate_sayings *said,
                 struct findings *found)
{
    AUTO(arena) struct arena *scratch = arena_new();
    struct ordered *items = arena_array(scratch, said->count + 1, sizeof(*items));
    for (size_t i = 0; i < said->count; i++)
        items[i] = (struct ordered){.said = said->items[i], .number = i};
    qsort(items, said->count, sizeof(*items), by_place);
    for (size_t i = 0; i < said->count; i++) {
        const struct gate_said *s = &items[i].said;
        findings_add(found, (struct finding){
                                .rule = gate_rule_name(s->rule),
                                .level = s->level,
                                .target = s->target,
                                .message = s->message,
                                .advice = gate_rule_advice(a, s->rule, s->target),
                                .file = c->pending[s->at.file]->path,
                                .line = s->at.line,
                            });
    }
}

bool gate_sql(struct arena *a, const struct gate_sql_context *c, struct findings *found,
              struct err *e)
{
    const char *own = NULL;
    found->default_schema = c->default_schema;
    if (c->db != NULL) {
        own = pg_value(a, c->db, "SELECT current_database()", PG_NONE, e);
        if (own == NULL)
            return err_wrap(e, "could not look what the pending migrations lose");
    }
    struct gate_walk w = gate_walk_new(a, c, own);
    gate_walk_all(&w, c, c->db == NULL ? 0 : pg_server_version(c->db));
    struct gate_victims victims = {.arena = a};
    if (c->db == NULL)
        gate_victims_unasked(&w, &victims);
    else if (!gate_count(a, c->db, &w, &victims, e))
        return false;
    const struct gate_judging judging = {
        .walk = &w,
        .default_schema = w.default_path.items[0],
        .has_database = c->db != NULL,
        .stand_in = c->stand_in,
    };
    gate_judge(&victims, &judging, &w.said);
    tell(a, c, &w.said, found);
    return true;
}
