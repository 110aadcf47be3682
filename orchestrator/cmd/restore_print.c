#include "cmd/restore_print.h"

#include "base/clock.h"
#include "core/restore/side.h"
#include "ext/json.h"

static char *backup_line(struct arena *a, const struct stored *backup)
{
    const struct manifest *m = &backup->manifest;
    return arena_printf(a, "backup %s (%s, of \"%s\", taken %s, %s, %s rows, %s)", backup->id,
                        m->reason, m->database.name, m->started_at,
                        str_plural(a, (int64_t)m->table_count, "table", "tables"),
                        str_count(a, manifest_rows(m)), str_bytes(a, m->bytes));
}

char *restore_what_line(struct arena *a, const struct restore_what *what)
{
    if (what->backup != NULL)
        return backup_line(a, what->backup);
    const struct foreign *f = &what->file->dump;
    return arena_printf(a, "%s (%s%s%s, %s)", f->given, foreign_kind_name(f),
                        f->made_by == NULL ? "" : ", of ", f->made_by == NULL ? "" : f->made_by,
                        str_bytes(a, f->bytes));
}

static const char *name_of(struct arena *a, const struct restore_what *what)
{
    return what->backup != NULL ? arena_printf(a, "backup %s", what->backup->id)
                                : what->file->dump.given;
}

static struct json *backup_json(const struct stored *backup)
{
    const struct manifest *m = &backup->manifest;
    struct json *j = json_object();
    json_put(j, "id", backup->id);
    json_put(j, "kind", m->kind);
    json_put(j, "reason", m->reason);
    json_put(j, "database", m->database.name);
    json_put(j, "started_at", m->started_at);
    json_put_int(j, "tables", (int64_t)m->table_count);
    json_put_int(j, "rows", manifest_rows(m));
    json_put_int(j, "bytes", m->bytes);
    return j;
}

void restore_put_what(struct json *to, const struct restore_what *what, bool counted)
{
    if (what->backup != NULL) {
        json_put_node(to, "backup", backup_json(what->backup));
        return;
    }
    const struct foreign *f = &what->file->dump;
    struct json *j = json_put_object(to, "file");
    json_put(j, "name", f->name);
    json_put(j, "kind", foreign_kind_name(f));
    json_put(j, "made_by", f->made_by);
    json_put_int(j, "bytes", f->bytes);
    if (counted) {
        json_put_int(j, "tables", what->file->counts.tables);
        json_put_int(j, "rows", what->file->counts.rows);
    }
}

static void print_counts(struct cmd_context *ctx, const struct restore_what *what)
{
    const struct foreign_counts n =
        what->file != NULL
            ? what->file->counts
            : (struct foreign_counts){.tables = (int64_t)what->backup->manifest.table_count,
                                      .rows = manifest_rows(&what->backup->manifest)};
    fprintf(ctx->out, "it has %s and %s rows%s\n",
            str_plural(ctx->arena, n.tables, "table", "tables"), str_count(ctx->arena, n.rows),
            what->file != NULL ? "" : ", as many as the backup was counted to have");
}

static const char *rows_text(struct arena *a, int64_t rows)
{
    return rows < 0 ? "none" : str_count(a, rows);
}

static void plan_json(struct cmd_context *ctx, const struct restore_plan *plan)
{
    struct json *j = json_object();
    json_put_bool(j, "dry_run", true);
    restore_put_what(j, &plan->what, false);
    json_put(j, "onto", plan->onto);
    json_put(j, "into", plan->into);
    json_put(j, "kept_database", plan->kept);
    json_put_bool(j, "in_place", plan->in_place != NULL);
    struct json *tables = json_put_array(j, "tables");
    for (size_t i = 0; i < plan->table_count; i++) {
        const struct preview_table *t = &plan->tables[i];
        struct json *row = json_push_object(tables);
        json_put(row, "schema", t->schema);
        json_put(row, "table", t->name);
        json_put_int(row, "rows_now", t->rows_now);
        json_put_int(row, "rows_then", t->rows_then);
    }
    struct json *gone = json_put_array(j, "gone");
    for (size_t i = 0; i < plan->gone.count; i++)
        json_push(gone, plan->gone.items[i]);
    cmd_print(ctx, j);
}

