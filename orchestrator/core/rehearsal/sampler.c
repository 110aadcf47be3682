#include "core/rehearsal/sampler.h"

#include "base/clock.h"
#include "base/stop.h"
#include "sql/queries.h"

#include <pthread.h>
#include <signal.h>

/* A look itself takes one or two milliseconds: together well below 20. */
enum { PAUSE_MS = 8, LOOK_DEADLINE_MS = 5000 };

struct sampler {
    struct pg *db; /* of the thread while it runs */
    struct stop_line line;
    pthread_t thread;
    struct sampled_lock *locks;
    size_t count, size, hint;
    int64_t looks, longest_gap_ms, last_look_ms;
};

/* The looks list the locks in much the same order: the search goes on where the last one ended. */
static struct sampled_lock *find(struct sampler *s, int64_t relation, const char *mode,
                                 const char *holder)
{
    for (size_t n = 0; n < s->count; n++) {
        size_t i = (s->hint + n) % s->count;
        struct sampled_lock *l = &s->locks[i];
        if (l->relation == relation && strcmp(l->mode, mode) == 0 &&
            strcmp(l->holder, holder) == 0) {
            s->hint = i + 1;
            return l;
        }
    }
    return NULL;
}

static struct sampled_lock *add(struct sampler *s)
{
    if (s->count == s->size) {
        size_t size = s->size == 0 ? 64 : s->size * 2;
        struct sampled_lock *more = realloc(s->locks, size * sizeof(*more));
        if (more == NULL)
            return NULL;
        s->locks = more;
        s->size = size;
    }
    s->locks[s->count] = (struct sampled_lock){0};
    return &s->locks[s->count++];
}

static void note(struct sampler *s, const struct pg_rows *rows, size_t row, int64_t now)
{
    char holder[sizeof(s->locks->holder)];
    int64_t relation = pg_cell_int(rows, row, "relation");
    const char *mode = pg_cell(rows, row, "mode");
    snprintf(holder, sizeof(holder), "%s %s", pg_cell(rows, row, "pid"),
             pg_cell(rows, row, "holder"));
    struct sampled_lock *l = find(s, relation, mode, holder);
    if (l == NULL && (l = add(s)) != NULL) {
        l->relation = relation;
        snprintf(l->mode, sizeof(l->mode), "%s", mode);
        snprintf(l->holder, sizeof(l->holder), "%s", holder);
        l->first_ms = now;
    }
    if (l != NULL)
        l->last_ms = now;
}

static bool look(struct sampler *s, struct err *e)
{
    AUTO(arena) struct arena *scratch = arena_new();
    struct pg_rows rows;
    if (!pg_query(scratch, s->db, sql_rehearsal_locks, PG_NONE, &rows, e))
        return false;
    int64_t now = clock_ms(), gap = now - s->last_look_ms;
    s->longest_gap_ms = gap > s->longest_gap_ms ? gap : s->longest_gap_ms;
    s->last_look_ms = now;
    s->looks++;
    for (size_t i = 0; i < rows.count; i++)
        note(s, &rows, i, now);
    return true;
}

static void *watch(void *context)
{
    struct sampler *s = context;
    struct err ignored = {0};
    stop_line_follow(&s->line);
    while (look(s, &ignored) && stop_sleep_ms(PAUSE_MS, &ignored))
        ;
    return NULL;
}

static bool start_thread(struct sampler *s, struct err *e)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
    int failed = pthread_create(&s->thread, NULL, watch, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 || err_set(e, ERR_SYSTEM, "could not start a thread: error %d", failed);
}

static void release(struct sampler *s)
{
    pg_close(s->db);
    free(s->locks);
    free(s);
}

struct sampler *sampler_start(const struct connection *where, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe sampler",
                                    .query_deadline_ms = LOOK_DEADLINE_MS};
    struct sampler *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        err_set(e, ERR_SYSTEM, "out of memory");
        return NULL;
    }
    s->db = connection_open(where, &use, e);
    s->last_look_ms = clock_ms();
    bool lined = s->db != NULL && stop_line_open(&s->line, e);
    if (lined && start_thread(s, e))
        return s;
    if (lined)
        stop_line_close(&s->line);
    release(s);
    return NULL;
}

void sampler_stop(struct arena *a, struct sampler *s, struct sampled *seen)
{
    struct err ignored = {0};
    if (s == NULL)
        return;
    stop_line_pull(&s->line);
    pthread_join(s->thread, NULL);
    if (pg_is_alive(s->db))
        (void)!look(s, &ignored);
    if (seen != NULL) {
        *seen = (struct sampled){.locks = arena_array(a, s->count + 1, sizeof(*seen->locks)),
                                 .count = s->count,
                                 .looks = s->looks,
                                 .longest_gap_ms = s->longest_gap_ms};
        if (s->count > 0)
            memcpy(seen->locks, s->locks, s->count * sizeof(*s->locks));
    }
    stop_line_close(&s->line);
    release(s);
}
