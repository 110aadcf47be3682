#include "core/restore/lost_rows.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/stop.h"
#include "core/restore/load.h"
#include "core/restore/lost_table.h"
#include "ext/pack.h"
#include "sql/queries.h"

#include <fcntl.h>
#include <unistd.h>

enum { LIMIT_MS = 600000, PASSES = 3 };

struct writing {
    struct arena *arena;
    const struct lost_rows_spec *spec;
    struct lost_rows *result;
    struct pg *kept, *live;
    struct lost_plan plan;
    struct strlist notes;
    struct strlist sequences; /* statements */
    struct pack *to;
    struct deadline limit;
};

static bool line(struct writing *w, const char *text, struct err *e)
{
    return pack_write(w->to, text, strlen(text), e) && pack_write(w->to, "\n", 1, e);
}

static int64_t total(const struct lost_table *t, int part)
{
    return t->found[part][LOST_INSERT] + t->found[part][LOST_UPDATE] + t->found[part][LOST_DELETE];
}

/* --- one table: compared, and its rows written ----------------------------------------------- */

static bool write_rows(struct writing *w, const struct lost_table *t, struct err *e)
{
    int64_t rows;
    if (!line(w, arena_printf(w->arena, "%s;", lost_sql_temp(w->arena, t)), e) ||
        !line(w, arena_printf(w->arena, "COPY %s FROM stdin;", lost_temp(w->arena, t)), e) ||
        !pg_copy_out(w->kept, "COPY " LOST_FOUND " TO STDOUT", e))
        return false;
    for (;;) {
        const char *row;
        size_t n;
        if (!pg_copy_row(w->kept, &row, &n, &rows, e))
            return false;
        if (n == 0)
            return line(w, "\\.", e) &&
                   line(w, arena_printf(w->arena, "ANALYZE %s;", lost_temp(w->arena, t)), e);
        if (!pack_write(w->to, row, n, e))
            return false;
    }
}

static void add_result(struct writing *w, const struct lost_table *t, int part)
{
    struct lost_rows *r = w->result;
    if (total(t, part) == 0)
        return;
    r->tables[r->count++] = (struct lost_rows_table){
        .schema = t->was->schema,
        .table = t->was->name,
        .inserts = t->found[part][LOST_INSERT],
        .updates = t->found[part][LOST_UPDATE],
        .deletes = t->found[part][LOST_DELETE],
        .of_migration = part == LOST_MIGRATION,
        .note = t->note,
    };
}

/* A table that cannot be compared is a note, the others go on; false: the file cannot be written,
 * or the server is gone. */
static bool do_table(struct writing *w, struct lost_table *t, struct err *e)
{
    struct err why = {0};
    int left_ms = deadline_left_ms(&w->limit);
    if (left_ms == 0) {
        strlist_printf(&w->notes, "table \"%s\".\"%s\": no time was left", t->was->schema,
                       t->was->name);
        return true;
    }
    if (!pg_execf(w->kept, &why, "SET statement_timeout = %d", left_ms) ||
        !lost_compare(w->arena, w->spec, w->kept, t, &why)) {
        memset(t->found, 0, sizeof(t->found));
        strlist_printf(&w->notes, "table \"%s\".\"%s\": %s", t->was->schema, t->was->name,
                       arena_strdup(w->arena, why.message));
        return pg_is_alive(w->kept) || err_set(e, ERR_CONNECT, "%s", why.message);
    }
    if (total(t, LOST_OTHERS) + total(t, LOST_MIGRATION) == 0)
        return true;
    if (t->note != NULL)
        strlist_printf(&w->notes, "table \"%s\".\"%s\": %s", t->was->schema, t->was->name, t->note);
    add_result(w, t, LOST_OTHERS);
    add_result(w, t, LOST_MIGRATION);
    return write_rows(w, t, e);
}

/* --- sequences ------------------------------------------------------------------------------- */

static const struct manifest_sequence *sequence_then(const struct writing *w, const char *schema,
                                                     const char *name)
{
    const struct manifest *m = &w->spec->backup->manifest;
    for (size_t i = 0; i < m->sequence_count; i++)
        if (strcmp(m->sequences[i].schema, schema) == 0 && strcmp(m->sequences[i].name, name) == 0)
            return &m->sequences[i];
    return NULL;
}

