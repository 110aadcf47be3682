#include "cmd/restore_data_print.h"

#include "base/clock.h"
#include "cmd/restore_print.h"

static const char *plural(struct arena *a, int64_t n, const char *one, const char *many)
{
    return str_plural(a, n, one, many);
}

static const char *mode_name(enum data_mode mode)
{
    static const char *const names[] = {[DATA_EMPTY] = "empty",
                                        [DATA_REPLACE] = "replace",
                                        [DATA_SKIP] = "skip",
                                        [DATA_UPDATE] = "update"};
    return names[mode];
}

/* --- text ------------------------------------------------------------------------------------ */

static const char *column_name(struct arena *a, const struct data_column *c)
{
    if (c->renamed)
        return arena_printf(a, "%s -> %s", c->from->name, c->to->name);
    return c->to != NULL ? c->to->name : c->from->name;
}

static const char *retyped(struct arena *a, const struct data_column *c, const char *how)
{
    return arena_printf(a, "%s -> %s, %s", c->from->type, c->to->type, how);
}

static const char *converted(struct arena *a, const struct data_column *c)
{
    if (c->replaced)
        return retyped(a, c, arena_printf(a, "computed by %s", c->filler));
    if (c->changed == 0)
        return retyped(a, c, "converted");
    return retyped(a, c,
                   arena_printf(a, "converted: %s not the same then, such as %s",
                                plural(a, c->changed, "value is", "values are"), c->example));
}

static const char *labels_gone(struct arena *a, const struct data_column *c)
{
    if (c->filler == NULL && c->to->not_null)
        return arena_printf(a, "VALUES that the enum lacks now: %s; may not be NULL", c->values);
    if (c->lost > 0)
        return arena_printf(a, "%s lost, which the enum lacks now, and become %s: %s",
                            plural(a, c->lost, "value is", "values are"),
                            c->filler == NULL ? "NULL" : c->filler, c->values);
    return arena_printf(a, "values that the enum lacks now become %s: %s",
                        c->filler == NULL ? "NULL" : c->filler, c->values);
}

static const char *nulls_replaced(struct arena *a, const struct data_column *c)
{
    if (c->filler == NULL)
        return arena_printf(a, "may not be NULL any more: %s of it is needed",
                            plural(a, c->nulls, "value", "values"));
    return arena_printf(a, "%s of the backup become %s", plural(a, c->nulls, "NULL", "NULLs"),
                        c->filler);
}

/* What becomes of it, for people; NULL: nothing worth a line. */
static const char *column_text(struct arena *a, const struct data_column *c)
{
    switch (c->fate) {
    case DATA_SAME:
        return c->renamed ? "renamed" : NULL;
    case DATA_RETYPED:
        return retyped(a, c, "read as it is");
    case DATA_CAST:
        return converted(a, c);
    case DATA_LABELS_GONE:
        return labels_gone(a, c);
    case DATA_NULLS:
        return nulls_replaced(a, c);
    case DATA_GONE:
        return c->lost == 0
                   ? "gone; the backup has no values of it"
                   : arena_printf(a, "GONE: %s lost", plural(a, c->lost, "value is", "values are"));
    case DATA_COMPUTED:
        return "generated now: computed by the database, the backup's values are left out";
    case DATA_NEW_DEFAULT:
        return arena_printf(a, "new: gets its default %s", c->to->expression);
    case DATA_NEW_NULL:
        return c->to->not_null ? "new, without a default; there are no rows" : "new: stays NULL";
    case DATA_NEW_IDENTITY:
        return "new: numbered by the database";
    case DATA_NEW_GENERATED:
        return "generated: computed by the database";
    case DATA_NEW_FILLED:
        return arena_printf(a, "new: filled with %s", c->filler);
    case DATA_NEW_REQUIRED:
        return "NEW, may not be NULL, has no default: say what shall stand there";
    }
    return NULL;
}

