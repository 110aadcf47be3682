#include "core/backup/progress.h"

#include "base/pool.h"
#include "tap.h"

struct heard {
    char tables[256];
    struct progress_now now;
    int says;
    bool refuse;
};

static bool say(void *context, const struct progress_now *now, struct err *e)
{
    struct heard *h = context;
    h->now = *now;
    h->says++;
    return !h->refuse || err_set(e, ERR_SYSTEM, "no more");
}

static void table(void *context, const char *schema, const char *name, int64_t rows, int64_t bytes)
{
    struct heard *h = context;
    size_t used = strlen(h->tables);
    snprintf(h->tables + used, sizeof(h->tables) - used, "%s.%s %lld %lld;", schema, name,
             (long long)rows, (long long)bytes);
}

/* One that began at a known time, with nothing heard yet. */
static struct progress begun(struct heard *h, int64_t expected)
{
    struct progress p = {.say = say, .table = table, .context = h};
    progress_begin(&p, "backup", expected);
    p.state.began_ms = 1000;
    return p;
}

TEST(nobody_wants_to_know)
{
    struct err e = {0};
    progress_begin(NULL, "backup", 10);
    progress_add(NULL, 10, 1);
    progress_learn(NULL, 10, 10);
    progress_table(NULL, "public", "a", 1, 10);
    CHECK(progress_tick(NULL, &e));
    CHECK(progress_end(NULL, &e));
}

TEST(no_rate_and_no_end_before_anything_came)
{
    struct progress p = begun(NULL, 1000);
    struct progress_now now = progress_at(&p, 1000);
    CHECK(now.rate == 0 && now.left_ms == -1 && now.elapsed_ms == 0 && now.total == 1000);
    now = progress_at(&p, 9000);
    CHECK(now.rate == 0 && now.left_ms == -1 && now.elapsed_ms == 8000);
}

TEST(rate_and_time_left)
{
    struct progress p = begun(NULL, 100000);
    progress_add(&p, 10000, 7);
    struct progress_now now = progress_at(&p, 2000);
    CHECK(now.done == 10000 && now.rows == 7);
    CHECK(now.rate == 10000);
    CHECK(now.left_ms == 9000);
}

TEST(the_rate_is_of_the_last_seconds)
{
    struct progress p = begun(NULL, 0);
    struct progress_now now = {0};
    /* A minute at 1,000 bytes a second, then ten seconds at 100. */
    for (int64_t ms = 1100; ms <= 61000; ms += 100) {
        progress_add(&p, 100, 0);
        now = progress_at(&p, ms);
    }
    CHECK(now.rate > 900 && now.rate < 1100);
    for (int64_t ms = 61100; ms <= 71000; ms += 100) {
        progress_add(&p, 10, 0);
        now = progress_at(&p, ms);
    }
    CHECK(now.rate > 90 && now.rate < 110);
    CHECK(now.total == 0 && now.left_ms == -1);
    /* Nothing for ten seconds. */
    for (int64_t ms = 71100; ms <= 81000; ms += 100)
        now = progress_at(&p, ms);
    CHECK(now.rate == 0);
}

TEST(the_total_follows_what_is_learned)
{
    struct progress p = begun(NULL, 1000);
    progress_add(&p, 10, 0);
    progress_learn(&p, 20, 10);
    /* A fiftieth of all says nothing about the rest. */
    CHECK(progress_at(&p, 1100).total == 990);
    progress_add(&p, 240, 0);
    progress_learn(&p, 480, 240);
    CHECK(progress_at(&p, 1200).total == 500);
    progress_add(&p, 600, 0);
    CHECK(progress_at(&p, 1300).total == 850); /* never less than what is done */
    progress_learn(&p, 500, 600);
    CHECK(progress_at(&p, 1400).total == 850);
}

TEST(tables_are_told_in_order_and_before_the_numbers)
{
    struct heard h = {0};
    struct err e = {0};
    struct progress p = begun(&h, 100);
    progress_table(&p, "public", "a", 1, 10);
    progress_table(&p, "public", "b", 2, 20);
    CHECK(progress_tick(&p, &e));
    CHECK_STR(h.tables, "public.a 1 10;public.b 2 20;");
    progress_table(&p, "x", "c", 3, 30);
    CHECK(progress_end(&p, &e));
    CHECK_STR(h.tables, "public.a 1 10;public.b 2 20;x.c 3 30;");
    CHECK(h.says == 2 && h.now.last);
    CHECK(progress_tick(&p, &e) && h.says == 2); /* nothing is being done */
}

TEST(the_end_is_all_of_it)
{
    struct heard h = {0};
    struct err e = {0};
    struct progress p = begun(&h, 100);
    progress_add(&p, 70, 5);
    CHECK(progress_end(&p, &e));
    CHECK(h.now.last && h.now.done == 70 && h.now.total == 70 && h.now.left_ms == 0);
    progress_begin(&p, "restore", 9);
    CHECK(progress_tick(&p, &e));
    CHECK_STR(h.now.doing, "restore");
    CHECK(h.now.done == 0 && h.now.rows == 0 && !h.now.last);
}

TEST(a_listener_can_end_the_work)
{
    struct heard h = {.refuse = true};
    struct err e = {0};
    struct progress p = begun(&h, 100);
    CHECK(!progress_tick(&p, &e) && e.kind == ERR_SYSTEM);
}

TEST(tables_not_told_are_given_back)
{
    struct heard h = {0};
    struct progress p = begun(&h, 100);
    progress_table(&p, "public", "a", 1, 10);
    progress_begin(&p, "backup", 0);
    progress_table(&p, "public", "b", 1, 10);
    progress_release(&p);
    CHECK_STR(h.tables, "");
}

enum { THREADS = 4, ADDS = 20000, TABLES = 50 };

static bool add_many(void *context, int worker, struct err *e)
{
    struct progress *p = context;
    (void)worker;
    (void)e;
    for (int i = 0; i < ADDS; i++)
        progress_add(p, 3, 1);
    for (int i = 0; i < TABLES; i++)
        progress_table(p, "s", "t", 1, 1);
    return true;
}

static void count_table(void *context, const char *schema, const char *name, int64_t rows,
                        int64_t bytes)
{
    struct heard *h = context;
    (void)schema;
    (void)name;
    h->says += (int)(rows * bytes);
}

static bool tick(void *context, struct err *e)
{
    return progress_tick(context, e);
}

TEST(threads_lose_nothing)
{
    struct heard h = {0};
    struct err e = {0};
    struct progress p = {.table = count_table, .context = &h};
    progress_begin(&p, "backup", 0);
    const struct pool_spec spec = {
        .threads = THREADS, .work = add_many, .tick = tick, .context = &p};
    CHECK(pool_run(&spec, &e));
    CHECK(progress_end(&p, &e));
    CHECK(h.says == THREADS * TABLES);
    CHECK(p.state.done == 3 * THREADS * ADDS && p.state.rows == THREADS * ADDS);
}
