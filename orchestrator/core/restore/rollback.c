#include "core/restore/rollback.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "core/restore/numbers.h"
#include "core/restore/side.h"
#include "ext/json.h"

struct way_back {
    struct arena *arena;
    const struct rollback_spec *spec;
    const struct source *source;
    struct rollback_result *result;
    struct pg *db; /* maintenance */
    const char *side, *side_oid;
    bool owned; /* the database called side is ours to drop */
};

static bool note(const struct way_back *w, const char *part, struct err *e)
{
    const struct rollback_spec *s = w->spec;
    if (s->note == NULL)
        return true;
    AUTO(json) struct json *facts = json_object();
    json_put(facts, "live", s->live);
    json_put(facts, "live_oid", s->live_oid);
    json_put(facts, "side", w->side);
    json_put(facts, "side_oid", w->side_oid);
    json_put(facts, "kept", w->result->kept);
    if (w->result->swapped) {
        json_put(facts, "kept_oid", w->result->kept_oid);
        json_put_int(facts, "blocked_ms", w->result->swap.blocked_ms);
        json_put_int(facts, "sessions_ended", w->result->swap.sessions_ended);
    }
    return s->note(s->context, part, facts, e);
}

static const char *oid_of(const struct way_back *w, const char *name, struct err *e)
{
    struct database_facts facts;
    return database_read(w->arena, w->db, name, &facts, e) ? facts.oid : NULL;
}

static bool make_side(struct way_back *w, struct err *e)
{
    const struct rollback_spec *s = w->spec;
    struct database_facts like = *w->source->like;
    like.name = s->live;
    if (!note(w, "create", e))
        return false;
    w->owned = true;
    if (!side_drop(w->arena, w->db, w->side, e) ||
        !side_create(w->arena, w->db, &(struct side_spec){w->side, "restore", s->run, &like}, e))
        return false;
    w->side_oid = oid_of(w, w->side, e);
    return w->side_oid != NULL && note(w, "created", e) &&
           w->source->fill(w->arena, w->source->context, w->side, e) && note(w, "restored", e);
}

static bool take_proven_side(struct way_back *w, struct err *e)
{
    w->side_oid = oid_of(w, w->side, e);
    w->owned = str_same(w->side_oid, w->spec->proven_side_oid);
    if (w->side_oid == NULL)
        return false;
    if (w->owned) /* a standby was closed until now */
        return side_allow(w->arena, w->db, w->side, true, e);
    return err_set(e, ERR_QUERY, "database \"%s\" is not the one restored before: oid %s, not %s",
                   w->side, w->side_oid, w->spec->proven_side_oid);
}

/* Where a run knows what its migration writes.  The sessions for it are closed: the swap would end
 * them. */
static void let_numbers_go_on(struct way_back *w)
{
    const struct rollback_spec *s = w->spec;
    struct err late = {0};
    int moved = 0;
    if (s->lost == NULL || s->lost->effects == NULL || w->source->before == NULL)
        return;
    const struct numbers_spec numbers = {.server = s->server,
                                         .live = s->live,
                                         .side = w->side,
                                         .before = w->source->before,
                                         .effects = s->lost->effects,
                                         .effect_count = s->lost->effect_count,
                                         .default_schema = s->lost->default_schema};
    if (!numbers_go_on(w->arena, &numbers, &moved, &late))
        log_err_as(LOG_WARNING, &late);
    if (moved > 0)
        log_info("%s from where others have brought them since the backup",
                 str_plural(w->arena, moved, "sequence goes on", "sequences go on"));
}

/* What takes the fence off the database that is kept; NULL: there is none on it. */
static const char *unfence(const struct way_back *w, const struct database_facts *live)
{
    struct fence_mark mark;
    const struct fence_mark *own = w->spec->fence;
    if (fence_parse(w->arena, live->comment, &mark))
        return fence_setting_sql(w->arena, w->result->kept, &mark);
    bool left = own != NULL && !fence_was_on(own) && !str_same(live->comment, own->was_comment) &&
                strlist_has(&live->settings, "default_transaction_read_only=on");
    return left ? fence_setting_sql(w->arena, w->result->kept, own) : NULL;
}

/* Properties of the source, then the swap.  The comment comes with the swap: until then the
 * side database has our mark. */
static bool swap_in(struct way_back *w, struct err *e)
{
    const struct rollback_spec *s = w->spec;
    struct database_facts want = *w->source->like, side, live;
    if (!database_read(w->arena, w->db, w->side, &side, e) ||
        !database_read(w->arena, w->db, s->live, &live, e))
        return false;
    want.comment = side.comment;
    const char *kept_unfence = unfence(w, &live);
    fence_take_out(w->arena, &live);
    const struct swap_spec swap_spec = {
        .server = s->server,
        .maintenance_database = s->maintenance_database,
        .live = s->live,
        .side = w->side,
        .kept = w->result->kept,
        .live_oid = s->live_oid,
        .side_oid = w->side_oid,
        .kept_comment = side_comment(w->arena, "kept", s->live, s->run, live.comment),
        .live_comment = w->source->like->comment,
        .kept_unfence = kept_unfence,
        .run = s->run,
    };
    if (!database_apply(w->arena, w->db, w->side, &want, e) || !note(w, "swap", e))
        return false;
    let_numbers_go_on(w);
    if (!swap(w->arena, &swap_spec, &w->result->swap, e))
        return false;
    w->result->swapped = true;
    w->result->swapped_at_ms = clock_ms();
    w->result->kept_oid = s->live_oid;
    return true;
}

