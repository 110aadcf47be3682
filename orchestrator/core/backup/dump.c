#include "core/backup/dump.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/pool.h"
#include "base/stop.h"
#include "core/backup/pg_dump.h"
#include "core/backup/schema_wait.h"
#include "core/backup/sync.h"

#include <pthread.h>

enum { PING_MS = 30 * 1000, QUERY_LIMIT_MS = 24 * 60 * 60 * 1000, RANGES_SINCE = 140000 };

/* How far the threads are together: the schema is dumped from the start, the first worker plans
 * meanwhile, then each opens its session, and when all have the snapshot the copy begins.  When
 * that is done before the schema is, the workers bring the files to disk in the time left. */
enum stage { PLANNING, OPENING, COPYING, COPIED };

struct pass {
    const struct dump_spec *spec;
    struct arena *plan_arena; /* of the planner until the stage is OPENING */
    struct manifest *manifest;
    struct plan *plan;
    int workers;         /* threads that may copy */
    _Atomic size_t next; /* item */
    struct deadline ping;
    struct schema_wait schema_wait; /* of the calling thread */
    bool lost;                      /* the holder */
    atomic_bool schema_done;
    struct sync sync;      /* files of tables, then of large objects */
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t moved;
    enum stage stage;
    int needed, open, copied; /* sessions */
};

/* A snapshot and locks live as long as their session. */
static bool ping(struct pass *pass, struct err *e)
{
    if (pg_exec(pass->spec->holder, "SELECT 1", e))
        return true;
    pass->lost = true;
    if (e->kind != ERR_CANCELLED)
        e->kind = ERR_CONNECT;
    return err_wrap(e, "the session that holds the snapshot was lost");
}

static enum stage stage_of(struct pass *pass)
{
    pthread_mutex_lock(&pass->mutex);
    enum stage stage = pass->stage;
    pthread_mutex_unlock(&pass->mutex);
    return stage;
}

static void move_to(struct pass *pass, enum stage stage)
{
    pthread_mutex_lock(&pass->mutex);
    pass->stage = stage;
    pthread_cond_broadcast(&pass->moved);
    pthread_mutex_unlock(&pass->mutex);
}

/* False when another thread has failed meanwhile. */
static bool wait_for(struct pass *pass, enum stage stage, struct err *e)
{
    enum { LOOK_UP_NS = 50 * 1000 * 1000 };
    while (stage_of(pass) < stage) {
        struct timespec until;
        if (!stop_check(e))
            return false;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += LOOK_UP_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_mutex_lock(&pass->mutex);
        if (pass->stage < stage)
            pthread_cond_timedwait(&pass->moved, &pass->mutex, &until);
        pthread_mutex_unlock(&pass->mutex);
    }
    return true;
}

/* One that idles behind a firewall is kept alive. */
static bool tick(void *context, struct err *e)
{
    struct pass *pass = context;
    if (stage_of(pass) == PLANNING)
        return true; /* the planner has the holder, and progress has not begun */
    if (deadline_passed(&pass->ping)) {
        pass->ping = deadline_in(PING_MS);
        if (!ping(pass, e))
            return false;
    }
    return (pass->spec->pg_dump == NULL || schema_wait_look(&pass->schema_wait, e)) &&
           progress_tick(pass->spec->progress, e);
}

static bool run_pg_dump(struct pass *pass, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    const struct dump_spec *spec = pass->spec;
    struct pg_dump_spec child = {.from = spec->from,
                                 .program = spec->pg_dump,
                                 .folder = spec->schema_folder,
                                 .snapshot = spec->frozen->snapshot,
                                 .session = schema_wait_name(a, spec->holder),
                                 .lock_timeout_ms = spec->lock_timeout_ms};
    if (!pg_dump_run(a, &child, e))
        return false;
    child.folder = spec->large_folder;
    child.large = compression_text(a, spec->compression);
    return child.folder == NULL || pg_dump_run(a, &child, e);
}

static bool dump_schema(struct pass *pass, struct err *e)
{
    bool ok = run_pg_dump(pass, e);
    atomic_store(&pass->schema_done, true);
    return ok;
}

static struct datafile *file_of(struct plan *p, size_t i)
{
    return i < p->count ? &p->tables[i].file : &p->large[i - p->count].file;
}

static void list_files(struct pass *pass)
{
    struct sync *s = &pass->sync;
    s->count = pass->plan->count + pass->plan->large_count;
    s->files = arena_array(pass->plan_arena, s->count + 1, sizeof(*s->files));
    for (size_t i = 0; i < s->count; i++)
        s->files[i].path = file_of(pass->plan, i)->path;
}

static bool make_plan(struct pass *pass, struct err *e)
{
    const struct dump_spec *spec = pass->spec;
    const struct plan_spec plan = {.frozen = spec->frozen,
                                   .jobs = spec->jobs,
                                   .split_size = spec->split_size,
                                   .can_split = pg_server_version(spec->holder) >= RANGES_SINCE,
                                   .copy_large = spec->large_folder == NULL,
                                   .folder = spec->folder,
                                   .suffix = member_suffix(spec->compression.codec)};
    if (!plan_make(pass->plan_arena, spec->holder, &plan, pass->manifest, pass->plan, e))
        return false;
    size_t items = pass->plan->item_count;
    pass->needed = items < (size_t)pass->workers ? (int)items : pass->workers;
    list_files(pass);
    progress_begin(spec->progress, "backup", pass->plan->weight);
    move_to(pass, pass->needed == 0 ? COPYING : OPENING);
    return true;
}

