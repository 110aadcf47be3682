#include "core/backup/progress.h"

#include "base/clock.h"

/* Twelve samples of half a second: a rate over some six seconds, steady enough to be read. */
enum { SAMPLE_MS = 500, SETTLED_SHARE = 20 };

struct progress_done_table {
    struct progress_done_table *next;
    const char *schema, *name;
    int64_t rows, bytes;
};

static int64_t load(const int64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static void add(int64_t *counter, int64_t n)
{
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

void progress_add(struct progress *p, int64_t bytes, int64_t rows)
{
    if (p == NULL)
        return;
    add(&p->state.done, bytes);
    add(&p->state.rows, rows);
}

void progress_learn(struct progress *p, int64_t expected, int64_t real)
{
    if (p == NULL)
        return;
    add(&p->state.learned_expected, expected);
    add(&p->state.learned_real, real);
}

void progress_table(struct progress *p, const char *schema, const char *name, int64_t rows,
                    int64_t bytes)
{
    struct progress_done_table *t = p == NULL || p->table == NULL ? NULL : malloc(sizeof(*t));
    if (t == NULL)
        return;
    *t = (struct progress_done_table){.schema = schema, .name = name, .rows = rows, .bytes = bytes};
    t->next = __atomic_load_n(&p->state.tables, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&p->state.tables, &t->next, t, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        continue;
}

/* In the order in which they were done. */
static struct progress_done_table *take_tables(struct progress *p)
{
    struct progress_done_table *newest =
        __atomic_exchange_n(&p->state.tables, NULL, __ATOMIC_ACQUIRE);
    struct progress_done_table *oldest = NULL;
    for (struct progress_done_table *t = newest, *next; t != NULL; t = next) {
        next = t->next;
        t->next = oldest;
        oldest = t;
    }
    return oldest;
}

static void tell_tables(struct progress *p)
{
    for (struct progress_done_table *t = take_tables(p), *next; t != NULL; t = next) {
        next = t->next;
        p->table(p->context, t->schema, t->name, t->rows, t->bytes);
        free(t);
    }
}

void progress_release(struct progress *p)
{
    for (struct progress_done_table *t = take_tables(p), *next; t != NULL; t = next) {
        next = t->next;
        free(t);
    }
}

void progress_begin(struct progress *p, const char *doing, int64_t expected)
{
    if (p == NULL)
        return;
    progress_release(p);
    p->state = (struct progress_state){
        .doing = doing,
        .began_ms = clock_ms(),
        .expected = expected,
    };
}

/* Sizes of tables on disk stand for bytes of text at first; what is finished tells how far off that
 * is, once it is a share that means something. */
static int64_t total_of(const struct progress_state *s, int64_t done)
{
    int64_t expected = load(&s->learned_expected), real = load(&s->learned_real);
    int64_t rest = s->expected > expected ? s->expected - expected : 0;
    if (s->expected <= 0)
        return 0;
    if (expected > s->expected / SETTLED_SHARE)
        rest = (int64_t)((double)rest * ((double)real / (double)expected));
    return real + rest > done ? real + rest : done;
}

/* Bytes a second since the oldest sample; the newest one is added when it is time. */
static int64_t rate_of(struct progress_state *s, int64_t now_ms, int64_t done)
{
    if (s->sample_count == 0) {
        s->samples[0].at_ms = s->began_ms;
        s->sample_count = 1;
    }
    int oldest = (s->newest + 1) % PROGRESS_SAMPLES;
    if (s->sample_count < PROGRESS_SAMPLES)
        oldest = 0;
    int64_t ms = now_ms - s->samples[oldest].at_ms;
    int64_t bytes = done - s->samples[oldest].done;
    if (now_ms - s->samples[s->newest].at_ms >= SAMPLE_MS) {
        s->newest = (s->newest + 1) % PROGRESS_SAMPLES;
        s->samples[s->newest].at_ms = now_ms;
        s->samples[s->newest].done = done;
        if (s->sample_count < PROGRESS_SAMPLES)
            s->sample_count++;
    }
    return ms <= 0 || bytes <= 0 ? 0 : (int64_t)((double)bytes * 1000 / (double)ms);
}

struct progress_now progress_at(struct progress *p, int64_t now_ms)
{
    struct progress_state *s = &p->state;
    struct progress_now now = {
        .doing = s->doing,
        .done = load(&s->done),
        .rows = load(&s->rows),
        .elapsed_ms = now_ms - s->began_ms,
        .left_ms = -1,
    };
    now.total = total_of(s, now.done);
    now.rate = rate_of(s, now_ms, now.done);
    if (now.total > 0 && now.rate > 0)
        now.left_ms = (int64_t)((double)(now.total - now.done) * 1000 / (double)now.rate);
    return now;
}

bool progress_tick(struct progress *p, struct err *e)
{
    if (p == NULL || p->state.doing == NULL)
        return true;
    tell_tables(p);
    const struct progress_now now = progress_at(p, clock_ms());
    return p->say == NULL || p->say(p->context, &now, e);
}

/* The rate of the last word is that of the whole. */
bool progress_end(struct progress *p, struct err *e)
{
    if (p == NULL || p->state.doing == NULL)
        return true;
    tell_tables(p);
    struct progress_now now = progress_at(p, clock_ms());
    now.last = true;
    now.total = now.done;
    now.left_ms = 0;
    if (now.elapsed_ms > 0)
        now.rate = (int64_t)((double)now.done * 1000 / (double)now.elapsed_ms);
    p->state.doing = NULL;
    return p->say == NULL || p->say(p->context, &now, e);
}