static void write_lost(struct way_back *w)
{
    struct rollback_result *r = w->result;
    const struct lost_rows_spec spec = {
        .wish = w->spec->lost,
        .server = w->spec->server,
        .maintenance = w->db,
        .kept = r->kept,
        .live = w->spec->live,
        .kept_oid = r->kept_oid,
        .backup = w->spec->backup,
        .tables = r->lost,
        .table_count = r->lost_count,
        .all_tables =
            r->lost_note != NULL || !str_same(r->kept_oid, w->source->before->database.oid),
        .run = w->spec->run,
    };
    if (r->lost_count > 0 || spec.all_tables)
        lost_rows_write(w->arena, &spec, &r->rows);
}

/* After the swap: nothing here can fail the rollback any more. */
static void look_back(struct way_back *w)
{
    struct rollback_result *r = w->result;
    struct database_facts kept;
    struct err ignored = {0};
    const struct lost_spec lost = {.server = w->spec->server,
                                   .maintenance = w->db,
                                   .kept = r->kept,
                                   .kept_oid = r->kept_oid,
                                   .before = w->source->before};
    if (lost.before != NULL)
        r->lost_note = lost_count(w->arena, &lost, &r->lost, &r->lost_count);
    if (lost.before != NULL && w->spec->lost != NULL && w->spec->backup != NULL)
        write_lost(w);
    r->kept_bytes = database_read(w->arena, w->db, r->kept, &kept, &ignored) ? kept.bytes : -1;
}

/* A standby is its maker's to drop.  Safe even where the server went away during the swap: had it
 * worked, no database would be called so any more. */
static void give_up_side(struct way_back *w, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    struct err why = {0};
    if (!w->owned)
        return;
    if (w->spec->proven_side != NULL) { /* a standby: whoever decides next has it at once */
        (void)!side_allow(w->arena, w->db, w->side, false, &why);
        err_detail(e, "%s",
                   arena_printf(w->arena,
                                "%s%sThe standby \"%s\" stays, closed: it is the backup, restored.",
                                e->detail, e->detail[0] ? " " : "", w->side));
        return;
    }
    stop_shield(true);
    AUTO(pg)
    struct pg *db =
        connection_open_maintenance(w->spec->server, w->spec->maintenance_database, &use, &why);
    w->result->side_left = db == NULL || !side_drop(w->arena, db, w->side, &why);
    if (w->result->side_left)
        err_detail(e, "%s",
                   arena_printf(w->arena,
                                "%s%sSide database \"%s\" is left, for \"migsafe recover\": %s.",
                                e->detail, e->detail[0] ? " " : "", w->side, why.message));
    stop_shield(false);
}

bool rollback(struct arena *a, const struct rollback_spec *spec, struct rollback_result *result,
              struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    const struct restore_spec backup = {.server = spec->server,
                                        .backup = spec->backup,
                                        .pg_bin = spec->pg_bin,
                                        .jobs = spec->jobs,
                                        .progress = spec->progress};
    const struct source source = spec->source != NULL ? *spec->source : source_of_backup(&backup);
    int64_t began = clock_ms();
    *result = (struct rollback_result){.kept_bytes = -1};
    AUTO(pg)
    struct pg *db = connection_open_maintenance(spec->server, spec->maintenance_database, &use, e);
    if (db == NULL || !side_kept_name(a, db, spec->live, spec->run, &result->kept, e))
        return false;
    struct way_back w = {.arena = a,
                         .spec = spec,
                         .source = &source,
                         .result = result,
                         .db = db,
                         .side = spec->proven_side != NULL
                                     ? spec->proven_side
                                     : side_name(a, spec->live, "restore", spec->run)};
    bool ok = (spec->proven_side_oid != NULL ? take_proven_side(&w, e) : make_side(&w, e)) &&
              swap_in(&w, e);
    if (!ok)
        give_up_side(&w, e);
    if (ok)
        ok = note(&w, "swapped", e);
    if (result->swapped)
        look_back(&w);
    result->elapsed_ms = clock_ms() - began;
    return ok;
}

static void lost_json(const struct lost_writes *w, struct json *to)
{
    json_put(to, "schema", w->schema);
    json_put(to, "table", w->table);
    json_put_int(to, "rows_now", w->rows_now);
    json_put_int(to, "rows_then", w->rows_then);
    json_put_int(to, "written", w->written);
    json_put_int(to, "inserted", w->inserted);
    json_put_int(to, "updated", w->updated);
    json_put_int(to, "deleted", w->deleted);
}

void rollback_json(const struct rollback_result *r, struct json *to)
{
    json_put_bool(to, "swapped", r->swapped);
    json_put(to, "kept_database", r->kept);
    json_put(to, "kept_oid", r->kept_oid);
    json_put_int(to, "kept_bytes", r->kept_bytes);
    json_put_int(to, "blocked_ms", r->swap.blocked_ms);
    json_put_int(to, "swap_attempts", r->swap.attempts);
    json_put_int(to, "sessions_ended", r->swap.sessions_ended);
    json_put_bool(to, "newcomers_gated", r->swap.gated);
    struct json *lost = json_put_array(to, "lost_writes");
    for (size_t i = 0; i < r->lost_count; i++)
        lost_json(&r->lost[i], json_push_object(lost));
    json_put(to, "lost_note", r->lost_note);
    lost_rows_json(&r->rows, to);
    json_put_int(to, "elapsed_ms", r->elapsed_ms);
}