static bool read_sequences(struct writing *w, struct err *e)
{
    struct pg_rows rows;
    struct arena *a = w->arena;
    if (!pg_query(a, w->kept, sql_lost_sequences, PG_NONE, &rows, e))
        return false;
    for (size_t i = 0; i < rows.count; i++) {
        const char *schema = pg_cell(&rows, i, "schema"), *name = pg_cell(&rows, i, "name");
        const struct manifest_sequence *then = sequence_then(w, schema, name);
        int64_t now = pg_cell_int(&rows, i, "last_value");
        if (then == NULL || (then->is_called && then->last_value == now))
            continue;
        const char *quoted = lost_ident2(a, schema, name);
        /* Not where it stands further on: others would take numbers meanwhile. */
        strlist_printf(&w->sequences,
                       "SELECT pg_catalog.setval(%s, %lld) FROM %s WHERE last_value %s %lld OR"
                       " (last_value = %lld AND NOT is_called);",
                       pg_literal(a, quoted), (long long)now, quoted,
                       pg_cell_bool(&rows, i, "descending") ? ">" : "<", (long long)now,
                       (long long)now);
    }
    return true;
}

/* --- the file -------------------------------------------------------------------------------- */

static bool write_head(struct writing *w, struct err *e)
{
    const struct lost_rows_spec *s = w->spec;
    struct arena *a = w->arena;
    return line(w, "-- migsafe lost writes 1", e) &&
           line(w,
                arena_printf(
                    w->arena,
                    "-- What was written to database \"%s\" after the snapshot of backup %s and is"
                    " not in it any more",
                    lost_line(a, s->live), s->backup->id),
                e) &&
           line(w,
                arena_printf(w->arena,
                             "-- since run %s restored that backup. It was read from \"%s\".",
                             s->run, lost_line(a, s->kept)),
                e) &&
           line(w, "--", e) &&
           line(w,
                arena_printf(
                    w->arena,
                    "--     migsafe replay %s            shows what would be done, then does it",
                    s->run),
                e) &&
           line(w, "--     zcat lost-writes.sql.gz | psql -X DATABASE", e) && line(w, "--", e) &&
           line(w,
                "-- Rows that the failed migration may have written itself are in a part of"
                " their own: done with",
                e) &&
           line(w,
                "-- --include-migrated, or psql -v include_migrated=1. Rows that have changed"
                " since are left alone.",
                e) &&
           line(w, "\\set ON_ERROR_STOP on", e) &&
           line(w,
                "SET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n"
                "SET search_path = '';\nSET DateStyle = ISO;\nSET IntervalStyle = postgres;\n"
                "SET extra_float_digits = 3;\nSET bytea_output = hex;\nSET TimeZone = 'UTC';\n"
                "SET xmloption = content;\nSET row_security = off;\n"
                "SET default_transaction_read_only = off;",
                e) &&
           line(w, "-- migsafe: load", e);
}

/* Off, and remembered how it was: when the file is replayed somebody may have switched it. */
static const char *trigger_off(struct arena *a, const struct manifest_table *t, const char *trigger,
                               int number)
{
    return arena_printf(
        a,
        "SELECT pg_catalog.set_config('migsafe.trigger_%d', tgenabled::text, true) FROM"
        " pg_catalog.pg_trigger WHERE tgrelid = %s::pg_catalog.regclass AND tgname = %s;\n"
        "ALTER TABLE %s DISABLE TRIGGER %s;",
        number, lost_literal(a, pg_ident2(a, t->schema, t->name)), lost_literal(a, trigger),
        lost_ident2(a, t->schema, t->name), lost_ident(a, trigger));
}

static const char *trigger_on(struct arena *a, const struct manifest_table *t, const char *trigger,
                              int number)
{
    const char *table = lost_ident2(a, t->schema, t->name);
    const char *before = pg_literal(a, arena_printf(a, "ALTER TABLE %s ", table)),
               *after = pg_literal(a, arena_printf(a, " TRIGGER %s", lost_ident(a, trigger)));
    const char *body = arena_printf(
        a,
        "BEGIN EXECUTE %s || CASE pg_catalog.current_setting('migsafe.trigger_%d')"
        " WHEN 'O' THEN 'ENABLE' WHEN 'A' THEN 'ENABLE ALWAYS' WHEN 'R' THEN 'ENABLE REPLICA'"
        " ELSE 'DISABLE' END || %s; END",
        before, number, after);
    return arena_printf(a, "DO %s;", pg_literal(a, body));
}

static bool write_triggers(struct writing *w, bool on, struct err *e)
{
    struct arena *a = w->arena;
    int number = 0;
    for (size_t i = 0; i < w->plan.count; i++) {
        const struct lost_table *t = w->plan.tables[i];
        for (size_t k = 0; k < t->triggers.count; k++) {
            const char *name = t->triggers.items[k];
            number++;
            if (total(t, LOST_OTHERS) + total(t, LOST_MIGRATION) > 0 &&
                !line(w,
                      on ? trigger_on(a, t->was, name, number)
                         : trigger_off(a, t->was, name, number),
                      e))
                return false;
        }
    }
    return true;
}

