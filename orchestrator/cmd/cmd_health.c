#include "base/log.h"
#include "cmd/cmd.h"
#include "core/backup/store.h"
#include "core/health/dataloss.h"
#include "core/health/health.h"
#include "core/journal.h"
#include "core/prisma/project.h"
#include "core/report/report.h"
#include "core/site.h"

enum { QUERY_DEADLINE_MS = 10 * 60 * 1000 };

struct health_options {
    const char *since; /* a backup; NULL: not asked for */
    bool after_deploy;
};

struct checking {
    struct cmd_context *ctx;
    struct site site;
    const struct ledger *ledger; /* NULL: the database has none */
    struct migration_list folder;
    bool has_folder;
    struct history history;
    struct findings found;
};

/* Without a folder the ledger still knows what failed. */
static bool read_folder(struct checking *c, struct err *e)
{
    struct arena *a = c->ctx->arena;
    const struct settings *s = c->ctx->settings;
    struct prisma_project project;
    c->has_folder = prisma_project_find(a, s->project, s->schema, &project, e) &&
                    migrations_read(a, project.migrations, &c->folder, e);
    if (c->has_folder)
        return true;
    if (e->kind != ERR_NOT_FOUND)
        return err_wrap(e, "could not read the migrations");
    log_info("no migrations folder found in \"%s\": only failed migrations are looked for",
             s->project);
    *e = (struct err){0};
    return true;
}

static bool read_history(struct checking *c, struct pg *db, struct err *e)
{
    struct arena *a = c->ctx->arena;
    struct ledgers all;
    if (!read_folder(c, e) || !ledgers_read(a, db, &all, e))
        return false;
    c->ledger = ledgers_main(&all, c->site.live.schema, c->site.live.schema_given);
    c->history = history_compare(a, &c->folder, c->ledger);
    if (!c->has_folder) {
        struct strlist failed = c->history.failed;
        struct migration_list none = {0};
        c->history = history_compare(a, &none, NULL);
        c->history.failed = failed;
    }
    return true;
}

/* The migrations applied since the backup was taken: what they touch, and what they allow. */
static size_t effects_since(struct checking *c, const struct manifest *before,
                            struct effects *effects)
{
    struct arena *a = c->ctx->arena;
    size_t count = 0;
    const struct ledger *then =
        ledgers_main(&before->ledgers, c->site.live.schema, c->site.live.schema_given);
    struct migration_list none = {0};
    struct history was = history_compare(a, &none, then);
    for (size_t i = 0; i < c->history.applied.count; i++) {
        const char *name = c->history.applied.items[i];
        const struct migration *m = migration_find(&c->folder, name);
        if (m != NULL && m->sql != NULL && !strlist_has(&was.applied, name))
            effects[count++] = effects_of(a, m->sql);
    }
    return count;
}

static bool compare_since(struct checking *c, struct pg *db, const char *id, struct err *e)
{
    struct arena *a = c->ctx->arena;
    struct stored backup;
    if (!store_find(a, c->ctx->settings->backup_dir, id, &backup, e))
        return false;
    struct effects *effects = arena_array(a, c->history.applied.count + 1, sizeof(*effects));
    const struct dataloss_context context = {
        .db = db,
        .before = &backup.manifest,
        .effects = effects,
        .effect_count = effects_since(c, &backup.manifest, effects),
        .default_schema = c->site.live.schema,
    };
    return dataloss_check(a, &context, &c->found, e);
}

/* The report of the newest deploy on this database; it may be gone. */
static bool last_deploy(struct checking *c, struct run_report *r)
{
    struct arena *a = c->ctx->arena;
    const char *state_dir = c->ctx->settings->state_dir;
    struct strlist runs;
    struct err ignored = {0};
    if (!journal_list(a, state_dir, &runs, &ignored))
        return false;
    for (size_t i = runs.count; i-- > 0;)
        if (report_read(a, state_dir, runs.items[i], r, &ignored) &&
            str_same(r->command, "deploy") && str_same(r->database, c->site.live.dbname))
            return true;
    return false;
}

