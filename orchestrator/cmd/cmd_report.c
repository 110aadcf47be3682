#include "cmd/cmd.h"
#include "core/journal.h"
#include "core/report/report.h"

static bool find_run(struct cmd_context *ctx, const struct strlist *args, const char **run,
                     struct err *e)
{
    struct strlist runs;
    const char *state_dir = ctx->settings->state_dir;
    if (!journal_list(ctx->arena, state_dir, &runs, e))
        return false;
    if (args->count == 0 && runs.count == 0)
        return err_set(e, ERR_NOT_FOUND, "there is no run in \"%s\" yet", state_dir);
    *run = args->count > 0 ? args->items[0] : runs.items[runs.count - 1];
    return strlist_has(&runs, *run) ||
           err_set(e, ERR_NOT_FOUND, "no such run in \"%s\": %s", state_dir, *run);
}

/* What is known of a run that did not come to write its report. */
static bool from_journal(struct arena *a, const char *state_dir, const char *run,
                         struct run_report *r, struct err *e)
{
    struct journal_run j = {0};
    if (!journal_read(a, state_dir, run, &j, e))
        return false;
    AUTO(json) struct json *records = j.records;
    *r = report_new(a, run, j.command == NULL ? "run" : j.command);
    r->started_at = j.started_at;
    r->finished_at = j.ended_at;
    r->verdict = j.verdict;
    r->exit_status = j.exit_status;
    r->migsafe_version = NULL;
    strlist_printf(&r->warnings, "no report was written; the last of %s: %s %s at %s",
                   str_plural(a, (int64_t)json_count(records), "record", "records"),
                   j.last_step == NULL ? "run" : j.last_step,
                   j.last_event == NULL ? "?" : j.last_event,
                   j.ended_at == NULL ? "?" : j.ended_at);
    if (j.verdict == NULL)
        r->next = "If it does not run any more: `migsafe recover` finishes or undoes it; the next "
                  "`migsafe deploy` does so by itself.";
    return true;
}

static bool print_report(struct cmd_context *ctx, const struct run_report *r, const char *format,
                         struct err *e)
{
    if (ctx->json || strcmp(format, "json") == 0)
        cmd_print(ctx, report_json(r));
    else if (strcmp(format, "markdown") == 0)
        fputs(report_markdown(ctx->arena, r), ctx->out);
    else if (strcmp(format, "text") == 0)
        fputs(report_text(ctx->arena, r), ctx->out);
    else
        return err_set(e, ERR_USAGE, "unrecognized format \"%s\": text, markdown or json", format);
    return true;
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    const char *format = "text", *id = NULL;
    const struct opt opts[] = {
        {"format", OPT_TEXT, &format, "FORMAT", "text, markdown or json (default: text)"},
    };
    struct run_report r;
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e) || !find_run(ctx, &args, &id, e))
        return false;
    const char *state_dir = ctx->settings->state_dir;
    if (!report_read(ctx->arena, state_dir, id, &r, e)) {
        if (e->kind != ERR_NOT_FOUND)
            return false;
        *e = (struct err){0};
        if (!from_journal(ctx->arena, state_dir, id, &r, e))
            return false;
    }
    return print_report(ctx, &r, format, e);
}

const struct command cmd_report = {
    .name = "report",
    .args = "[RUN]",
    .summary = "what happened in a run, by default the newest",
    .max_args = 1,
    .run = run,
};