static bool is_deleted_from(const struct lost_plan *p, const char *oid)
{
    for (size_t i = 0; i < p->count; i++)
        if (str_same(p->tables[i]->live_oid, oid))
            return p->tables[i]->found[LOST_OTHERS][LOST_DELETE] +
                       p->tables[i]->found[LOST_MIGRATION][LOST_DELETE] >
                   0;
    return false;
}

/* A row that others bring while one that it refers to is deleted would go with it, or be changed.
 */
static bool write_locks(struct writing *w, struct err *e)
{
    struct strlist children = strlist_on(w->arena);
    for (size_t i = 0; i < w->plan.link_count; i++) {
        const struct lost_link *l = &w->plan.links[i];
        if (l->acts && is_deleted_from(&w->plan, l->parent_oid) &&
            !strlist_has(&children, l->child))
            strlist_add(&children, l->child);
    }
    strlist_sort(&children);
    for (size_t i = 0; i < children.count; i++)
        if (!line(w,
                  arena_printf(w->arena, "LOCK TABLE ONLY %s IN SHARE ROW EXCLUSIVE MODE;",
                               children.items[i]),
                  e))
            return false;
    return true;
}

static bool write_statement(struct writing *w, const char *sql, struct err *e)
{
    return sql == NULL || line(w, arena_printf(w->arena, "%s;", sql), e);
}

/* What refers goes before what it refers to, and comes after it. */
static bool write_pass(struct writing *w, int part, struct err *e)
{
    const struct lost_plan *p = &w->plan;
    struct arena *a = w->arena;
    for (size_t i = p->count; i-- > 0;)
        if (!write_statement(w, lost_sql_delete(a, p, p->tables[i], part), e))
            return false;
    for (size_t i = 0; i < p->count; i++)
        if (!write_statement(w, lost_sql_update(a, p, p->tables[i], part), e) ||
            !write_statement(w, lost_sql_insert(a, p, p->tables[i], part), e))
            return false;
    return true;
}

static bool write_part(struct writing *w, int part, struct err *e)
{
    bool optional = part == LOST_MIGRATION;
    if (!line(w, arena_printf(w->arena, "-- migsafe: part %s", optional ? "migration" : "others"),
              e) ||
        (optional && !line(w, "\\if :{?include_migrated}", e)) || !line(w, "-- migsafe: state", e))
        return false;
    for (size_t i = 0; i < w->plan.count; i++) {
        const struct lost_table *t = w->plan.tables[i];
        if (total(t, part) > 0 &&
            !line(w, arena_printf(w->arena, "%s;", lost_sql_state(w->arena, t, part)), e))
            return false;
    }
    /* Later passes do what waited for rows of an earlier one. */
    for (int pass = 0; pass < PASSES; pass++)
        if (!line(w, "-- migsafe: apply", e) || !write_pass(w, part, e))
            return false;
    return !optional || line(w, "\\endif", e);
}

static bool write_tail(struct writing *w, struct err *e)
{
    for (size_t i = 0; i < w->result->count; i++) {
        const struct lost_rows_table *t = &w->result->tables[i];
        if (!line(w,
                  arena_printf(w->arena, "-- %s.%s: %lld inserted, %lld updated, %lld deleted%s",
                               lost_line(w->arena, t->schema), lost_line(w->arena, t->table),
                               (long long)t->inserts, (long long)t->updates, (long long)t->deletes,
                               t->of_migration ? ", maybe by the migration" : ""),
                  e))
            return false;
    }
    for (size_t i = 0; i < w->notes.count; i++)
        if (!line(w,
                  arena_printf(w->arena, "-- not here: %s", lost_line(w->arena, w->notes.items[i])),
                  e))
            return false;
    if (!line(w, "-- migsafe: begin\nBEGIN;", e) || !write_locks(w, e) ||
        !write_triggers(w, false, e) || !write_part(w, LOST_OTHERS, e) ||
        !write_part(w, LOST_MIGRATION, e) || !line(w, "-- migsafe: end", e) ||
        !write_triggers(w, true, e) || !line(w, "-- migsafe: sequences", e))
        return false;
    for (size_t i = 0; i < w->sequences.count; i++)
        if (!line(w, arena_printf(w->arena, "%s", w->sequences.items[i]), e))
            return false;
    return line(w, "-- migsafe: commit\nCOMMIT;", e);
}

