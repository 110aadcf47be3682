#include "cmd/backup_output.h"
#include "cmd/cmd.h"

enum { COLUMNS = 8 };

static void add_row(struct arena *a, const struct retention_choice *choice, struct strlist *cells)
{
    const struct stored *s = choice->backup;
    const struct manifest *m = &s->manifest;
    struct store_id id;
    bool damaged = s->damage != NULL;
    strlist_add(cells, s->id);
    strlist_add(cells, store_id_parse(a, s->id, &id) ? id.kind : "?");
    strlist_add(cells, damaged ? "damaged" : one_line(a, m->reason));
    strlist_add(cells, backup_age(a, s->taken_at));
    strlist_add(cells, damaged ? "?" : str_bytes(a, m->bytes));
    strlist_add(cells, damaged ? "?" : str_count(a, manifest_rows(m)));
    strlist_add(cells, damaged ? "-" : backup_verified(a, m));
    strlist_printf(
        cells, "%s%s%s",
        damaged ? one_line(a, s->damage)
                : arena_printf(a, "%s%s", choice->keep ? "" : "to be removed: ", choice->why),
        m->label == NULL ? "" : "; ", m->label == NULL ? "" : one_line(a, m->label));
}

static void print_text(struct cmd_context *ctx, const struct retention_choice *choices,
                       size_t count)
{
    static const char *const head[COLUMNS] = {"ID",   "KIND", "REASON",   "AGE",
                                              "SIZE", "ROWS", "VERIFIED", "KEPT"};
    struct strlist cells = strlist_on(ctx->arena);
    if (count == 0) {
        fprintf(ctx->out, "no backups in \"%s\"\n", ctx->settings->backup_dir);
        return;
    }
    for (size_t i = 0; i < COLUMNS; i++)
        strlist_add(&cells, head[i]);
    for (size_t i = 0; i < count; i++)
        add_row(ctx->arena, &choices[i], &cells);
    print_table(&cells, COLUMNS, ctx->out);
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct store store;
    if (!cmd_parse(ctx, NULL, 0, &args, e) ||
        !store_read(ctx->arena, ctx->settings->backup_dir, &store, e))
        return false;
    const struct retention rules = retention_of(ctx->settings);
    const struct retention_choice *choices = retention_decide(ctx->arena, &store, NULL, &rules);
    if (!ctx->json) {
        print_text(ctx, choices, store.count);
        return true;
    }
    struct json *j = json_object(), *list = json_put_array(j, "backups");
    for (size_t i = 0; i < store.count; i++)
        backup_json(&store.items[i], &choices[i], json_push_object(list));
    cmd_print(ctx, j);
    return true;
}

const struct command cmd_list = {
    .name = "list",
    .args = "",
    .summary = "list the backups, oldest first, damaged ones too, and why each is kept",
    .run = run,
};
