#include "base/fs.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/gate_print.h"
#include "core/gate/gate.h"
#include "core/gate/gate_git.h"
#include "core/health/health.h"
#include "steps/earlier.h"
#include "steps/rehearsing.h"

enum { QUERY_DEADLINE_MS = 10 * 60 * 1000, LOCK_WAIT_MS = 5000 };

struct gating {
    struct cmd_context *ctx;
    struct prisma_project project;
    struct migration_list folder;
    struct site site;
    struct prisma_state state;
    struct gate_result result;
    const char *base;     /* NULL: none */
    const char *database; /* NULL: none */
};

/* Whatever the CI system tells of the branch that the change is to go to. */
static const char *default_base(struct arena *a, const struct prisma_project *project)
{
    static const struct {
        const char *variable, *remote;
    } places[] = {{"GITHUB_BASE_REF", "origin/"},
                  {"CI_MERGE_REQUEST_DIFF_BASE_SHA", ""},
                  {"CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "origin/"}};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        const char *value = getenv(places[i].variable);
        if (value == NULL || value[0] == '\0')
            continue;
        const char *base = arena_printf(a, "%s%s", places[i].remote, value);
        if (gate_git_knows(a, project, base))
            return base;
        log_warning("base \"%s\" (%s) is not in this clone, so what it lacks is not known: fetch "
                    "it, or check out with \"fetch-depth: 0\"",
                    base, places[i].variable);
    }
    return NULL;
}

static bool read_project(struct gating *g, struct err *e)
{
    struct arena *a = g->ctx->arena;
    const struct settings *s = g->ctx->settings;
    if (!prisma_project_find(a, s->project, s->schema, &g->project, e) ||
        !migrations_read(a, g->project.migrations, &g->folder, e))
        return false;
    /* Without node_modules only how a file will be sent is not known. */
    if (prisma_project_cli(a, s->prisma, &g->project, e))
        return true;
    if (e->kind == ERR_PREFLIGHT)
        return false;
    log_debug("Prisma's version is unknown: %s", e->message);
    *e = (struct err){0};
    g->project.version = NULL;
    return true;
}

/* In the gate what is amiss already is told and does not refuse; the ledger's rules are said by
 * gate_check. */
static bool add_health(struct gating *g, const struct gate_context *c, struct err *e)
{
    struct arena *a = g->ctx->arena;
    struct findings now = findings_on(a);
    const struct health_context health = {.db = c->db};
    if (!health_check(a, &health, &now, e))
        return err_wrap(e, "could not check the database's health");
    for (size_t i = 0; i < now.count; i++) {
        now.items[i].level = FINDING_WARNING;
        findings_add(&g->result.findings, now.items[i]);
    }
    gate_allow(a, c, &g->result);
    return true;
}

/* Only named: the gate changes nothing. */
static void tell_open_run(struct gating *g)
{
    struct err ignored = {0};
    struct earlier earlier;
    struct arena *a = g->ctx->arena;
    if (!earlier_read(a, g->ctx->settings->state_dir,
                      &(struct earlier_of){.database = g->site.live.dbname}, &earlier, &ignored))
        return;
    const char *text = earlier_text(a, &earlier);
    if (text != NULL)
        log_warning("%s", text);
}

/* What a deploy to this database would do; a stand-in's size says nothing. */
static void say_rehearsal(struct gating *g, struct pg *db)
{
    struct arena *a = g->ctx->arena;
    struct database_facts facts;
    struct err ignored = {0};
    if (db == NULL || g->base != NULL || g->result.pending.count == 0 ||
        !database_read(a, db, g->database, &facts, &ignored))
        return;
    const struct rehearse_look look = {.settings = g->ctx->settings,
                                       .site = &g->site,
                                       .folder = &g->folder,
                                       .pending = &g->result.pending,
                                       .gate = &g->result.findings,
                                       .bytes = facts.bytes,
                                       .limit_ms = g->ctx->settings->rehearse_limit_ms,
                                       .limit_name = "rehearse-limit"};
    struct rehearsal_outlook o = rehearse_outlook(a, &look, db);
    log_info("a deploy: %s", rehearsal_outlook_line(a, &o));
}

static bool check(struct gating *g, struct err *e)
{
    struct arena *a = g->ctx->arena;
    const struct settings *s = g->ctx->settings;
    const struct session_use use = {.application_name = "migsafe gate",
                                    .lock_timeout_ms = LOCK_WAIT_MS,
                                    .query_deadline_ms = QUERY_DEADLINE_MS};
    AUTO(pg) struct pg *db = NULL;
    struct gate_context c = {.project = &g->project,
                             .folder = &g->folder,
                             .base = g->base,
                             .allow = &s->allow,
                             .default_schema = "public"};
    if (s->url == NULL && s->direct_url == NULL) {
        log_info("no database is configured (url): %s, and nothing is counted",
                 g->base != NULL ? "pending is what the base lacks"
                                 : "pending is what no commit has, without git everything");
        return gate_check(a, &c, &g->result, e);
    }
    if (!cmd_site(g->ctx, &g->site, e))
        return false;
    tell_open_run(g);
    db = connection_open(&g->site.live, &use, e);
    if (db == NULL || !prisma_state_read(a, &g->project, &g->site.live, db, &g->state, e))
        return false;
    g->database = g->site.live.dbname;
    g->folder = g->state.folder;
    c.state = &g->state;
    c.db = db;
    c.default_schema = g->site.live.schema;
    if (!gate_check(a, &c, &g->result, e) || !add_health(g, &c, e))
        return false;
    say_rehearsal(g, db);
    return true;
}

static const char *folder_of_variable(struct arena *a, const char *variable)
{
    const char *value = getenv(variable);
    return value == NULL || value[0] == '\0' ? NULL : fs_absolute(a, value);
}

static void print_result(struct gating *g, const char *format)
{
    struct arena *a = g->ctx->arena;
    struct err ignored = {0};
    AUTO(repo) struct repo *repo = repo_open(fs_absolute(a, g->project.root), &ignored);
    const char *top = repo == NULL ? NULL : repo_top(repo);
    const struct gate_output output = {
        .ctx = g->ctx,
        .result = &g->result,
        .root = g->project.root,
        .top = top == NULL ? NULL : arena_strndup(a, top, strlen(top) - 1),
        .workspace = folder_of_variable(a, "GITHUB_WORKSPACE"),
        .base = g->base,
        .database = g->database,
    };
    if (strcmp(format, "json") == 0)
        gate_print_json(&output);
    else if (strcmp(format, "github") == 0)
        gate_print_github(&output);
    else
        gate_print_text(&output);
}

static bool check_format(struct cmd_context *ctx, const char **format, struct err *e)
{
    if (*format == NULL)
        *format = ctx->json ? "json" : "text";
    bool json = strcmp(*format, "json") == 0;
    if (!json && strcmp(*format, "text") != 0 && strcmp(*format, "github") != 0)
        return err_set(e, ERR_USAGE, "unrecognized format \"%s\": text, json or github", *format);
    if (ctx->json && !json)
        return err_set(e, ERR_USAGE, "--json and --format %s exclude each other", *format);
    ctx->json = json;
    return true;
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct gating g = {.ctx = ctx};
    const char *format = NULL;
    bool list = false;
    const struct opt opts[] = {
        {"base", OPT_TEXT, &g.base, "REF",
         "compare with that branch, tag or commit; a database is a stand-in then"},
        {"format", OPT_TEXT, &format, "FORMAT", "text, json, or github (annotations)"},
        {"list", OPT_FLAG, &list, NULL, "print the rules, as Markdown"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e) || !check_format(ctx, &format, e))
        return false;
    if (list) {
        gate_list(ctx->out);
        return true;
    }
    if (str_same(g.base, ""))
        return err_set(e, ERR_USAGE, "option --base names no branch, tag or commit");
    if (!read_project(&g, e))
        return false;
    if (g.base == NULL)
        g.base = default_base(ctx->arena, &g.project);
    if (!check(&g, e))
        return false;
    print_result(&g, format);
    return findings_errors(&g.result.findings) == 0 ||
           err_set(e, ERR_UNSAFE, "%s", gate_summary(ctx->arena, &g.result));
}

const struct command cmd_gate = {
    .name = "gate",
    .args = "",
    .summary = "what speaks against the pending migrations, before anything is applied",
    .details =
        "Compares folder, ledger and git, and reads the SQL of the pending migrations.  Without a\n"
        "database nothing can be counted; with a base (--base, else what GitHub or GitLab name) "
        "the\n"
        "database is a stand-in for production.  Exit status 10 when a finding is an error that "
        "is\n"
        "not allowed (setting allow, or lines \"-- migsafe: allow RULE TARGET\" in the "
        "migration).\n"
        "docs/GATE.md lists the rules.",
    .run = run,
};
