#include "core/restore/data_planning.h"

/* Does a foreign key that stays lean on it? */
static bool is_needed(const struct data_plan *plan, const struct live_index *index)
{
    const struct live *live = plan->live;
    for (size_t i = 0; i < live->foreign_key_count; i++) {
        const struct live_foreign_key *k = &live->foreign_keys[i];
        if (!str_same(k->index, index->oid))
            continue;
        bool off = false;
        for (size_t o = 0; !off && o < plan->taken_off_count; o++)
            off = plan->taken_off[o] == k;
        if (!off)
            return true;
    }
    return false;
}

void data_plan_indexes(struct planning *p, const bool *refilled)
{
    struct data_plan *plan = p->plan;
    const struct live *live = plan->live;
    size_t most = 0;
    for (size_t i = 0; i < live->table_count; i++)
        most += refilled[i] ? live->tables[i].remakable_count : 0;
    plan->remade = arena_array(p->arena, most + 1, sizeof(void *));
    for (size_t i = 0; i < live->table_count; i++)
        for (size_t x = 0; refilled[i] && x < live->tables[i].remakable_count; x++)
            if (!is_needed(plan, &live->tables[i].remakable[x]))
                plan->remade[plan->remade_count++] = &live->tables[i].remakable[x];
}