static bool write_all(struct writing *w, struct err *e)
{
    struct lost_rows *r = w->result;
    r->tables = arena_array(w->arena, 2 * w->plan.count + 1, sizeof(*r->tables));
    if (!write_head(w, e))
        return false;
    for (size_t i = 0; i < w->plan.count; i++)
        if (!do_table(w, w->plan.tables[i], e))
            return false;
    return (r->count == 0 || read_sequences(w, e)) && write_tail(w, e) && pack_finish(w->to, e);
}

static bool write_file(struct writing *w, struct err *e)
{
    struct arena *a = w->arena;
    const char *path = w->spec->wish->path, *aside = arena_printf(a, "%s.partial", path);
    AUTO(fd) int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(e, ERR_SYSTEM, "could not create \"%s\"", aside);
    AUTO(pack) struct pack *to = pack_open(a, fd, true, aside, e);
    w->to = to;
    bool ok = to != NULL && write_all(w, e);
    if (ok && w->result->count > 0) {
        if (fsync(fd) != 0)
            ok = err_sys(e, ERR_SYSTEM, "could not write \"%s\"", aside);
        else if (fs_rename(a, aside, path, e)) {
            w->result->path = path;
            return true;
        } else
            ok = false;
    }
    unlink(aside);
    return ok;
}

/* --- both databases -------------------------------------------------------------------------- */

static bool set_up(struct writing *w, struct err *e)
{
    return load_session(w->kept, &w->spec->backup->manifest, e) &&
           pg_exec(w->kept,
                   "SET DateStyle = ISO; SET IntervalStyle = postgres; SET extra_float_digits = 3;"
                   " SET bytea_output = hex; SET TimeZone = 'UTC'; SET row_security = off;"
                   " SET work_mem = '64MB'",
                   e);
}

static bool compare(struct writing *w, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    struct connection to_kept = connection_to(w->spec->server, w->spec->kept),
                      to_live = connection_to(w->spec->server, w->spec->live);
    AUTO(pg) struct pg *kept = connection_open(&to_kept, &use, e);
    if (kept == NULL)
        return false;
    AUTO(pg) struct pg *live = connection_open(&to_live, &use, e);
    w->kept = kept;
    w->live = live;
    if (live == NULL || !set_up(w, e) || !lost_plan(w->arena, w->spec, kept, live, &w->plan, e))
        return false;
    for (size_t i = 0; i < w->plan.notes.count; i++)
        strlist_add(&w->notes, w->plan.notes.items[i]);
    return w->plan.count == 0 || write_file(w, e);
}

static bool set_open(const struct lost_rows_spec *s, bool open, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    return pg_execf(s->maintenance, e, "ALTER DATABASE %s ALLOW_CONNECTIONS %s",
                    pg_ident(a, s->kept), open ? "true" : "false");
}

void lost_rows_write(struct arena *a, const struct lost_rows_spec *spec, struct lost_rows *result)
{
    struct err e = {0}, closing = {0};
    const struct lost_rows_wish *wish = spec->wish;
    struct writing w = {
        .arena = a,
        .spec = spec,
        .result = result,
        .notes = strlist_on(a),
        .sequences = strlist_on(a),
        .limit = deadline_in(wish->limit_ms > 0 ? wish->limit_ms : LIMIT_MS),
    };
    *result = (struct lost_rows){.run = spec->run};
    bool ok = set_open(spec, true, &e) && compare(&w, &e);
    stop_shield(true);
    if (!set_open(spec, false, &closing))
        strlist_printf(&w.notes, "could not close database \"%s\" again: %s", spec->kept,
                       arena_strdup(a, closing.message));
    stop_shield(false);
    if (!ok)
        strlist_printf(&w.notes, "could not write lost writes to a file: %s",
                       arena_strdup(a, e.message));
    if (w.notes.count > 0)
        result->note = strlist_join(&w.notes, "; ");
}

void lost_rows_json(const struct lost_rows *r, struct json *to)
{
    json_put(to, "lost_writes_file", r->path);
    struct json *list = json_put_array(to, "lost_rows");
    for (size_t i = 0; i < r->count; i++) {
        struct json *j = json_push_object(list);
        json_put(j, "schema", r->tables[i].schema);
        json_put(j, "table", r->tables[i].table);
        json_put_int(j, "inserts", r->tables[i].inserts);
        json_put_int(j, "updates", r->tables[i].updates);
        json_put_int(j, "deletes", r->tables[i].deletes);
        json_put_bool(j, "of_migration", r->tables[i].of_migration);
        json_put(j, "note", r->tables[i].note);
    }
    json_put(to, "lost_rows_note", r->note);
}
