#include "core/prisma/deploy.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "core/prisma/printed.h"
#include "sql/queries.h"

enum { OUT_MAX = 1024 * 1024, WATCH_MS = 150 };

struct watcher {
    struct arena *arena;
    const struct prisma_deploy_spec *spec;
    struct prisma_outcome *outcome;
    int64_t next_at, blocked_since;
};

static void note_blocker(struct watcher *w, const struct pg_rows *rows, size_t i)
{
    struct prisma_blocker *b = &w->outcome->blocker;
    const char *pid = pg_cell(rows, i, "blocker");
    if (pid == NULL)
        return;
    if (w->blocked_since == 0)
        w->blocked_since = clock_ms();
    *b = (struct prisma_blocker){
        .pid = (int)strtol(pid, NULL, 10),
        .application = pg_cell(rows, i, "application"),
        .query = pg_cell(rows, i, "blocking_query"),
        .waiting_statement = pg_cell(rows, i, "waiting"),
        .waited_ms = clock_ms() - w->blocked_since,
    };
}

/* Watching is worth having, not worth failing for: a query of it that fails is told once. */
static bool look(void *context, struct err *e UNUSED)
{
    struct watcher *w = context;
    struct pg_rows rows;
    struct err failed = {0};
    if (w->spec->watch == NULL || clock_ms() < w->next_at)
        return true;
    w->next_at = clock_ms() + WATCH_MS;
    if (!pg_query(w->arena, w->spec->watch, sql_prisma_watch,
                  PG_ARGS(w->spec->live->dbname, w->spec->application_name), &rows, &failed)) {
        w->next_at = INT64_MAX;
        err_wrap(&failed, "could not watch Prisma's sessions");
        if (failed.kind != ERR_CANCELLED)
            log_err_as(LOG_WARNING, &failed);
        return true;
    }
    w->outcome->session_seen = w->outcome->session_seen || rows.count > 0;
    for (size_t i = 0; i < rows.count; i++)
        note_blocker(w, &rows, i);
    return true;
}

static bool started(void *context, pid_t pid, struct err *e)
{
    const struct watcher *w = context;
    return w->spec->started == NULL || w->spec->started(w->spec->context, pid, e);
}

/* The command line holds no secret: the URL goes by the environment, in every variable that the
 * project reads it from.  Prisma finds the schema by itself when a config file names it. */
static const char *const *arguments(struct arena *a, const struct prisma_project *p)
{
    struct strlist argv = strlist_on(a);
    for (const char *const *word = p->cli; *word != NULL; word++)
        strlist_add(&argv, *word);
    strlist_add(&argv, "migrate");
    strlist_add(&argv, "deploy");
    if (p->config == NULL) {
        strlist_add(&argv, "--schema");
        strlist_add(&argv, p->schema);
    }
    return argv.items;
}

static const char *const *environment(struct arena *a, const struct prisma_deploy_spec *spec)
{
    struct strlist env = strlist_on(a);
    const char *options =
        arena_printf(a, "-c lock_timeout=%lldms", (long long)spec->lock_timeout_ms);
    const char *url = connection_prisma_url(a, spec->url, spec->application_name, options);
    strlist_add(&env, "PG*");
    strlist_add(&env, "MIGSAFE_*");
    for (size_t i = 0; i < spec->project->url_variables.count; i++)
        strlist_printf(&env, "%s=%s", spec->project->url_variables.items[i], url);
    strlist_add(&env, "CHECKPOINT_DISABLE=1");
    strlist_add(&env, "PRISMA_HIDE_UPDATE_MESSAGE=1");
    strlist_add(&env, "NO_COLOR=1");
    strlist_add(&env, "FORCE_COLOR");
    return env.items;
}

/* What it printed as its target.  The host it prints is that of the URL's authority: with ?host=
 * that is not where it went, and the JavaScript engine prints none. */
static void compare_target(struct arena *a, const struct prisma_deploy_spec *spec,
                           struct prisma_outcome *o)
{
    struct printed p = printed_read(a, o->end.out, o->end.err);
    if (p.database == NULL)
        return;
    o->printed_target = arena_printf(a, "\"%s\"%s%s", p.database, p.location ? " at " : "",
                                     p.location ? p.location : "");
    bool socket = spec->live->host[0] == '/' || strstr(spec->url, "host=") != NULL;
    const char *location = arena_printf(a, "%s:%s", spec->live->host, spec->live->port);
    bool same_host = p.location == NULL || socket || strcmp(p.location, location) == 0 ||
                     strcmp(p.location, spec->live->host) == 0;
    o->elsewhere = strcmp(p.database, spec->live->dbname) != 0 || !same_host;
}

bool prisma_deploy(struct arena *a, const struct prisma_deploy_spec *spec,
                   struct prisma_outcome *outcome, struct err *e)
{
    *outcome = (struct prisma_outcome){0};
    struct watcher watcher = {.arena = a, .spec = spec, .outcome = outcome};
    struct proc_spec run = {
        .argv = arguments(a, spec->project),
        .env = environment(a, spec),
        .dir = spec->project->root,
        .timeout_ms = spec->timeout_ms,
        .out_max = OUT_MAX,
        .started = started,
        .tick = look,
        .context = &watcher,
    };
    struct proc_result result;
    int64_t start = clock_ms();
    log_debug("running: %s", proc_line(a, run.argv));
    bool ok = proc_run(a, &run, &result, e);
    bool late = !ok && e->kind == ERR_TIMEOUT;
    outcome->elapsed_ms = clock_ms() - start;
    outcome->end = (struct prisma_end){
        .exit_status = result.exit_status,
        .signal = result.signal,
        .timed_out = late,
        .out = result.out,
        .err = result.err,
    };
    log_debug("prisma printed: %s%s", result.out, result.err);
    if (!ok && !late)
        return e->kind == ERR_CANCELLED ? false : err_wrap(e, "could not run Prisma");
    outcome->failure = failure_classify(a, &outcome->end);
    if (late)
        outcome->failure.message =
            arena_printf(a, "Prisma did not end within %s", clock_human_ms(a, spec->timeout_ms));
    compare_target(a, spec, outcome);
    *e = (struct err){0};
    return true;
}
