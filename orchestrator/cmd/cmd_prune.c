#include "cmd/backup_output.h"
#include "cmd/cmd.h"
#include "cmd/prune_kept.h"

static void print_text(struct cmd_context *ctx, const struct retention_choice *choices,
                       size_t count, bool dry)
{
    enum { COLUMNS = 3 };
    struct strlist cells = strlist_on(ctx->arena);
    for (size_t i = 0; i < count; i++) {
        const char *removed = dry ? "would remove" : "removed";
        strlist_add(&cells, choices[i].keep ? "kept" : removed);
        strlist_add(&cells, choices[i].backup->id);
        strlist_add(&cells, choices[i].why);
    }
    if (count == 0)
        fprintf(ctx->out, "no backups in \"%s\"\n", ctx->settings->backup_dir);
    print_table(&cells, COLUMNS, ctx->out);
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct retention_run r = {.dry = false};
    bool kept = false, yes = false;
    const struct opt opts[] = {
        {"dry-run", OPT_FLAG, &r.dry, NULL, "only tell what would be removed, and why"},
        {"kept", OPT_FLAG, &kept, NULL, "instead of backups drop the databases that are kept"},
        {"yes", OPT_FLAG, &yes, NULL, "with --kept: do not ask"},
    };
    struct site site;
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e) || !cmd_site(ctx, &site, e))
        return false;
    if (kept)
        return prune_kept(ctx, &site, yes, r.dry, e);
    r.backup_dir = ctx->settings->backup_dir;
    r.database = site.live.dbname;
    r.rules = retention_of(ctx->settings);
    if (!retention_apply(ctx->arena, &r, e))
        return false;
    if (!ctx->json) {
        print_text(ctx, r.choices, r.store.count, r.dry);
        return true;
    }
    struct json *j = json_object(), *list = json_put_array(j, "backups");
    json_put_bool(j, "dry_run", r.dry);
    for (size_t i = 0; i < r.store.count; i++)
        backup_json(&r.store.items[i], &r.choices[i], json_push_object(list));
    cmd_print(ctx, j);
    return true;
}

const struct command cmd_prune = {
    .name = "prune",
    .args = "",
    .summary = "remove backups of this database that are no longer to be kept",
    .details = "hourly, pre-deploy and post-deploy: the last keep-last of each kind are kept.\n"
               "daily: backup-retention-days. weekly and emergency: 30 days. manual: for ever.\n"
               "Never removed: what is pinned or damaged, and of each kind the newest and the\n"
               "newest verified one.\n\n"
               "With --kept: the databases that a rollback or a restore has replaced and that are\n"
               "kept under another name. Asks for the name of the live database.",
    .run = run,
};
