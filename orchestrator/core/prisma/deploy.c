#include "core/prisma/deploy.h"

#include "base/clock.h"
#include "base/proc.h"
#include "core/connection/url.h"
#include "core/prisma/printed.h"

#include <signal.h>
#include <strings.h>

enum { OUT_MAX = 1 << 20 };

/* --- what it is given ----------------------------------------------------------------------------
 */

/* Prisma 6 and 7 find the schema by their config or from the folder; a config may also say more
 * than we understand of it. */
static struct strlist build_argv(struct arena *a, const struct prisma_project *p)
{
    struct strlist argv = strlist_on(a);
    for (size_t i = 0; p->cli[i] != NULL; i++)
        strlist_add(&argv, p->cli[i]);
    strlist_add(&argv, "migrate");
    strlist_add(&argv, "deploy");
    if (p->config == NULL) {
        strlist_add(&argv, "--schema");
        strlist_add(&argv, p->schema);
    }
    return argv;
}

static const char *session_options(struct arena *a, const struct prisma_deploy_spec *spec)
{
    struct str s = str_on(a);
    if (spec->lock_timeout_ms > 0)
        str_printf(&s, "-c lock_timeout=%lldms", (long long)spec->lock_timeout_ms);
    if (spec->options != NULL)
        str_item(&s, " ", spec->options);
    return s.length > 0 ? s.text : NULL;
}

/* DEBUG and RUST_LOG would bury the errors that we read, and FORCE_COLOR would paint them. */
static struct strlist build_env(struct arena *a, const struct prisma_deploy_spec *spec)
{
    static const char *const fixed[] = {
        "PG*",      "MIGSAFE_*",  "FORCE_COLOR",          "DEBUG",
        "RUST_LOG", "NO_COLOR=1", "CHECKPOINT_DISABLE=1", "PRISMA_HIDE_UPDATE_MESSAGE=1"};
    const char *url =
        connection_prisma_url(a, spec->url, spec->application_name, session_options(a, spec));
    struct strlist env = strlist_on(a);
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        strlist_add(&env, fixed[i]);
    for (size_t i = 0; i < spec->project->url_variables.count; i++)
        strlist_printf(&env, "%s=%s", spec->project->url_variables.items[i], url);
    return env;
}

/* --- what it says
 * ------------------------------------------------------------------------------------ */

static bool same_place(const char *location, const char *host, const char *port)
{
    size_t n = strlen(host);
    return strncasecmp(location, host, n) == 0 &&
           (location[n] == '\0' || (location[n] == ':' && strcmp(location + n + 1, port) == 0));
}

static bool is_our_place(struct arena *a, const struct connection *live, const char *text,
                         const char *location)
{
    struct url url;
    struct err ignored = {0};
    if (same_place(location, live->host, live->port))
        return true;
    if (!url_split(a, text, &url, &ignored))
        return false;
    const char *host = url.is_ipv6 ? arena_printf(a, "[%s]", url.host) : url.host;
    return same_place(location, host, url.port[0] != '\0' ? url.port : "5432");
}

bool prisma_is_elsewhere(const struct connection *live, const char *url, const char *database,
                         const char *location)
{
    AUTO(arena) struct arena *a = arena_new();
    /* It prints the whole path of the URL; the name of the database is the first part. */
    if (database != NULL &&
        strcmp(arena_strndup(a, database, strcspn(database, "/")), live->dbname) != 0)
        return true;
    return location != NULL && !is_our_place(a, live, url, location);
}

static void read_outcome(struct arena *a, const struct prisma_deploy_spec *spec,
                         struct prisma_outcome *o)
{
    struct printed p = printed_read(a, o->end.out, o->end.err);
    o->failure = failure_classify(a, &o->end);
    o->elsewhere = prisma_is_elsewhere(spec->live, spec->url, p.database, p.location);
    if (p.database != NULL && p.location != NULL)
        o->printed_target = arena_printf(a, "%s at \"%s\"", p.database, p.location);
    else
        o->printed_target = p.database;
}

/* --- the run
 * ----------------------------------------------------------------------------------------- */

struct run {
    const struct prisma_deploy_spec *spec;
    struct prisma_watch watch;
    bool begun;
    pid_t pid;
};

static bool on_start(void *context, pid_t pid, struct err *e)
{
    struct run *run = context;
    run->pid = pid;
    run->begun = run->spec->started == NULL || run->spec->started(run->spec->context, pid, e);
    return run->begun;
}

static bool on_tick(void *context, struct err *e UNUSED)
{
    struct run *run = context;
    prisma_watch_look(&run->watch);
    if (run->spec->tick != NULL)
        run->spec->tick(run->spec->context);
    return true;
}

bool prisma_deploy(struct arena *a, const struct prisma_deploy_spec *spec,
                   struct prisma_outcome *outcome, struct err *e)
{
    struct run run = {
        .spec = spec,
        .watch = {.arena = a,
                  .db = spec->watch,
                  .database = spec->live->dbname,
                  .application_name = spec->application_name},
    };
    struct proc_spec child = {
        .argv = build_argv(a, spec->project).items,
        .env = build_env(a, spec).items,
        .dir = spec->project->root,
        .timeout_ms = spec->timeout_ms,
        .out_max = OUT_MAX,
        .started = on_start,
        .tick = on_tick,
        .context = &run,
    };
    struct proc_result result;
    struct err why = {0};
    int64_t began = clock_ms();
    bool ended = proc_run(a, &child, &result, &why);
    /* When the CLI alone was killed (out of memory), its engine may live and go on migrating. */
    if (ended && run.pid > 0)
        kill(-run.pid, SIGKILL);
    bool timed_out = !ended && run.begun && why.kind == ERR_TIMEOUT;
    *outcome = (struct prisma_outcome){
        .end = {.exit_status = result.exit_status,
                .signal = result.signal,
                .timed_out = timed_out,
                .out = result.out,
                .err = result.err},
        .session_seen = run.watch.session_seen,
        .blocker = run.watch.blocker,
        .last = run.watch.present,
        .elapsed_ms = clock_ms() - began,
    };
    read_outcome(a, spec, outcome);
    if (ended || timed_out)
        return true;
    *e = why;
    return err_wrap(e, "could not run Prisma");
}