static void print_columns(struct arena *a, FILE *to, const struct data_table *t)
{
    int width = 8;
    for (size_t i = 0; i < t->column_count; i++) {
        int length = (int)strlen(column_name(a, &t->columns[i]));
        if (column_text(a, &t->columns[i]) != NULL && length > width && length <= 40)
            width = length;
    }
    for (size_t i = 0; i < t->column_count; i++) {
        const char *text = column_text(a, &t->columns[i]);
        if (text != NULL)
            fprintf(to, "      %-*s  %s\n", width, column_name(a, &t->columns[i]), text);
    }
}

static const char *rows_now(struct arena *a, const struct data_plan *plan,
                            const struct data_table *t)
{
    if (t->to->rows <= 0 || t->again)
        return "into the empty table";
    const char *rows = plural(a, t->to->rows, "row", "rows");
    switch (plan->wishes->mode) {
    case DATA_REPLACE:
        return arena_printf(a, "REPLACE the %s there now", rows);
    case DATA_SKIP:
        return arena_printf(a,
                            "added to the %s there now; of those with the same key the present "
                            "one stays",
                            rows);
    case DATA_UPDATE:
        return arena_printf(a,
                            "merged with the %s there now; those with the same key are "
                            "OVERWRITTEN",
                            rows);
    case DATA_EMPTY:
        break;
    }
    return arena_printf(a, "but it has %s now", rows);
}

static void print_table(struct arena *a, FILE *to, const struct data_plan *plan,
                        const struct data_table *t)
{
    fprintf(to, "  %s.%s", t->from->schema, t->from->name);
    if (t->renamed)
        fprintf(to, " -> %s.%s", t->to->schema, t->to->name);
    fprintf(to, ": %s %s", plural(a, t->from->rows, "row", "rows"), rows_now(a, plan, t));
    if (t->into != t->to)
        fprintf(to, ", through %s.%s", t->into->schema, t->into->name);
    fprintf(to, "\n");
    print_columns(a, to, t);
}

static bool is_quiet(struct arena *a, const struct data_plan *plan, const struct data_table *t)
{
    if (t->renamed || t->to->rows > 0 || t->into != t->to)
        return false;
    for (size_t i = 0; i < t->column_count; i++)
        if (column_text(a, &t->columns[i]) != NULL)
            return false;
    for (size_t i = 0; i < plan->blocker_count; i++)
        if (plan->blockers[i].table != NULL &&
            strcmp(plan->blockers[i].table,
                   arena_printf(a, "%s.%s", t->from->schema, t->from->name)) == 0)
            return false;
    return true;
}

static void print_tables(struct arena *a, FILE *to, const struct data_plan *plan)
{
    int64_t same = 0, rows = 0;
    for (size_t i = 0; i < plan->loaded; i++) {
        const struct data_table *t = &plan->tables[i];
        if (is_quiet(a, plan, t)) {
            same++;
            rows += t->from->rows;
        } else {
            print_table(a, to, plan, t);
        }
    }
    if (same > 0)
        fprintf(to, "  %s as in the backup and empty now: %s\n",
                plural(a, same, "table is", "tables are"), plural(a, rows, "row", "rows"));
    for (size_t i = plan->loaded; i < plan->table_count; i++) {
        const struct data_table *t = &plan->tables[i];
        fprintf(to, "  %s.%s: %s\n", t->from->schema, t->from->name,
                t->ledger ? "Prisma's own, never touched"
                : t->lost == 0
                    ? "GONE; it had no rows"
                    : arena_printf(a, "GONE: %s lost", plural(a, t->lost, "row is", "rows are")));
    }
}

static void print_list(FILE *to, const char *head, const struct strlist *items)
{
    enum { SHOWN = 12 };
    if (items->count == 0)
        return;
    fprintf(to, "%s", head);
    for (size_t i = 0; i < items->count && i < SHOWN; i++)
        fprintf(to, "%s%s", i == 0 ? "" : ", ", items->items[i]);
    if (items->count > SHOWN)
        fprintf(to, ", and %zu more", items->count - SHOWN);
    fprintf(to, "\n");
}

