#include "base/clock.h"
#include "base/random.h"
#include "cmd/cmd.h"
#include "cmd/progress_line.h"
#include "steps/recover.h"

static void put_list(struct json *to, const char *key, const struct strlist *list)
{
    struct json *items = json_put_array(to, key);
    for (size_t i = 0; i < list->count; i++)
        json_push(items, list->items[i]);
}

static void put_run(const struct recovered *r, struct json *to)
{
    json_put(to, "run", r->run);
    json_put(to, "command", r->command);
    json_put(to, "stage", r->stage);
    json_put(to, "action", r->action);
    json_put(to, "verdict", r->verdict);
    json_put(to, "decision", r->decision);
    json_put_int(to, "exit", r->exit_status);
    json_put(to, "why", r->why);
    json_put(to, "facts", r->facts);
    put_list(to, "ways", &r->ways);
    put_list(to, "cleared", &r->cleared);
    json_put(to, "backup", r->backup);
    json_put(to, "kept_database", r->kept_database);
    json_put_err(to, "error", &r->error);
}

static void print_json(struct cmd_context *ctx, const struct recovered_list *done, bool dry_run)
{
    struct json *j = json_object(), *runs = json_put_array(j, "runs");
    json_put_bool(j, "dry_run", dry_run);
    for (size_t i = 0; i < done->count; i++)
        put_run(&done->items[i], json_push_object(runs));
    put_list(j, "cleared", &done->cleared);
    put_list(j, "left_over", &done->strange);
    cmd_print(ctx, j);
}

static void print_run(struct cmd_context *ctx, const struct recovered *r, bool dry_run)
{
    const char *verdict = r->verdict == NULL ? "not at its end yet" : r->verdict;
    if (r->decision != NULL)
        fprintf(ctx->out, "run %s (%s): closed, as decided: %s\n", r->run, r->command,
                strcmp(r->decision, "keep") == 0 ? "the database stays as it is"
                                                 : "the backup is restored");
    else
        fprintf(ctx->out, "run %s (%s): %s%s\n", r->run, r->command, dry_run ? "would be " : "",
                verdict);
    fprintf(ctx->out, "  it stopped: %s\n", r->stage);
    if (dry_run)
        fprintf(ctx->out, "  would do: %s\n", r->action);
    if (r->why != NULL)
        fprintf(ctx->out, "  why: %s%s%s\n", r->why, r->facts == NULL || !r->facts[0] ? "" : " ",
                r->facts == NULL ? "" : r->facts);
    for (size_t i = 0; i < r->cleared.count; i++)
        fprintf(ctx->out, "  cleared: %s\n", r->cleared.items[i]);
    if (r->kept_database != NULL)
        fprintf(ctx->out, "  what was live is kept as: %s\n", r->kept_database);
    for (size_t i = 0; i < r->ways.count; i++)
        fprintf(ctx->out, "  %s\n", r->ways.items[i]);
}

static void print_text(struct cmd_context *ctx, const struct recovered_list *done, bool dry_run)
{
    for (size_t i = 0; i < done->count; i++)
        print_run(ctx, &done->items[i], dry_run);
    for (size_t i = 0; i < done->strange.count; i++)
        fprintf(ctx->out, "left by a run that no journal tells of: %s\n", done->strange.items[i]);
    for (size_t i = 0; i < done->cleared.count; i++)
        fprintf(ctx->out, "of a run that has its end, %scleared: %s\n", dry_run ? "would be " : "",
                done->cleared.items[i]);
    if (done->count == 0 && done->cleared.count == 0 && done->strange.count == 0)
        fputs("nothing to recover: every run has its end\n", ctx->out);
}

/* The exit status says how the newest one ended. */
static bool verdict(const struct recovered_list *done, struct err *e)
{
    if (done->count == 0 || done->items[0].error.kind == ERR_NONE)
        return true;
    *e = done->items[0].error;
    return false;
}

static bool recover(struct cmd_context *ctx, struct recover_spec *spec, struct err *e)
{
    struct recovered_list done = {.cleared = strlist_on(ctx->arena),
                                  .strange = strlist_on(ctx->arena)};
    const char *id =
        arena_printf(ctx->arena, "%s_%s", clock_stamp(ctx->arena), random_hex(ctx->arena, 4));
    AUTO(runlock) struct runlock *lock = NULL;
    if (!spec->dry_run) {
        lock = runlock_take(ctx->arena, spec->site, ctx->settings, id, "recover", e);
        if (lock == NULL)
            return false;
    }
    spec->lock = lock;
    bool ok = recover_runs(ctx->arena, spec, &done, e);
    if (!ok && (done.count == 0 || e->kind != ERR_BROKEN))
        return false;
    if (ctx->json)
        print_json(ctx, &done, spec->dry_run);
    else
        print_text(ctx, &done, spec->dry_run);
    return ok && (spec->dry_run || verdict(&done, e));
}

static bool check_flags(const struct recover_spec *spec, bool keep, bool restore, struct err *e)
{
    if (keep && restore)
        return err_set(e, ERR_USAGE, "--keep and --restore exclude each other");
    if ((keep || restore) && spec->run == NULL) {
        err_set(e, ERR_USAGE, "%s needs the RUN that it is about", keep ? "--keep" : "--restore");
        err_hint(e, "\"migsafe recover\" names it.");
        return false;
    }
    return true;
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    bool keep = false, restore = false, verbose = false;
    struct recover_spec spec = {.settings = ctx->settings};
    const struct opt opts[] = {
        {"dry-run", OPT_FLAG, &spec.dry_run, NULL, "say what would be done, and change nothing"},
        {"keep", OPT_FLAG, &keep, NULL,
         "a decision: the database is right as it is now, the run is closed"},
        {"restore", OPT_FLAG, &restore, NULL,
         "a decision: the run's backup takes its place, what is there now is kept beside"},
        {"verbose", OPT_FLAG, &verbose, NULL, "a line in the log for every table"},
    };
    struct site site;
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e))
        return false;
    spec.run = args.count > 0 ? args.items[0] : NULL;
    spec.decision = keep ? DECIDE_KEEP : restore ? DECIDE_RESTORE : DECIDE_NOTHING;
    if (!check_flags(&spec, keep, restore, e) || !cmd_site(ctx, &site, e))
        return false;
    struct progress_line line = progress_line_new(ctx->settings, verbose);
    spec.site = &site;
    spec.progress = progress_line_of(&line);
    bool ok = recover(ctx, &spec, e);
    ctx->acted = !spec.dry_run;
    progress_line_end(&line);
    return ok;
}

const struct command cmd_recover = {
    .name = "recover",
    .args = "[RUN]",
    .summary = "finish or undo what a run that died has left; deploy and restore do it first",
    .details =
        "The journal says what the run meant to do, server and disk say what is true: it is "
        "finished, undone,\n"
        "or, where that could destroy later work, left alone: then both ways are named, and a "
        "person decides\n"
        "by --keep or --restore.  Until then nothing is deployed.  docs/RECOVER.md has the table.\n"
        "Exit status: 0 migrated, restored as a restore was asked to, or nothing to recover; 20 "
        "restored; 21 as it\n"
        "was; 22 a person must decide; 69 the server does not answer, nothing was changed.",
    .max_args = 1,
    .run = run,
};
