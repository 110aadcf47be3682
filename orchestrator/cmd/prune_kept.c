#include "cmd/prune_kept.h"

#include "base/log.h"
#include "core/restore/side.h"

struct kept {
    struct side_database *items;
    bool *dropped;
    size_t count;
};

/* By their marks, never by name; and only with live in its place: without it a kept database may be
 * all there is. */
static bool find_kept(struct cmd_context *ctx, struct pg *db, const char *live, struct kept *kept,
                      struct err *e)
{
    struct side_database *all;
    struct database_facts facts;
    size_t count;
    if (!database_read(ctx->arena, db, live, &facts, e) ||
        !side_list(ctx->arena, db, live, &all, &count, e))
        return false;
    *kept = (struct kept){.items = arena_array(ctx->arena, count + 1, sizeof(*kept->items)),
                          .dropped = arena_array(ctx->arena, count + 1, sizeof(bool))};
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].purpose, "kept") == 0 && strcmp(all[i].name, live) != 0)
            kept->items[kept->count++] = all[i];
    return true;
}

static bool confirm(struct cmd_context *ctx, const char *live, const struct kept *kept, bool yes,
                    struct err *e)
{
    struct strlist names = strlist_on(ctx->arena);
    for (size_t i = 0; i < kept->count; i++)
        strlist_printf(
            &names, "  %s, of %s%s", kept->items[i].name, kept->items[i].made_at,
            kept->items[i].bytes < 0
                ? ""
                : arena_printf(ctx->arena, ", %s", str_bytes(ctx->arena, kept->items[i].bytes)));
    const char *question = arena_printf(
        ctx->arena,
        "This drops for good what was replaced by a restored database, with all that was written\n"
        "to it since its backup:\n%s",
        strlist_join(&names, "\n"));
    return cmd_confirm(ctx, yes, question, live, e);
}

static bool drop_all(struct cmd_context *ctx, struct pg *db, struct kept *kept, struct err *e)
{
    struct err later = {0};
    bool ok = true;
    for (size_t i = 0; i < kept->count; i++) {
        kept->dropped[i] = side_drop(ctx->arena, db, kept->items[i].name, ok ? e : &later);
        ok = ok && kept->dropped[i];
        if (kept->dropped[i])
            log_info("dropped database \"%s\"", kept->items[i].name);
    }
    return ok;
}

static void print_kept(struct cmd_context *ctx, const char *live, const struct kept *kept, bool dry)
{
    struct json *j = json_object(), *list = json_put_array(j, "databases");
    json_put_bool(j, "dry_run", dry);
    for (size_t i = 0; i < kept->count; i++) {
        const struct side_database *k = &kept->items[i];
        struct json *one = json_push_object(list);
        json_put(one, "name", k->name);
        json_put(one, "database", k->live);
        json_put(one, "run", k->run);
        json_put(one, "made_at", k->made_at);
        json_put_int(one, "bytes", k->bytes);
        json_put_bool(one, "dropped", kept->dropped[i]);
        if (!ctx->json)
            fprintf(ctx->out, "%s  %s\n",
                    kept->dropped[i] ? "dropped"
                    : dry            ? "would drop"
                                     : "not dropped",
                    k->name);
    }
    if (!ctx->json && kept->count == 0)
        fprintf(ctx->out, "no database is kept of \"%s\"\n", live);
    if (ctx->json)
        cmd_print(ctx, j);
    else
        json_free(j);
}

bool prune_kept(struct cmd_context *ctx, const struct site *site, bool yes, bool dry, struct err *e)
{
    const char *live = site->live.dbname;
    struct kept kept;
    AUTO(pg) struct pg *db = site_open_maintenance(site, ctx->settings, "migsafe prune", e);
    if (db == NULL || !find_kept(ctx, db, live, &kept, e))
        return false;
    bool acts = !dry && kept.count > 0;
    if (acts && !confirm(ctx, live, &kept, yes, e))
        return false;
    bool ok = !acts || drop_all(ctx, db, &kept, e);
    print_kept(ctx, live, &kept, dry);
    return ok;
}
