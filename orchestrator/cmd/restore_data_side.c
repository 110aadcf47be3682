#include "cmd/restore_data_side.h"

#include "base/log.h"
#include "core/restore/data_side.h"

bool restore_data_side_look(struct cmd_context *ctx, const struct site *site, struct err *e)
{
    bool accept = strcmp(ctx->settings->swap_with_slots, "accept") == 0;
    AUTO(pg) struct pg *db = site_open_maintenance(site, ctx->settings, NULL, e);
    return db != NULL && swap_possible(ctx->arena, db, site->live.dbname, accept, e);
}

static bool note(void *context, const char *part, const struct json *facts, struct err *e)
{
    struct restore_data_side *s = context;
    static const struct {
        const char *part, *step, *event, *said;
    } parts[] = {
        {"create", "restore", "note", "creating the side database"},
        {"created", "restore", "note",
         "copying the database, and restoring the data into the copy"},
        {"restored", "restore", "done", "restored, every row count as in the backups"},
        {"swap", "swap", "begin", "swapping"},
        {"swapped", "swap", "done", "swapped"},
    };
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (strcmp(parts[i].part, part) != 0)
            continue;
        log_info("%s", parts[i].said);
        if (strcmp(part, "swap") == 0 && !runlock_check(s->ctx->arena, s->lock, e))
            return false;
        s->swap_begun = s->swap_begun || strcmp(part, "swap") == 0;
        return journal_write(s->journal, parts[i].step, parts[i].event, json_copy(facts), NULL, e);
    }
    return true;
}

bool restore_data_side(struct restore_data_side *s, struct err *e)
{
    struct arena *a = s->ctx->arena;
    const struct settings *settings = s->ctx->settings;
    const struct data_side side = {
        .server = &s->site->server,
        .pg_bin = settings->pg_bin,
        .saved = s->saved,
        .apply = s->apply,
        .done = s->done,
    };
    const struct source source = data_side_source(&side);
    const struct lost_rows_wish lost = {
        .path = arena_printf(a, "%s/" LOST_ROWS_FILE, journal_folder(s->journal)),
        .default_schema = s->site->live.schema,
    };
    const struct rollback_spec spec = {
        .backup = s->saved,
        .lost = &lost,
        .server = &s->site->server,
        .maintenance_database = settings->maintenance_database,
        .source = &source,
        .live = s->site->live.dbname,
        .live_oid = s->saved->manifest.database.oid,
        .run = s->run,
        .note = note,
        .context = s,
    };
    bool ok = rollback(a, &spec, &s->result, e);
    s->done->committed = s->result.swapped;
    s->done->unknown = !ok && !s->result.swapped &&
                       (s->result.side_left || (s->swap_begun && e->kind == ERR_CONNECT));
    s->done->deleted = s->apply.plan->deleted;
    return ok;
}