static void print_meanwhile(struct arena *a, FILE *to, const struct data_plan *plan)
{
    struct strlist untouched = strlist_on(a), keys = strlist_on(a), triggers = strlist_on(a);
    for (size_t i = 0; i < plan->untouched_count; i++)
        strlist_printf(&untouched, "%s.%s", plan->untouched[i]->schema, plan->untouched[i]->name);
    for (size_t i = 0; i < plan->taken_off_count; i++)
        strlist_add(&keys, plan->taken_off[i]->name);
    for (size_t i = 0; i < plan->quiet_count; i++)
        for (size_t k = 0; k < plan->quiet[i]->trigger_count; k++)
            if (!plan->quiet[i]->triggers[k].copy)
                strlist_printf(&triggers, "%s of %s.%s", plan->quiet[i]->triggers[k].name,
                               plan->quiet[i]->schema, plan->quiet[i]->name);
    print_list(to, "not in the backup, left alone: ", &untouched);
    print_list(to, "foreign keys taken off meanwhile, added and checked again: ", &keys);
    if (plan->remade_count > 0)
        fprintf(to, "%s made of all rows in the end\n",
                plural(a, (int64_t)plan->remade_count, "index is", "indexes are"));
    print_list(to, "triggers that do not fire meanwhile (--triggers lets them): ", &triggers);
    if (plan->sequence_count > 0)
        fprintf(to, "%s set behind the highest number given out\n",
                plural(a, (int64_t)plan->sequence_count, "sequence is", "sequences are"));
    for (size_t i = 0; i < plan->notes.count; i++)
        fprintf(to, "note: %s\n", plan->notes.items[i]);
}

static void print_verdict(struct arena *a, FILE *to, const struct data_plan *plan)
{
    if (plan->suggestions.count > 0)
        fprintf(to, "renamed, perhaps? then add:\n");
    for (size_t i = 0; i < plan->suggestions.count; i++)
        fprintf(to, "  %s\n", plan->suggestions.items[i]);
    if (plan->lost_rows > 0 || plan->lost_values > 0)
        fprintf(to, "LOST: %s of tables, %s of columns%s\n",
                plural(a, plan->lost_rows, "row", "rows"),
                plural(a, plan->lost_values, "value", "values"),
                plan->wishes->accept_loss ? ", accepted by --accept-loss"
                                          : "; to go on nevertheless add --accept-loss");
    if (plan->blocker_count > 0)
        fprintf(to, "it cannot be done like this:\n");
    for (size_t i = 0; i < plan->blocker_count; i++) {
        const struct data_blocker *b = &plan->blockers[i];
        fprintf(to, "  %zu. %s%s%s\n     %s\n", i + 1, b->table == NULL ? "" : b->table,
                b->table == NULL ? "" : ": ", b->message, b->hint);
    }
}

