#include "base/fs.h"
#include "cmd/cmd.h"
#include "core/init/init.h"

static bool read_ci(const char *word, enum init_ci *ci, struct err *e)
{
    static const char *const words[] = {
        [INIT_CI_GITHUB] = "github",
        [INIT_CI_GITLAB] = "gitlab",
        [INIT_CI_NONE] = "none",
    };
    *ci = INIT_CI_BY_FILES;
    if (word == NULL)
        return true;
    for (size_t i = INIT_CI_GITHUB; i < ARRAY_LEN(words); i++)
        if (strcmp(word, words[i]) == 0) {
            *ci = (enum init_ci)i;
            return true;
        }
    return err_set(e, ERR_USAGE, "--ci is github, gitlab or none, not \"%s\"", word);
}

static void put_files(struct cmd_context *ctx, const struct init_plan *plan, bool written,
                      struct json *to)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct init_file *file = &plan->files[i];
        if ((file->text != NULL) != written)
            continue;
        struct json *j = json_push_object(to);
        json_put(j, "path", file->shown);
        json_put(j, written ? "what" : "why", file->note);
        if (file->keep != NULL)
            json_put(j, "kept", fs_relative(ctx->arena, plan->folder, file->keep));
    }
}

static void print_json(struct cmd_context *ctx, const struct init_plan *plan, bool dry_run)
{
    struct json *j = json_object();
    json_put(j, "folder", plan->folder);
    json_put_bool(j, "dry_run", dry_run);
    put_files(ctx, plan, true, json_put_array(j, "written"));
    put_files(ctx, plan, false, json_put_array(j, "left"));
    struct json *next = json_put_array(j, "next");
    for (size_t i = 0; i < plan->next.count; i++)
        json_push(next, plan->next.items[i]);
    cmd_print(ctx, j);
}

static void print_text(struct cmd_context *ctx, const struct init_plan *plan, bool dry_run)
{
    int widest = 0, verb = dry_run ? 11 : 5;
    for (size_t i = 0; i < plan->count; i++)
        if ((int)strlen(plan->files[i].shown) > widest)
            widest = (int)strlen(plan->files[i].shown);
    fprintf(ctx->out, "in %s\n", plan->folder);
    for (size_t i = 0; i < plan->count; i++) {
        const struct init_file *file = &plan->files[i];
        const char *done = file->text == NULL ? "left" : dry_run ? "would write" : "wrote";
        fprintf(ctx->out, "  %-*s %-*s  %s\n", verb, done, widest, file->shown, file->note);
        if (file->keep != NULL)
            fprintf(ctx->out, "  %-*s %-*s  the former one is kept as %s\n", verb, "", widest, "",
                    fs_relative(ctx->arena, plan->folder, file->keep));
    }
    fputs("\nnext:\n", ctx->out);
    for (size_t i = 0; i < plan->next.count; i++)
        fprintf(ctx->out, "  %zu. %s\n", i + 1, plan->next.items[i]);
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    bool dry_run = false;
    const char *ci = NULL;
    struct init_wish wish = {.settings = ctx->settings};
    struct init_plan plan;
    const struct opt opts[] = {
        {"dry-run", OPT_FLAG, &dry_run, NULL, "say what would be written, and write nothing"},
        {"force", OPT_FLAG, &wish.force, NULL,
         "files of migsafe's and its npm scripts anew; what was there is kept as NAME.bak"},
        {"ci", OPT_TEXT, &ci, "WHICH",
         "CI file: github, gitlab or none (default: by .github or .gitlab-ci.yml)"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e) || !read_ci(ci, &wish.ci, e) ||
        !init_plan(ctx->arena, &wish, &plan, e))
        return false;
    if (!dry_run && !init_write(ctx->arena, &plan, e))
        return false;
    if (ctx->json)
        print_json(ctx, &plan, dry_run);
    else
        print_text(ctx, &plan, dry_run);
    return true;
}

const struct command cmd_init = {
    .name = "init",
    .args = "",
    .summary = "set up the Prisma project in this folder: settings, npm scripts, make, CI",
    .details =
        "Writes migsafe.json and its schema, npm scripts into package.json, make targets\n"
        "(scripts/db.mk, included by the Makefile), deploy.sh where there is a compose file,\n"
        "a CI file, and the backups into .gitignore.  What is there is left as it is and told;\n"
        "in package.json, Makefile and .gitignore no other byte changes.  A second run\n"
        "changes nothing.  Needs no database.",
    .run = run,
};
