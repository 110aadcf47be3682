#include "core/restore/schedule.h"

#include "base/stop.h"

enum { LOOK_AGAIN_MS = 5 };

struct schedule_table {
    size_t rows_left; /* items */
    int sharing;
    bool alone;
};

static int heavier_first(const void *a, const void *b)
{
    const struct schedule_item *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight < y->weight ? 1 : -1;
    if (x->table != y->table)
        return x->table < y->table ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->what < y->what ? -1 : x->what > y->what;
}

void schedule_begin(struct arena *a, struct schedule *s, size_t tables)
{
    pthread_mutex_init(&s->mutex, NULL);
    s->tables = arena_array(a, tables + 1, sizeof(*s->tables));
    s->first = s->rows_left = s->rows_waiting = 0;
    qsort(s->items, s->count, sizeof(*s->items), heavier_first);
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].kind != SCHEDULE_ROWS)
            continue;
        s->rows_left++;
        s->rows_waiting++;
        s->tables[s->items[i].table].rows_left++;
    }
}

void schedule_end(struct schedule *s)
{
    pthread_mutex_destroy(&s->mutex);
}

/* What can share its table comes when no rows are left to begin: it is what keeps several sessions
 * busy at the end.  What must be alone comes early, beside rows of other tables. */
static bool can_begin(const struct schedule *s, const struct schedule_item *item)
{
    const struct schedule_table *t = &s->tables[item->table];
    if (item->kind == SCHEDULE_ROWS)
        return true;
    if (item->kind == SCHEDULE_SHARED && s->rows_waiting > 0)
        return false;
    return t->rows_left == 0 && (!item->last || s->rows_left == 0) && !t->alone &&
           (item->kind == SCHEDULE_SHARED || t->sharing == 0);
}

static void begin(struct schedule *s, struct schedule_item *item)
{
    struct schedule_table *t = &s->tables[item->table];
    item->taken = true;
    s->rows_waiting -= item->kind == SCHEDULE_ROWS;
    t->sharing += item->kind == SCHEDULE_SHARED;
    t->alone |= item->kind == SCHEDULE_ALONE;
}

/* *left: some can begin later only. */
static struct schedule_item *next(struct schedule *s, bool *left)
{
    while (s->first < s->count && s->items[s->first].taken)
        s->first++;
    *left = s->first < s->count;
    for (size_t i = s->first; i < s->count; i++) {
        struct schedule_item *item = &s->items[i];
        if (item->taken || !can_begin(s, item))
            continue;
        begin(s, item);
        return item;
    }
    return NULL;
}

bool schedule_take(struct schedule *s, struct schedule_item **item, struct err *e)
{
    for (;;) {
        bool left;
        pthread_mutex_lock(&s->mutex);
        *item = next(s, &left);
        pthread_mutex_unlock(&s->mutex);
        if (*item != NULL || !left)
            return true;
        if (!stop_sleep_ms(LOOK_AGAIN_MS, e))
            return false;
    }
}

void schedule_done(struct schedule *s, const struct schedule_item *item)
{
    struct schedule_table *t = &s->tables[item->table];
    pthread_mutex_lock(&s->mutex);
    t->sharing -= item->kind == SCHEDULE_SHARED;
    if (item->kind == SCHEDULE_ALONE)
        t->alone = false;
    if (item->kind == SCHEDULE_ROWS) {
        t->rows_left--;
        s->rows_left--;
    }
    pthread_mutex_unlock(&s->mutex);
}