void restore_print_plan(struct cmd_context *ctx, const struct restore_plan *plan)
{
    struct arena *a = ctx->arena;
    if (ctx->json) {
        plan_json(ctx, plan);
        return;
    }
    fprintf(ctx->out, "would restore %s\n", restore_what_line(a, &plan->what));
    if (plan->into != NULL) {
        fprintf(ctx->out, "into a new database \"%s\"\n", plan->into);
        return;
    }
    if (plan->in_place != NULL)
        fprintf(ctx->out, "within database \"%s\", after an emergency backup of it\n%s\n",
                plan->onto, plan->in_place);
    else
        fprintf(ctx->out,
                "in place of database \"%s\", which would be kept as %s\n"
                "rights and properties were tried on empty databases: it can work here\n",
                plan->onto, plan->kept);
    if (plan->what.backup == NULL)
        return;
    size_t same = 0;
    for (size_t i = 0; i < plan->table_count; i++) {
        const struct preview_table *t = &plan->tables[i];
        same += t->rows_now == t->rows_then;
        if (t->rows_now != t->rows_then)
            fprintf(ctx->out, "  %s.%s: %s rows now, %s in the backup\n", t->schema, t->name,
                    rows_text(a, t->rows_now), rows_text(a, t->rows_then));
    }
    fprintf(ctx->out, "  %s with as many rows as in the backup\n",
            str_plural(a, (int64_t)same, "table", "tables"));
    for (size_t i = 0; i < plan->gone.count; i++)
        fprintf(ctx->out, "  gone: %s\n", plan->gone.items[i]);
}

static void print_lost(struct cmd_context *ctx, const struct rollback_result *r)
{
    struct arena *a = ctx->arena;
    if (r->lost_count > 0)
        fprintf(ctx->out, "not in the restored database, but in the kept one:\n");
    for (size_t i = 0; i < r->lost_count; i++) {
        const struct lost_writes *w = &r->lost[i];
        fprintf(ctx->out, "  %s.%s: %s rows, %s in the backup", w->schema, w->table,
                rows_text(a, w->rows_now), rows_text(a, w->rows_then));
        if (w->written > 0)
            fprintf(ctx->out, ", %s written since", str_count(a, w->written));
        fprintf(ctx->out, "\n");
    }
    if (r->lost_note != NULL)
        fprintf(ctx->out, "  %s\n", r->lost_note);
    if (r->rows.path != NULL)
        fprintf(ctx->out, "to bring them back: migsafe replay %s\n", r->rows.run);
    if (r->rows.note != NULL)
        fprintf(ctx->out, "  not in its file: %s\n", r->rows.note);
}

void restore_print_swapped(struct cmd_context *ctx, const struct rollback_result *r)
{
    struct arena *a = ctx->arena;
    fprintf(ctx->out, "new connections waited %s; %s ended\n",
            clock_human_ms(a, r->swap.blocked_ms),
            str_plural(a, r->swap.sessions_ended, "session was", "sessions were"));
    fprintf(ctx->out, "kept: the database as it was before is \"%s\"%s\n", r->kept,
            r->kept_bytes < 0 ? "" : arena_printf(a, " (%s)", str_bytes(a, r->kept_bytes)));
    fprintf(ctx->out, "      to drop it: %s\n", side_drop_command(a, r->kept));
    print_lost(ctx, r);
}

void restore_print_done(struct cmd_context *ctx, const struct restore_what *what, const char *live,
                        const char *run, const struct rollback_result *r)
{
    struct arena *a = ctx->arena;
    if (ctx->json) {
        struct json *j = json_object();
        json_put(j, "verdict", "restored");
        json_put(j, "run", run);
        json_put(j, "database", live);
        restore_put_what(j, what, true);
        rollback_json(r, j);
        json_put(j, "kept_drop_command", side_drop_command(a, r->kept));
        cmd_print(ctx, j);
        return;
    }
    fprintf(ctx->out, "database \"%s\" restored from %s in %s\n", live, name_of(a, what),
            clock_human_ms(a, r->elapsed_ms));
    if (what->file != NULL)
        print_counts(ctx, what);
    restore_print_swapped(ctx, r);
}

void restore_print_into(struct cmd_context *ctx, const struct restore_what *what,
                        const struct restore_new *made)
{
    if (!ctx->json) {
        fprintf(ctx->out, "%s restored into new database \"%s\" in %s\n", name_of(ctx->arena, what),
                made->name, clock_human_ms(ctx->arena, made->elapsed_ms));
        print_counts(ctx, what);
        if (made->dropped)
            fprintf(ctx->out, "database \"%s\" was dropped again\n", made->name);
        return;
    }
    struct json *j = json_object();
    json_put(j, "verdict", "restored");
    json_put(j, "run", made->run);
    json_put(j, "database", made->name);
    json_put_bool(j, "dropped", made->dropped);
    restore_put_what(j, what, true);
    json_put_int(j, "elapsed_ms", made->elapsed_ms);
    cmd_print(ctx, j);
}