/* The last of the sessions to come here moves all on; count is of those that have come. */
static bool together(struct pass *pass, int *count, enum stage stage, struct err *e)
{
    pthread_mutex_lock(&pass->mutex);
    bool all = ++*count == pass->needed;
    pthread_mutex_unlock(&pass->mutex);
    if (all)
        move_to(pass, stage);
    return wait_for(pass, stage, e);
}

static struct copier *open_copier(struct pass *pass, struct err *e)
{
    const struct dump_spec *spec = pass->spec;
    const struct copier_spec copier = {.from = spec->from,
                                       .frozen = spec->frozen,
                                       .encoding = pass->manifest->database.encoding,
                                       .compression = spec->compression,
                                       .query_deadline_ms = QUERY_LIMIT_MS,
                                       .lock_timeout_ms = spec->lock_timeout_ms,
                                       .progress = spec->progress};
    AUTO(copier) struct copier *c = copier_open(&copier, e);
    if (c == NULL)
        return NULL;
    return together(pass, &pass->open, COPYING, e) ? TAKE(c) : NULL;
}

static bool copy_items(struct pass *pass, struct err *e)
{
    AUTO(copier) struct copier *c = open_copier(pass, e);
    if (c == NULL)
        return false;
    for (;;) {
        size_t i = atomic_fetch_add(&pass->next, 1);
        if (i >= pass->plan->item_count)
            return true;
        if (!stop_check(e) || !copy_item(c, pass->plan, &pass->plan->items[i], e))
            return false;
    }
}

static bool work(void *context, int worker, struct err *e)
{
    struct pass *pass = context;
    if (worker == pass->workers)
        return dump_schema(pass, e);
    if (worker == 0 && !make_plan(pass, e))
        return false;
    if (!wait_for(pass, OPENING, e))
        return false;
    return worker >= pass->needed ||
           (copy_items(pass, e) && together(pass, &pass->copied, COPIED, e) &&
            sync_some(&pass->sync, &pass->schema_done, e));
}

static bool ended_by_server(const struct err *e)
{
    return e->kind == ERR_CHILD || e->kind == ERR_QUERY || e->kind == ERR_CONNECT;
}

/* Why it ended, as the one who asks for it needs to know. */
static bool failed(struct pass *pass, struct err *e)
{
    struct err lost = {0};
    if (strcmp(e->sqlstate, "55P03") == 0) {
        struct err first = *e;
        err_set(e, ERR_TIMEOUT, "%s", first.message);
    }
    if (e->kind == ERR_TIMEOUT) {
        freeze_name_blocker(pass->spec->holder, pass->spec->frozen, e);
        err_hint(e, "Run it again when that has ended.");
    } else if (!pass->lost && ended_by_server(e) && !ping(pass, &lost)) {
        err_detail(&lost, "%.*s.", (int)strcspn(e->message, "\n"), e->message);
        *e = lost;
    }
    return false;
}

static bool run(struct pass *pass, struct err *e)
{
    int threads = pass->workers + (pass->spec->pg_dump != NULL);
    const struct pool_spec pool = {.threads = threads, .work = work, .tick = tick, .context = pass};
    if (!pool_run(&pool, e))
        return failed(pass, e);
    /* Without the locks of that session all the time somebody may have emptied a table. */
    return ping(pass, e) && freeze_held(pass->spec->holder, pass->spec->frozen, e);
}

/* What the copy found out of a table, now for the manifest. */
static void take_results(struct arena *a, const struct sync *s, struct plan *p)
{
    for (size_t i = 0; i < s->count; i++)
        file_of(p, i)->synced = s->files[i].done;
    for (size_t i = 0; i < p->count; i++) {
        const struct plan_table *t = &p->tables[i];
        const struct datafile *f = &t->file;
        t->to->file = fs_basename(f->path);
        t->to->sha256 = arena_strdup(a, f->sha256);
        t->to->bytes = f->bytes;
        t->to->content = arena_printf(a, "%016llx", (unsigned long long)t->content);
        t->to->member_count = f->start_count;
        t->to->members = arena_array(a, f->start_count + 1, sizeof(*t->to->members));
        for (size_t k = 0; k < f->start_count; k++)
            t->to->members[k] = f->starts[k];
    }
}

bool dump_run(struct arena *a, const struct dump_spec *spec, struct manifest *m, struct plan *p,
              struct err *e)
{
    int jobs = spec->jobs < 1 ? 1 : spec->jobs;
    struct pass pass = {.spec = spec,
                        .plan_arena = a,
                        .manifest = m,
                        .plan = p,
                        .workers = jobs < POOL_MAX ? jobs : POOL_MAX - 1,
                        .ping = deadline_in(PING_MS),
                        .schema_done = spec->pg_dump == NULL,
                        .schema_wait = {.holder = spec->holder,
                                        .limit_ms = spec->lock_timeout_ms,
                                        .next_look = deadline_in(1)},
                        .mutex = PTHREAD_MUTEX_INITIALIZER,
                        .moved = PTHREAD_COND_INITIALIZER};
    bool ok = run(&pass, e);
    pthread_cond_destroy(&pass.moved);
    pthread_mutex_destroy(&pass.mutex);
    if (ok)
        take_results(a, &pass.sync, p);
    return ok && progress_end(spec->progress, e);
}
