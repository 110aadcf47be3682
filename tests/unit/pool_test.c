#include "base/pool.h"

#include "base/clock.h"
#include "base/stop.h"

#include "tap.h"

#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 6, ITEMS = 2000, LONG_MS = 120000, HANG_MS = 60000 };

struct job {
    _Atomic int next, ended_well, cancelled, ticks;
    _Atomic int done[ITEMS];
    int fail_at; /* the worker or the tick that fails */
};

static bool take_items(void *context, int worker UNUSED, struct err *e UNUSED)
{
    struct job *j = context;
    for (int i = j->next++; i < ITEMS; i = j->next++)
        j->done[i]++;
    j->ended_well++;
    return true;
}

static bool count_ticks(void *context, struct err *e)
{
    struct job *j = context;
    return ++j->ticks != j->fail_at || err_set(e, ERR_CONNECT, "tick %d", j->ticks);
}

TEST(every_item_is_done_once)
{
    for (int threads = 1; threads <= POOL_MAX; threads += 21) {
        struct job j = {0};
        struct err e = {0};
        CHECK(pool_run(
            &(struct pool_spec){
                .threads = threads, .work = take_items, .tick = count_ticks, .context = &j},
            &e));
        CHECK(e.kind == ERR_NONE && j.ended_well == threads && j.ticks >= 1);
        for (int i = 0; i < ITEMS; i++)
            CHECK(j.done[i] == 1);
    }
    struct job j = {0};
    struct err e = {0};
    CHECK(pool_run(&(struct pool_spec){.threads = 3, .work = take_items, .context = &j}, &e));
}

static bool wait_long(struct job *j, struct err *e)
{
    bool slept = stop_sleep_ms(LONG_MS, e);
    j->cancelled += !slept && e->kind == ERR_CANCELLED && stop_requested();
    j->ended_well += slept;
    return slept;
}

/* One fails after a while, and then another; the rest waits. */
static bool one_fails(void *context, int worker, struct err *e)
{
    struct job *j = context;
    if (worker == j->fail_at)
        return stop_sleep_ms(50, e) && err_set(e, ERR_DAMAGED, "the first");
    bool slept = wait_long(j, e);
    return worker == j->fail_at + 1 ? err_set(e, ERR_QUERY, "the second") : slept;
}

TEST(the_first_failure_ends_all)
{
    struct job j = {.fail_at = 2};
    struct err e = {0};
    int64_t started = clock_ms();
    CHECK(!pool_run(&(struct pool_spec){.threads = THREADS, .work = one_fails, .context = &j}, &e));
    CHECK(clock_ms() - started < HANG_MS);
    CHECK(e.kind == ERR_DAMAGED);
    CHECK_STR(e.message, "the first");
    CHECK(j.cancelled == THREADS - 1 && j.ended_well == 0);
    CHECK(!stop_requested());
}

static bool all_wait(void *context, int worker UNUSED, struct err *e)
{
    return wait_long(context, e);
}

TEST(a_failed_tick_ends_all)
{
    struct job j = {.fail_at = 2};
    struct err e = {0};
    int64_t started = clock_ms();
    CHECK(!pool_run(
        &(struct pool_spec){
            .threads = THREADS, .work = all_wait, .tick = count_ticks, .context = &j},
        &e));
    CHECK(clock_ms() - started < HANG_MS);
    CHECK(e.kind == ERR_CONNECT);
    CHECK_STR(e.message, "tick 2");
    CHECK(j.cancelled == THREADS && j.ticks == 2);
}

static bool nothing(void *context, int worker UNUSED, struct err *e UNUSED)
{
    struct job *j = context;
    j->ended_well++;
    return true;
}

static bool last_tick(void *context, struct err *e)
{
    struct job *j = context;
    j->ticks++;
    return j->ended_well < THREADS || err_set(e, ERR_CONNECT, "at the end");
}

