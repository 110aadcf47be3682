#include "core/gate/gate.h"

#include "base/fs.h"
#include "core/gate/gate_history.h"
#include "core/gate/gate_sql.h"

/* Whatever the first version is that sends a file statement by statement: docs/PRISMA.md. */
enum { SPLIT_MAJOR = 7, SPLIT_MINOR = 4 };

static enum gate_sending sending_of(const struct prisma_project *project)
{
    char *end;
    if (project->version == NULL)
        return GATE_SENT_UNKNOWN;
    long major = strtol(project->version, &end, 10);
    if (major == 0 || *end != '.')
        return GATE_SENT_UNKNOWN;
    long minor = strtol(end + 1, NULL, 10);
    bool split = major > SPLIT_MAJOR || (major == SPLIT_MAJOR && minor >= SPLIT_MINOR);
    return split ? GATE_SENT_SPLIT : GATE_SENT_WHOLE;
}

/* All that are not pending. */
static size_t find_earlier(const struct gate_context *c, const struct strlist *pending,
                           const struct migration **earlier)
{
    size_t n = 0;
    for (size_t i = 0; i < c->folder->count; i++)
        if (!strlist_has(pending, c->folder->items[i].name))
            earlier[n++] = &c->folder->items[i];
    return n;
}

static bool check_sql(struct arena *a, const struct gate_context *c, struct gate_result *result,
                      struct err *e)
{
    const struct migration **pending = arena_array(a, result->pending.count + 1, sizeof(void *));
    /* A stand-in that lacks what the base has (stand-in-behind) cannot answer. */
    bool is_behind = c->state != NULL && result->pending.count < c->state->history.pending.count;
    for (size_t i = 0; i < result->pending.count; i++)
        pending[i] = migration_find(c->folder, result->pending.items[i]);
    const struct migration **earlier = arena_array(a, c->folder->count + 1, sizeof(void *));
    bool is_asked = c->db != NULL && !is_behind;
    const struct gate_sql_context context = {
        .pending = pending,
        .count = result->pending.count,
        .db = is_asked ? c->db : NULL,
        .stand_in = c->base != NULL,
        .default_schema = c->default_schema,
        .sending = sending_of(c->project),
        .earlier = earlier,
        .earlier_count = is_asked ? 0 : find_earlier(c, &result->pending, earlier),
    };
    return gate_sql(a, &context, &result->findings, e);
}

/* The migration that a finding is about; NULL: none. */
static const char *migration_of(struct arena *a, const struct finding *item)
{
    if (item->file != NULL)
        return fs_basename(fs_dirname(a, item->file));
    return str_ends(item->rule, "-migration") ? item->target : NULL;
}

struct place {
    const char *migration;
    size_t line, index;
    const struct finding *item;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->migration != NULL && y->migration != NULL) {
        int order = migration_order(x->migration, y->migration);
        if (order != 0)
            return order;
    } else if (x->migration != y->migration)
        return x->migration == NULL ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void put_in_order(struct arena *a, struct findings *f)
{
    AUTO(arena) struct arena *scratch = arena_new();
    struct place *places = arena_array(scratch, f->count + 1, sizeof(*places));
    struct finding *sorted = arena_array(a, f->count + 1, sizeof(*sorted));
    for (size_t i = 0; i < f->count; i++)
        places[i] = (struct place){.migration = migration_of(scratch, &f->items[i]),
                                   .line = f->items[i].line,
                                   .index = i,
                                   .item = &f->items[i]};
    qsort(places, f->count, sizeof(*places), by_place);
    for (size_t i = 0; i < f->count; i++)
        sorted[i] = *places[i].item;
    f->items = sorted;
    f->size = f->count + 1;
}

void gate_allow(struct arena *a, const struct gate_context *c, struct gate_result *result)
{
    if (c->allow != NULL)
        findings_allow(&result->findings, c->allow, "setting allow");
    for (size_t i = 0; i < result->pending.count; i++) {
        const struct migration *m = migration_find(c->folder, result->pending.items[i]);
        if (m == NULL || m->sql == NULL)
            continue;
        struct strlist words = findings_allow_lines(a, m->sql);
        findings_allow(&result->findings, &words, arena_printf(a, "migration %s", m->name));
    }
}

bool gate_check(struct arena *a, const struct gate_context *c, struct gate_result *result,
                struct err *e)
{
    *result = (struct gate_result){.findings = findings_on(a)};
    result->findings.default_schema = c->default_schema;
    if (!gate_history(a, c, &result->findings, &result->pending, e) || !check_sql(a, c, result, e))
        return false;
    put_in_order(a, &result->findings);
    gate_allow(a, c, result);
    return true;
}

void gate_list(FILE *to)
{
    fputs("| rule | level | finds | advice |\n|---|---|---|---|\n", to);
    gate_history_list(to);
    gate_sql_list(to);
}
