#include "core/backup/dump.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/pool.h"
#include "base/stop.h"
#include "core/backup/pg_dump.h"

#include <stdatomic.h>

enum { PING_MS = 30 * 1000, QUERY_LIMIT_MS = 24 * 60 * 60 * 1000, RANGES_SINCE = 140000 };

struct pass {
    const struct dump_spec *spec;
    struct plan *plan;
    struct copier *copiers[POOL_MAX];
    int copier_count;
    _Atomic size_t next; /* item */
    struct deadline ping;
    struct arena *arena; /* of the thread that waits for pg_dump */
};

/* A snapshot and locks live as long as their session. */
static bool ping(const struct pass *pass, struct err *e)
{
    if (pg_exec(pass->spec->holder, "SELECT 1", e))
        return true;
    if (e->kind != ERR_CANCELLED)
        e->kind = ERR_CONNECT;
    return err_wrap(e, "the session that holds the snapshot was lost");
}

/* One that idles behind a firewall is kept alive. */
static bool tick(void *context, struct err *e)
{
    struct pass *pass = context;
    if (deadline_passed(&pass->ping)) {
        pass->ping = deadline_in(PING_MS);
        if (!ping(pass, e))
            return false;
    }
    return progress_tick(pass->spec->progress, e);
}

static bool dump_schema(struct pass *pass, struct err *e)
{
    const struct dump_spec *spec = pass->spec;
    const struct pg_dump_spec child = {.from = spec->from,
                                       .program = spec->pg_dump,
                                       .folder = spec->schema_folder,
                                       .snapshot = spec->frozen->snapshot,
                                       .lock_timeout_ms = spec->lock_timeout_ms};
    return pg_dump_schema(pass->arena, &child, e);
}

static bool work(void *context, int worker, struct err *e)
{
    struct pass *pass = context;
    struct plan *p = pass->plan;
    if (worker == pass->copier_count)
        return dump_schema(pass, e);
    for (;;) {
        size_t i = atomic_fetch_add(&pass->next, 1);
        if (i >= p->item_count)
            return true;
        if (!stop_check(e) || !copy_item(pass->copiers[worker], p, &p->items[i], e))
            return false;
    }
}

static int workers_for(const struct dump_spec *spec, const struct plan *p)
{
    int n = spec->jobs < 1 ? 1 : spec->jobs;
    if (n > POOL_MAX - 1)
        n = POOL_MAX - 1;
    return p->item_count < (size_t)n ? (int)p->item_count : n;
}

/* All of them have the snapshot before anything is copied. */
static bool open_copiers(struct pass *pass, const char *encoding, struct err *e)
{
    const struct dump_spec *spec = pass->spec;
    const struct copier_spec copier = {.from = spec->from,
                                       .frozen = spec->frozen,
                                       .encoding = encoding,
                                       .compression = spec->compression,
                                       .query_deadline_ms = QUERY_LIMIT_MS,
                                       .progress = spec->progress};
    int wanted = workers_for(spec, pass->plan);
    for (; pass->copier_count < wanted; pass->copier_count++) {
        pass->copiers[pass->copier_count] = copier_open(&copier, e);
        if (pass->copiers[pass->copier_count] == NULL)
            return false;
    }
    return true;
}

/* Why it ended, as the one who asks for it needs to know. */
static bool failed(const struct pass *pass, struct err *e)
{
    struct err lost = {0};
    if (strcmp(e->sqlstate, "55P03") == 0) {
        struct err first = *e;
        err_set(e, ERR_TIMEOUT, "%s", first.message);
    }
    if (e->kind == ERR_TIMEOUT) {
        freeze_name_blocker(pass->spec->holder, pass->spec->frozen, e);
        err_hint(e, "Run it again when that has ended.");
    } else if ((e->kind == ERR_CHILD || e->kind == ERR_QUERY) && !ping(pass, &lost)) {
        err_detail(&lost, "%s.", e->message);
        *e = lost;
    }
    return false;
}

static bool run(struct pass *pass, const char *encoding, struct err *e)
{
    if (!open_copiers(pass, encoding, e))
        return failed(pass, e);
    int threads = pass->copier_count + (pass->spec->pg_dump != NULL);
    const struct pool_spec pool = {.threads = threads, .work = work, .tick = tick, .context = pass};
    if (threads > 0 && !pool_run(&pool, e))
        return failed(pass, e);
    /* Without the locks of that session all the time somebody may have emptied a table. */
    return ping(pass, e);
}

/* What the copy found out of a table, now for the manifest. */
static void take_results(struct arena *a, struct plan *p)
{
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
    AUTO(arena) struct arena *scratch = arena_new();
    struct pass pass = {.spec = spec, .plan = p, .ping = deadline_in(PING_MS), .arena = scratch};
    const struct plan_spec plan = {.frozen = spec->frozen,
                                   .jobs = spec->jobs,
                                   .split_size = spec->split_size,
                                   .can_split = pg_server_version(spec->holder) >= RANGES_SINCE,
                                   .folder = spec->folder,
                                   .suffix = member_suffix(spec->compression.codec)};
    if (!plan_make(a, spec->holder, &plan, m, p, e))
        return false;
    progress_begin(spec->progress, "backup", p->weight);
    bool ok = run(&pass, m->database.encoding, e);
    for (int i = 0; i < pass.copier_count; i++)
        copier_close(pass.copiers[i]);
    if (ok)
        take_results(a, p);
    return ok && progress_end(spec->progress, e);
}
