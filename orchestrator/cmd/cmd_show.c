#include "base/clock.h"
#include "cmd/backup_output.h"
#include "cmd/cmd.h"

static void line(struct cmd_context *ctx, const char *name, const char *text)
{
    if (text != NULL)
        fprintf(ctx->out, "%-16s %s\n", name, one_line(ctx->arena, text));
}

static void show_list(struct cmd_context *ctx, const char *name, const struct strlist *list)
{
    for (size_t i = 0; i < list->count; i++)
        line(ctx, i == 0 ? name : "", list->items[i]);
}

static void show_database(struct cmd_context *ctx, const struct database_facts *f)
{
    struct arena *a = ctx->arena;
    line(ctx, "database", arena_printf(a, "%s, owned by %s", f->name, f->owner));
    line(ctx, "encoding",
         arena_printf(a, "%s, collate %s, ctype %s%s%s", f->encoding, f->collate, f->ctype,
                      f->icu_locale == NULL ? "" : ", ICU ",
                      f->icu_locale == NULL ? "" : f->icu_locale));
    line(ctx, "access rights", f->acl == NULL ? "default" : f->acl);
    line(ctx, "comment", f->comment);
    if (f->connection_limit >= 0)
        line(ctx, "connections", arena_printf(a, "%lld", (long long)f->connection_limit));
    show_list(ctx, "settings", &f->settings);
    show_list(ctx, "of roles", &f->role_settings);
    show_list(ctx, "labels", &f->security_labels);
}

static void show_ledgers(struct cmd_context *ctx, const struct ledgers *all)
{
    for (size_t i = 0; i < all->count; i++) {
        const struct ledger *l = &all->items[i];
        const char *last = l->count == 0 ? "none" : l->rows[l->count - 1].name;
        line(ctx, "ledger",
             arena_printf(ctx->arena, "%s in schema %s, the last: %s",
                          str_plural(ctx->arena, (int64_t)l->count, "row", "rows"), l->schema,
                          last));
    }
}

static void show_origin(struct cmd_context *ctx, const struct manifest *m)
{
    struct arena *a = ctx->arena;
    line(ctx, "taken",
         arena_printf(a, "%s to %s (%s ago)", m->started_at, m->finished_at,
                      backup_age(a, clock_parse_rfc3339(m->started_at))));
    line(ctx, "reason", m->reason);
    line(ctx, "label", m->label);
    line(ctx, "run", m->run);
    line(ctx, "pinned", m->pinned ? "yes" : "no");
    line(ctx, "server",
         m->server == NULL
             ? m->server_version
             : arena_printf(a, "%s, system identifier %s", m->server_version, m->server));
    line(ctx, "pg_dump", m->tool_version);
    line(ctx, "migsafe", m->migsafe_version);
    line(ctx, "snapshot",
         arena_printf(a, "%s, transactions below %s, WAL at %s", m->snapshot, m->snapshot_xmax,
                      m->lsn));
    if (m->git_commit != NULL)
        line(ctx, "git",
             arena_printf(a, "%s%s%s%s", m->git_commit, m->git_branch == NULL ? "" : " on ",
                          m->git_branch == NULL ? "" : m->git_branch,
                          m->git_dirty ? ", with changes" : ""));
    if (m->verified_count == 0)
        line(ctx, "verified", "never");
    for (size_t i = 0; i < m->verified_count; i++)
        line(ctx, i == 0 ? "verified" : "",
             arena_printf(a, "%s at %s: %s", m->verified[i].level, m->verified[i].at,
                          m->verified[i].result));
}

static void show_tables(struct cmd_context *ctx, const struct manifest *m)
{
    enum { COLUMNS = 5 };
    struct arena *a = ctx->arena;
    struct strlist cells = strlist_on(a);
    line(ctx, "sequences", str_count(a, (int64_t)m->sequence_count));
    line(ctx, "large objects", str_count(a, m->large_objects));
    line(ctx, "size",
         arena_printf(a, "%s in %s", str_bytes(a, m->bytes),
                      str_plural(a, (int64_t)m->file_count, "file", "files")));
    line(ctx, "tables",
         arena_printf(a, "%s, %s rows", str_count(a, (int64_t)m->table_count),
                      str_count(a, manifest_rows(m))));
    if (m->table_count == 0)
        return;
    static const char *const head[COLUMNS] = {"TABLE", "ROWS", "COLUMNS", "SIZE", "FILE"};
    for (size_t i = 0; i < COLUMNS; i++)
        strlist_add(&cells, head[i]);
    for (size_t i = 0; i < m->table_count; i++) {
        const struct manifest_table *t = &m->tables[i];
        strlist_add(&cells, one_line(a, arena_printf(a, "%s.%s", t->schema, t->name)));
        strlist_add(&cells, str_count(a, t->rows));
        strlist_printf(&cells, "%zu", t->column_count);
        strlist_add(&cells, t->bytes < 0 ? "-" : str_bytes(a, t->bytes));
        strlist_add(&cells, t->file == NULL ? "-" : t->file);
    }
    fputc('\n', ctx->out);
    print_table(&cells, COLUMNS, ctx->out);
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct stored s;
    if (!cmd_parse(ctx, NULL, 0, &args, e) ||
        !store_find(ctx->arena, ctx->settings->backup_dir, args.items[0], &s, e))
        return false;
    if (ctx->json) {
        cmd_print(ctx, manifest_json(&s.manifest));
        return true;
    }
    line(ctx, "backup", s.id);
    line(ctx, "folder", s.folder);
    show_origin(ctx, &s.manifest);
    show_database(ctx, &s.manifest.database);
    show_ledgers(ctx, &s.manifest.ledgers);
    show_tables(ctx, &s.manifest);
    return true;
}

const struct command cmd_show = {
    .name = "show",
    .args = "ID",
    .summary = "show all that is known of one backup",
    .details = "With --json it prints the backup's manifest.",
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