/* What that deploy found before it began does not count. */
static void acknowledge_baseline(struct checking *c)
{
    struct run_report r;
    if (!last_deploy(c, &r))
        return;
    for (size_t i = 0; i < c->found.count; i++) {
        struct finding *item = &c->found.items[i];
        if (item->allowed || !findings_have(&r.baseline, item->rule, item->target))
            continue;
        item->allowed = true;
        item->allowed_by = arena_printf(c->ctx->arena, "deploy %s, which found it already", r.run);
    }
}

/* Lines of applied migrations count too: what they allow is why the database is as it is. */
static void acknowledge(struct checking *c)
{
    struct arena *a = c->ctx->arena;
    findings_allow(&c->found, &c->ctx->settings->allow, "setting allow");
    for (size_t i = 0; i < c->folder.count; i++) {
        const struct migration *m = &c->folder.items[i];
        if (m->sql == NULL || !strlist_has(&c->history.applied, m->name))
            continue;
        struct strlist words = findings_allow_lines(a, m->sql);
        findings_allow(&c->found, &words, arena_printf(a, "migration %s", m->name));
    }
}

static bool check(struct checking *c, const struct health_options *options, struct err *e)
{
    struct arena *a = c->ctx->arena;
    if (!site_read(a, c->ctx->settings, &c->site, e))
        return false;
    const struct session_use use = {.query_deadline_ms = QUERY_DEADLINE_MS};
    AUTO(pg) struct pg *db = connection_open(&c->site.live, &use, e);
    if (db == NULL || !read_history(c, db, e))
        return false;
    c->found = findings_on(a);
    c->found.default_schema = c->site.live.schema;
    const struct health_context context = {
        .db = db, .history = &c->history, .deploy = options->after_deploy};
    if (!health_check(a, &context, &c->found, e) ||
        (options->since != NULL && !compare_since(c, db, options->since, e)))
        return false;
    acknowledge(c);
    if (options->after_deploy)
        acknowledge_baseline(c);
    return true;
}

static void print_result(struct checking *c)
{
    struct cmd_context *ctx = c->ctx;
    int64_t errors = (int64_t)findings_errors(&c->found);
    int64_t warnings = (int64_t)findings_warnings(&c->found);
    if (!ctx->json) {
        findings_print(&c->found, ctx->out);
        fprintf(ctx->out, "%s: %s, %s\n", errors == 0 ? "healthy" : "unhealthy",
                str_plural(ctx->arena, errors, "error", "errors"),
                str_plural(ctx->arena, warnings, "warning", "warnings"));
        return;
    }
    struct json *j = json_object();
    findings_json(&c->found, json_put_array(j, "findings"));
    json_put_int(j, "errors", errors);
    json_put_int(j, "warnings", warnings);
    json_put_bool(j, "migrations_folder", c->has_folder);
    cmd_print(ctx, j);
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    bool list = false;
    struct health_options options = {0};
    const struct opt opts[] = {
        {"since", OPT_TEXT, &options.since, "ID", "also what was lost since that backup"},
        {"after-deploy", OPT_FLAG, &options.after_deploy, NULL,
         "judge as a deploy does: what the last one found before it does not count"},
        {"list", OPT_FLAG, &list, NULL, "print what is checked, as Markdown"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e))
        return false;
    if (list) {
        health_list(ctx->out);
        return true;
    }
    struct checking c = {.ctx = ctx};
    if (!check(&c, &options, e))
        return false;
    print_result(&c);
    size_t errors = findings_errors(&c.found);
    return errors == 0 || err_set(e, ERR_UNHEALTHY, "the database is not healthy: %s",
                                  str_plural(ctx->arena, (int64_t)errors, "error", "errors"));
}

const struct command cmd_health = {
    .name = "health",
    .args = "",
    .summary = "is the database sound? indexes, constraints, sequences, migrations",
    .details =
        "Exit status 12 when a finding is an error that is not allowed (setting allow, or "
        "lines\n"
        "\"-- migsafe: allow RULE TARGET\" in applied migrations).  docs/HEALTH.md lists the "
        "checks.",
    .run = run,
};
