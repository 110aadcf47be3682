#include "base/log.h"
#include "cmd/cmd.h"
#include "cmd/progress_line.h"
#include "core/hook/hook.h"
#include "steps/deploy.h"
#include "steps/plan.h"

static bool print_plan(struct cmd_context *ctx, struct err *e)
{
    struct err hooks = {0};
    if (!hooks_check(ctx->arena, ctx->settings, &hooks)) {
        err_wrap(&hooks, "a deploy would be refused");
        log_err_as(LOG_WARNING, &hooks);
    }
    AUTO(json) struct json *plan = deploy_plan(ctx->arena, ctx->settings, e);
    if (plan == NULL)
        return false;
    if (ctx->json)
        cmd_print(ctx, TAKE(plan));
    else
        deploy_plan_print(ctx->arena, plan, ctx->out);
    return true;
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct deploy_options options = {0};
    struct run_report report;
    bool dry_run = false, verbose = false;
    const struct opt opts[] = {
        {"dry-run", OPT_FLAG, &dry_run, NULL, "print the plan and change nothing"},
        {"again", OPT_FLAG, &options.again, NULL,
         "also when the same migrations failed before for a permanent cause"},
        {"verbose", OPT_FLAG, &verbose, NULL, "a line in the log for every table"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e))
        return false;
    if (dry_run)
        return print_plan(ctx, e);

    struct progress_line line = progress_line_new(ctx->settings, verbose);
    options.progress = progress_line_of(&line);
    bool ok = deploy(ctx->arena, ctx->settings, &options, &report, e);
    progress_line_end(&line);
    ctx->acted = true;
    if (report.verdict == NULL)
        return ok; /* no run was begun: the error says it all */
    if (ctx->json)
        cmd_print(ctx, report_json(&report));
    else if (strcmp(report.verdict, "nothing-to-do") == 0)
        fprintf(ctx->out, "nothing to do: no migration is pending\n");
    else
        fputs(report_text(ctx->arena, &report), ctx->out);
    return ok;
}

const struct command cmd_deploy = {
    .name = "deploy",
    .args = "",
    .summary = "back up, migrate, check, and restore when something failed",
    .details = "Runs `prisma migrate deploy` so that the database ends either wholly migrated and "
               "healthy,\n"
               "or wholly as it was.  Exit status: 0 migrated or nothing to do, 10 or 11 refused, "
               "20 failed\n"
               "and restored, 21 failed and nothing had changed, 22 a person must decide.",
    .run = run,
};
