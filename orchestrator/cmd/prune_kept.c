#include "cmd/prune_kept.h"

#include "core/restore/side.h"

struct kept {
    struct side_database *items;
    size_t count;
};

static bool find_kept(struct cmd_context *ctx, struct pg *maintenance, const char *live,
                      struct kept *kept, struct err *e)
{
    struct side_database *all;
    size_t count;
    if (!side_list(ctx->arena, maintenance, live, &all, &count, e))
        return false;
    *kept = (struct kept){.items = all};
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].purpose, "kept") == 0)
            kept->items[kept->count++] = all[i];
    return true;
}

static void print(struct cmd_context *ctx, const struct kept *kept, bool dry)
{
    struct json *j = json_object(), *list = json_put_array(j, "kept_databases");
    json_put_bool(j, "dry_run", dry);
    for (size_t i = 0; i < kept->count; i++) {
        const struct side_database *d = &kept->items[i];
        struct json *item = json_push_object(list);
        json_put(item, "name", d->name);
        json_put(item, "run", d->run);
        json_put(item, "made_at", d->made_at);
        json_put_int(item, "bytes", d->bytes);
        if (!ctx->json)
            fprintf(ctx->out, "%s  %s  of %s, %s\n", dry ? "would drop" : "dropped", d->name,
                    d->made_at, str_bytes(ctx->arena, d->bytes));
    }
    if (kept->count == 0 && !ctx->json)
        fprintf(ctx->out, "no kept databases\n");
    if (ctx->json)
        cmd_print(ctx, j);
    else
        json_free(j);
}

static bool confirm(struct cmd_context *ctx, const struct kept *kept, const char *live, bool yes,
                    struct err *e)
{
    int64_t bytes = 0;
    for (size_t i = 0; i < kept->count; i++)
        bytes += kept->items[i].bytes > 0 ? kept->items[i].bytes : 0;
    const char *question = arena_printf(
        ctx->arena, "%s of \"%s\" (%s) will be dropped for good, with all that only they hold.",
        str_plural(ctx->arena, (int64_t)kept->count, "kept database", "kept databases"), live,
        str_bytes(ctx->arena, bytes));
    return cmd_confirm(ctx, yes, question, live, e);
}

bool prune_kept(struct cmd_context *ctx, const struct site *site, bool dry, bool yes, struct err *e)
{
    struct kept kept;
    const char *live = site->live.dbname;
    AUTO(pg) struct pg *maintenance = site_open_maintenance(site, ctx->settings, NULL, e);
    if (maintenance == NULL || !find_kept(ctx, maintenance, live, &kept, e))
        return false;
    if (kept.count > 0 && !dry && !confirm(ctx, &kept, live, yes, e))
        return false;
    for (size_t i = 0; i < kept.count && !dry; i++)
        if (!side_drop(ctx->arena, maintenance, kept.items[i].name, e))
            return err_wrap(e, "could not drop kept database \"%s\"", kept.items[i].name);
    print(ctx, &kept, dry);
    return true;
}
