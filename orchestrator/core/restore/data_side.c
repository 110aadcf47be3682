#include "core/restore/data_side.h"

/* A row that stays may refer to one of these: a table fewer that is not needed, when that is so. */
static bool take_back(const struct live *live, bool *gone)
{
    bool any = false;
    for (size_t i = 0; i < live->foreign_key_count; i++) {
        const struct live_foreign_key *k = &live->foreign_keys[i];
        bool *parent = &gone[k->parent - live->tables];
        if (*parent && !gone[k->child - live->tables] && k->child->rows != 0) {
            *parent = false;
            any = true;
        }
    }
    return any;
}

/* By live table: its rows are deleted, and so are all that refer to them. */
static const bool *unneeded(struct arena *a, const struct data_plan *plan)
{
    const struct live *live = plan->live;
    bool *gone = arena_array(a, live->table_count + 1, sizeof(*gone));
    for (size_t i = 0; i < plan->loaded; i++) {
        const struct live_table *t = plan->tables[i].to;
        gone[t - live->tables] |= plan->tables[i].deleted > 0 && t->kind == 'r' && t->root == NULL;
    }
    while (take_back(live, gone))
        continue;
    return gone;
}

/* A view that keeps rows is made of all of them. */
static bool has_kept_views(const struct live *live)
{
    for (size_t i = 0; i < live->table_count; i++)
        if (live->tables[i].kind == 'm')
            return true;
    return false;
}

/* The backup of live, as if the tables that are filled anew were empty in it. */
static struct stored without_deleted(struct arena *a, const struct data_side *side)
{
    const struct data_plan *plan = side->apply.plan;
    struct stored s = *side->saved;
    struct manifest *m = &s.manifest;
    const struct manifest_table *all = m->tables;
    if (has_kept_views(plan->live))
        return s;
    const bool *gone = unneeded(a, plan);
    m->tables = arena_array(a, m->table_count + 1, sizeof(*m->tables));
    for (size_t i = 0; i < m->table_count; i++) {
        const struct live_table *t = live_find(plan->live, all[i].schema, all[i].name);
        m->tables[i] = all[i];
        if (t != NULL && gone[t - plan->live->tables])
            m->tables[i].rows = m->tables[i].text_bytes = 0;
    }
    return s;
}

static bool fill(struct arena *a, const void *context, const char *target, struct err *e)
{
    const struct data_side *side = context;
    const struct connection to = connection_to(side->server, target);
    const struct stored rest = without_deleted(a, side);
    const struct restore_spec copy = {
        .server = side->server,
        .target = target,
        .backup = &rest,
        .pg_bin = side->pg_bin,
        .jobs = side->apply.jobs,
        .progress = side->apply.progress,
    };
    struct data_apply_spec apply = side->apply;
    apply.to = &to;
    apply.alone = true;
    /* What is committed in the copy is not in live yet: the swap is what counts. */
    apply.committing = NULL;
    return restore_full(a, &copy, e) && data_apply(a, &apply, side->done, e);
}

struct source data_side_source(const struct data_side *side)
{
    return (struct source){.like = &side->saved->manifest.database,
                           .before = &side->saved->manifest,
                           .context = side,
                           .fill = fill};
}
