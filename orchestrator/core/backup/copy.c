#include "core/backup/copier.h"

static const char end_mark[] = "\\.\n\n\n";

/* As pg_dump's setup_connection has it, and then the snapshot.  The savepoint lets go of the lock
 * of each table when the next is begun: the coordinator holds them all. */
static const char before_snapshot[] =
    "SET DateStyle = ISO; SET IntervalStyle = postgres; SET extra_float_digits = 3;"
    " SET bytea_output = hex; SET TimeZone = 'UTC'; SET synchronize_seqscans = off;"
    " SET statement_timeout = 0; SET lock_timeout = 0; SET row_security = off;"
    " SET idle_in_transaction_session_timeout = 0; SET quote_all_identifiers = off;"
    " SET enable_tidscan = on; SET max_parallel_workers_per_gather = 0";
static const char later_settings[] =
    "SELECT set_config(name, CASE name WHEN 'restrict_nonsystem_relation_kind'"
    " THEN 'view, foreign-table' ELSE '0' END, false) FROM pg_settings"
    " WHERE name IN ('transaction_timeout', 'idle_session_timeout',"
    " 'restrict_nonsystem_relation_kind')";

bool copy_settings(struct pg *db, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct pg_rows ignored;
    return pg_exec(db, before_snapshot, e) && pg_query(a, db, later_settings, PG_NONE, &ignored, e);
}

static bool set_up(struct copier *c, const struct copier_spec *spec, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    return copy_settings(c->db, e) &&
           pg_execf(c->db, e,
                    "SET lock_timeout = %lld;"
                    " SET client_encoding = %s; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                    " SET TRANSACTION SNAPSHOT %s; SAVEPOINT table_lock",
                    (long long)spec->lock_timeout_ms, pg_literal(a, spec->encoding),
                    pg_literal(a, spec->frozen->snapshot));
}

struct copier *copier_open(const struct copier_spec *spec, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe backup",
                                    .query_deadline_ms = spec->query_deadline_ms};
    AUTO(copier) struct copier *c = calloc(1, sizeof(*c));
    if (c != NULL)
        c->text = malloc(MEMBER_TEXT_BYTES);
    if (c == NULL || c->text == NULL) {
        err_sys(e, ERR_SYSTEM, "could not start a worker");
        return NULL;
    }
    c->progress = spec->progress;
    c->packer = packer_open(spec->compression.codec, spec->compression.level, e);
    if (c->packer == NULL)
        return NULL;
    c->db = connection_open(spec->from, &use, e);
    if (c->db == NULL)
        return NULL;
    if (!set_up(c, spec, e)) {
        err_wrap(e, "could not share the snapshot with a worker");
        return NULL;
    }
    return TAKE(c);
}

void copier_close(struct copier *c)
{
    if (c == NULL)
        return;
    pg_close(c->db);
    packer_close(c->packer);
    free(c->text);
    free(c);
}

void copy_count(struct copier *c, size_t bytes, int64_t rows)
{
    c->item_bytes += (int64_t)bytes;
    progress_add(c->progress, (int64_t)bytes, rows);
}

static bool add_packed(struct copier *c, struct datafile *f, const char *text, size_t n,
                       bool starts_row, struct err *e)
{
    struct datafile_piece piece = {.text_n = n, .starts_row = starts_row};
    return packer_pack(c->packer, text, n, &piece.bytes, &piece.n, e) && datafile_add(f, &piece, e);
}

/* Packed by ourselves, added in turn. */
static bool flush(struct copier *c, struct datafile *f, struct err *e)
{
    struct datafile_piece piece = {.text_n = c->used, .starts_row = true};
    if (c->used == 0)
        return true;
    if (!packer_pack(c->packer, c->text, c->used, &piece.bytes, &piece.n, e))
        return false;
    datafile_lock(f);
    bool ok = datafile_add(f, &piece, e);
    datafile_unlock(f);
    copy_count(c, c->used, 0);
    c->used = 0;
    return ok;
}

/* A row that no member holds: its members must follow one another. */
static bool add_long_row(struct copier *c, struct datafile *f, const char *row, size_t n,
                         struct err *e)
{
    bool ok = flush(c, f, e);
    datafile_lock(f);
    for (size_t at = 0; ok && at < n; at += MEMBER_TEXT_BYTES) {
        size_t piece = n - at < MEMBER_TEXT_BYTES ? n - at : MEMBER_TEXT_BYTES;
        ok = add_packed(c, f, row + at, piece, at == 0, e);
    }
    datafile_unlock(f);
    copy_count(c, n, 0);
    return ok;
}

static bool add_row(struct copier *c, struct plan_table *t, const char *row, size_t n,
                    struct err *e)
{
    tally_row(&c->tally, row, n, t->has_nulls);
    if (n > MEMBER_TEXT_BYTES)
        return add_long_row(c, &t->file, row, n, e);
    if (c->used + n > MEMBER_TEXT_BYTES && !flush(c, &t->file, e))
        return false;
    memcpy(c->text + c->used, row, n);
    c->used += n;
    return true;
}