void restore_data_print_plan(struct cmd_context *ctx, FILE *to, const struct stored *backup,
                             const struct data_plan *plan)
{
    struct arena *a = ctx->arena;
    const struct manifest *m = plan->manifest;
    fprintf(to, "data of backup %s (%s, of \"%s\", taken %s)\n", backup->id, m->reason,
            m->database.name, m->started_at);
    fprintf(to, "into database \"%s\" as its tables are now: %s, %s deleted before\n",
            plan->live->database, plural(a, plan->rows, "row", "rows"),
            plural(a, plan->deleted, "row", "rows"));
    print_tables(a, to, plan);
    print_meanwhile(a, to, plan);
    print_verdict(a, to, plan);
    if (plan->wishes->side)
        fprintf(to,
                "all of it or nothing, in a copy of the database that takes its name then; what "
                "others write meanwhile stays in the one that is kept; ");
    else
        fprintf(to, "all of it or nothing, in one transaction; ");
    fprintf(to, "a full backup of the database as it is now is taken before\n");
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void put_lost(struct json *to, int64_t lost)
{
    json_put_int(to, "lost", lost);
}

static void put_column(struct json *to, const struct data_column *c)
{
    json_put(to, "column", c->from != NULL ? c->from->name : NULL);
    json_put(to, "to", c->to != NULL ? c->to->name : NULL);
    json_put(to, "fate", data_fate_name(c->fate));
    json_put(to, "type", c->from != NULL ? c->from->type : NULL);
    json_put(to, "to_type", c->to != NULL ? c->to->type : NULL);
    put_lost(to, c->lost);
    json_put_int(to, "changed", c->changed);
    json_put(to, "example", c->example);
    json_put(to, "values", c->values);
    json_put(to, "filled_with", c->filler);
}

static void put_table(struct json *to, const struct data_table *t)
{
    json_put(to, "schema", t->from->schema);
    json_put(to, "table", t->from->name);
    json_put(to, "fate", t->ledger ? "ledger" : t->to == NULL ? "gone" : "loaded");
    json_put(to, "to_schema", t->to == NULL || t->ledger ? NULL : t->to->schema);
    json_put(to, "to_table", t->to == NULL || t->ledger ? NULL : t->to->name);
    json_put_int(to, "rows", t->from->rows);
    if (t->to == NULL || t->ledger) {
        put_lost(to, t->lost);
        return;
    }
    json_put_int(to, "rows_now", t->to->rows);
    json_put_int(to, "rows_deleted", t->deleted);
    put_lost(to, t->lost);
    json_put(to, "staged", t->staged);
    struct json *columns = json_put_array(to, "columns");
    for (size_t i = 0; i < t->column_count; i++)
        put_column(json_push_object(columns), &t->columns[i]);
}

static void put_texts(struct json *to, const char *key, const struct strlist *texts)
{
    struct json *list = json_put_array(to, key);
    for (size_t i = 0; i < texts->count; i++)
        json_push(list, texts->items[i]);
}

static void put_meanwhile(struct json *j, const struct data_plan *plan)
{
    struct json *untouched = json_put_array(j, "untouched");
    for (size_t i = 0; i < plan->untouched_count; i++) {
        struct json *row = json_push_object(untouched);
        json_put(row, "schema", plan->untouched[i]->schema);
        json_put(row, "table", plan->untouched[i]->name);
    }
    struct json *keys = json_put_array(j, "foreign_keys_taken_off");
    for (size_t i = 0; i < plan->taken_off_count; i++) {
        struct json *row = json_push_object(keys);
        json_put(row, "schema", plan->taken_off[i]->child->schema);
        json_put(row, "table", plan->taken_off[i]->child->name);
        json_put(row, "name", plan->taken_off[i]->name);
    }
    struct json *indexes = json_put_array(j, "indexes_remade");
    for (size_t i = 0; i < plan->remade_count; i++) {
        struct json *row = json_push_object(indexes);
        json_put(row, "schema", plan->remade[i]->schema);
        json_put(row, "table", plan->remade[i]->table->name);
        json_put(row, "name", plan->remade[i]->name);
    }
    struct json *triggers = json_put_array(j, "triggers_off");
    for (size_t i = 0; i < plan->quiet_count; i++)
        for (size_t k = 0; k < plan->quiet[i]->trigger_count; k++) {
            if (plan->quiet[i]->triggers[k].copy)
                continue;
            struct json *row = json_push_object(triggers);
            json_put(row, "schema", plan->quiet[i]->schema);
            json_put(row, "table", plan->quiet[i]->name);
            json_put(row, "name", plan->quiet[i]->triggers[k].name);
        }
}

struct json *restore_data_plan_json(struct cmd_context *ctx, const struct stored *backup,
                                    const struct data_plan *plan)
{
    struct err why = {0};
    struct json *j = json_object();
    json_put(j, "backup", backup->id);
    json_put(j, "database", plan->live->database);
    json_put(j, "mode", mode_name(plan->wishes->mode));
    json_put_bool(j, "side", plan->wishes->side);
    json_put_bool(j, "possible", data_plan_check(ctx->arena, plan, &why));
    json_put_int(j, "rows", plan->rows);
    json_put_int(j, "rows_deleted", plan->deleted);
    json_put_int(j, "lost_rows", plan->lost_rows);
    json_put_int(j, "lost_values", plan->lost_values);
    struct json *tables = json_put_array(j, "tables");
    for (size_t i = 0; i < plan->table_count; i++)
        put_table(json_push_object(tables), &plan->tables[i]);
    put_meanwhile(j, plan);
    struct json *blockers = json_put_array(j, "blockers");
    for (size_t i = 0; i < plan->blocker_count; i++) {
        struct json *row = json_push_object(blockers);
        json_put(row, "table", plan->blockers[i].table);
        json_put(row, "message", plan->blockers[i].message);
        json_put(row, "hint", plan->blockers[i].hint);
    }
    put_texts(j, "suggestions", &plan->suggestions);
    put_texts(j, "notes", &plan->notes);
    return j;
}

/* --- done ------------------------------------------------------------------------------------ */

static void print_done_json(struct cmd_context *ctx, const struct restore_data_result *r)
{
    struct json *j = json_object();
    json_put(j, "verdict", "restored");
    json_put(j, "run", r->run);
    json_put(j, "database", r->plan->live->database);
    json_put(j, "backup", r->backup->id);
    json_put(j, "emergency_backup", r->emergency);
    json_put_int(j, "rows_inserted", r->done->inserted);
    json_put_int(j, "rows_deleted", r->done->deleted);
    json_put_int(j, "sequences_set", (int64_t)r->done->sequences_set);
    json_put_int(j, "elapsed_ms", r->elapsed_ms);
    struct json *tables = json_put_array(j, "tables");
    for (size_t i = 0; i < r->done->table_count; i++) {
        const struct data_loaded *t = &r->done->tables[i];
        struct json *row = json_push_object(tables);
        json_put(row, "schema", t->table->into->schema);
        json_put(row, "table", t->table->into->name);
        json_put_int(row, "rows", t->rows);
        json_put_int(row, "inserted", t->inserted);
    }
    put_texts(j, "warnings", &r->done->warnings);
    if (r->swapped != NULL)
        rollback_json(r->swapped, json_put_object(j, "swap"));
    json_put_node(j, "plan", restore_data_plan_json(ctx, r->backup, r->plan));
    cmd_print(ctx, j);
}

void restore_data_print_done(struct cmd_context *ctx, const struct restore_data_result *r)
{
    struct arena *a = ctx->arena;
    if (ctx->json) {
        print_done_json(ctx, r);
        return;
    }
    bool update = r->plan->wishes->mode == DATA_UPDATE;
    fprintf(ctx->out, "data of backup %s restored into database \"%s\" in %s\n", r->backup->id,
            r->plan->live->database, clock_human_ms(a, r->elapsed_ms));
    fprintf(ctx->out, "%s added, %s deleted, %s set\n",
            plural(a, r->done->inserted, "row was", "rows were"), str_count(a, r->done->deleted),
            plural(a, (int64_t)r->done->sequences_set, "sequence", "sequences"));
    for (size_t i = 0; i < r->done->table_count; i++) {
        const struct data_loaded *t = &r->done->tables[i];
        if (t->inserted != t->rows)
            fprintf(ctx->out, "  %s.%s: %s added, %s there already%s\n", t->table->into->schema,
                    t->table->into->name, str_count(a, t->inserted),
                    str_count(a, t->rows - t->inserted), update ? " and overwritten" : "");
    }
    if (r->swapped != NULL)
        restore_print_swapped(ctx, r->swapped);
    fprintf(ctx->out, "the database as it was before: migsafe restore %s\n", r->emergency);
}