TEST(the_last_tick_counts)
{
    struct job j = {0};
    struct err e = {0};
    CHECK(!pool_run(
        &(struct pool_spec){.threads = THREADS, .work = nothing, .tick = last_tick, .context = &j},
        &e));
    CHECK_STR(e.message, "at the end");
}

static bool pool_in_pool(void *context, int worker, struct err *e)
{
    if (worker == 0)
        return stop_sleep_ms(50, e) && err_set(e, ERR_DAMAGED, "outside");
    return pool_run(&(struct pool_spec){.threads = 2, .work = all_wait, .context = context}, e);
}

TEST(a_pool_within_a_pool_ends_with_it)
{
    struct job j = {0};
    struct err e = {0};
    int64_t started = clock_ms();
    CHECK(!pool_run(&(struct pool_spec){.threads = 3, .work = pool_in_pool, .context = &j}, &e));
    CHECK(clock_ms() - started < HANG_MS && j.cancelled == 4);
    CHECK_STR(e.message, "outside");
}

/* Signals stay for the rest of a process, so each case is one. */
static bool as_process(bool (*run)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        stop_install();
        bool ok = run();
        fflush(stdout);
        _exit(ok ? 0 : 1);
    }
    int status = -1;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* A worker asks for the end; the signal goes to the calling thread, whichever sent it. */
static bool ask_and_wait(void *context, int worker, struct err *e)
{
    struct job *j = context;
    if (worker == 0 && kill(getpid(), SIGTERM) != 0)
        return err_sys(e, ERR_SYSTEM, "could not send a signal");
    return wait_long(j, e);
}

static bool ends_by_signal(void)
{
    struct job j = {0};
    struct err e = {0};
    int64_t started = clock_ms();
    bool ok =
        pool_run(&(struct pool_spec){.threads = THREADS, .work = ask_and_wait, .context = &j}, &e);
    return !ok && e.kind == ERR_CANCELLED && strcmp(e.message, "cancelled by SIGTERM") == 0 &&
           j.cancelled == THREADS && clock_ms() - started < HANG_MS;
}

TEST(a_signal_cancels)
{
    CHECK(as_process(ends_by_signal));
}

static bool ask_and_go_on(void *context, int worker, struct err *e)
{
    struct job *j = context;
    if (worker == 0 && kill(getpid(), SIGTERM) != 0)
        return err_sys(e, ERR_SYSTEM, "could not send a signal");
    while (stop_signal() == 0)
        usleep(1000);
    j->ended_well += stop_sleep_ms(250, e) && !stop_requested();
    return true;
}

static bool goes_on_under_shield(void)
{
    struct job j = {0};
    struct err e = {0};
    stop_shield(true);
    bool ok = pool_run(
        &(struct pool_spec){
            .threads = THREADS, .work = ask_and_go_on, .tick = count_ticks, .context = &j},
        &e);
    ok = ok && j.ended_well == THREADS && j.ticks >= 2 && !stop_requested();
    stop_shield(false);
    ok = ok && stop_requested();
    /* Seen now: the next one does not go far. */
    j = (struct job){0};
    return ok &&
           !pool_run(&(struct pool_spec){.threads = 2, .work = all_wait, .context = &j}, &e) &&
           e.kind == ERR_CANCELLED && j.cancelled == 2;
}

TEST(a_shield_keeps_signals_from_workers)
{
    CHECK(as_process(goes_on_under_shield));
}

/* Under a shield too, one failure ends the others. */
static bool fails_under_shield(void)
{
    struct job j = {.fail_at = 1};
    struct err e = {0};
    stop_shield(true);
    bool ok =
        pool_run(&(struct pool_spec){.threads = THREADS, .work = one_fails, .context = &j}, &e);
    return !ok && e.kind == ERR_DAMAGED && j.cancelled == THREADS - 1;
}

TEST(a_failure_ends_all_under_a_shield)
{
    CHECK(as_process(fails_under_shield));
}