/* Lock and copy are one round trip. */
static bool start_copy(struct copier *c, const struct plan_table *t, const struct plan_item *item,
                       struct err *e)
{
    AUTO(arena) struct arena *a = NULL;
    const char *copy = t->copy;
    if (!item->whole) {
        a = arena_new();
        struct str sql = str_on(a);
        str_printf(&sql, "(SELECT %s FROM ONLY %s WHERE ctid >= '(%lld,0)'", t->columns,
                   t->in.quoted, (long long)item->first_page);
        if (item->end_page >= 0)
            str_printf(&sql, " AND ctid < '(%lld,0)'", (long long)item->end_page);
        str_add(&sql, ")");
        copy = sql.text;
    }
    /* In the buffer that is empty yet; names and columns are far shorter, a condition need not be.
     */
    int n = snprintf(c->text, MEMBER_TEXT_BYTES,
                     "ROLLBACK TO SAVEPOINT table_lock;"
                     " LOCK TABLE ONLY %s IN ACCESS SHARE MODE NOWAIT; COPY %s TO stdout",
                     t->in.quoted, copy);
    if (n < 0 || n >= MEMBER_TEXT_BYTES)
        return err_set(e, ERR_INTERNAL, "a statement is too long");
    return pg_copy_out(c->db, c->text, e);
}

static bool copy_rows(struct copier *c, struct plan_table *t, const struct plan_item *item,
                      struct err *e)
{
    int64_t server_rows = 0;
    if (!start_copy(c, t, item, e))
        return false;
    for (;;) {
        const char *row;
        size_t n;
        if (!pg_copy_row(c->db, &row, &n, &server_rows, e))
            return false;
        if (n == 0)
            break;
        if (!add_row(c, t, row, n, e))
            return false;
    }
    copy_count(c, 0, c->tally.rows);
    if (c->tally.rows != server_rows)
        return err_set(e, ERR_INTERNAL, "%lld rows came, the server says that it sent %lld",
                       (long long)c->tally.rows, (long long)server_rows);
    return flush(c, &t->file, e);
}

/* Generated columns are not in the text. */
static bool count_generated(struct copier *c, struct plan_table *t, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct pg_rows rows;
    const char *sql = arena_printf(a, "SELECT %s FROM ONLY %s %s", t->generated_counts,
                                   t->in.quoted, t->condition == NULL ? "" : t->condition);
    if (!pg_query(a, c->db, sql, PG_NONE, &rows, e))
        return false;
    size_t cell = 0;
    for (size_t i = 0; i < t->to->column_count; i++)
        if (t->to->columns[i].generated && t->to->columns[i].values < 0)
            t->to->columns[i].values = strtoll(rows.cells[cell++], NULL, 10);
    return true;
}

static void take_values(struct plan_table *t)
{
    size_t at = 0;
    for (size_t i = 0; i < t->to->column_count; i++) {
        struct manifest_column *column = &t->to->columns[i];
        if (!column->generated)
            column->values = t->to->rows - t->nulls[at++];
        else if (column->values == 0)
            column->values = t->to->rows; /* never NULL */
    }
}

/* The last worker of a table: what it comes to, and the end of its file. */
static bool end_table(struct copier *c, struct plan_table *t, struct err *e)
{
    struct datafile *f = &t->file;
    take_values(t);
    if (t->generated_counts != NULL && t->to->rows > 0 && !count_generated(c, t, e))
        return false;
    if (t->to->rows == 0)
        for (size_t i = 0; i < t->to->column_count; i++)
            t->to->columns[i].values = 0;
    t->to->text_bytes = f->text_bytes;
    datafile_lock(f);
    bool ok = add_packed(c, f, end_mark, sizeof(end_mark) - 1, f->start_count == 0, e) &&
              datafile_end(f, e);
    datafile_unlock(f);
    if (!ok)
        return false;
    progress_table(c->progress, t->to->schema, t->to->name, t->to->rows, t->to->text_bytes);
    return true;
}

/* True when it was the last part. */
static bool end_part(struct copier *c, struct plan_table *t)
{
    datafile_lock(&t->file);
    t->to->rows += c->tally.rows;
    t->content += c->tally.content;
    for (size_t i = 0; i < t->to->column_count && i < TALLY_COLUMNS; i++)
        t->nulls[i] += c->tally.nulls[i];
    bool last = --t->parts_left == 0;
    datafile_unlock(&t->file);
    return last;
}

static bool copy_part(struct copier *c, struct plan_table *t, const struct plan_item *item,
                      struct err *e)
{
    c->used = 0;
    c->tally = (struct tally){0};
    if ((!t->is_empty && !copy_rows(c, t, item, e)) || (end_part(c, t) && !end_table(c, t, e)))
        return err_wrap(e, "could not copy table %s", t->label);
    return true;
}

bool copy_item(struct copier *c, struct plan *p, const struct plan_item *item, struct err *e)
{
    bool ok = false;
    c->item_bytes = 0;
    switch (item->work) {
    case PLAN_ROWS:
        ok = copy_part(c, &p->tables[item->from], item, e);
        break;
    case PLAN_SEQUENCES:
        ok = copy_sequences(c, p, item, e);
        break;
    case PLAN_LARGE:
        ok = copy_large(c, p, item, e);
        break;
    }
    progress_learn(c->progress, item->weight, c->item_bytes);
    return ok;
}
