#include "core/restore/load.h"

#include "base/fs.h"
#include "ext/member.h"

/* Where in the text we are: the end mark is a line that begins with \. and a row never does, since
 * a backslash in a value is written twice. */
struct loading {
    struct arena *arena;
    struct pg *db;
    const struct load_spec *spec;
    struct str changed;
    bool at_line_start;
    bool held;  /* a backslash at the start of a line, not passed on yet */
    bool ended; /* the mark was seen */
};

static bool pass(struct loading *l, const char *text, size_t n, bool last, struct err *e)
{
    const struct load_spec *s = l->spec;
    if (n > 0)
        l->at_line_start = text[n - 1] == '\n';
    if (s->change == NULL)
        return n == 0 || pg_copy_send(l->db, text, n, e);
    if (n == 0 && !last)
        return true;
    l->changed.length = 0;
    if (s->change(s->context, text, n, &l->changed, e))
        return l->changed.length == 0 || pg_copy_send(l->db, l->changed.text, l->changed.length, e);
    pg_copy_abort(l->db);
    return false;
}

/* What follows the mark: the rest of its line and two empty ones, as pg_dump writes it. */
static bool check_after_mark(struct loading *l, const char *text, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] != '\n') {
            pg_copy_abort(l->db);
            return err_set(e, ERR_DAMAGED, "something follows the end mark of the rows");
        }
    return true;
}

/* n > 0.  The mark, if it begins in this piece or ends in it. */
static bool take_piece(struct loading *l, const char *text, size_t n, struct err *e)
{
    static const char mark[] = "\n\\.";
    if (l->ended)
        return check_after_mark(l, text, n, e);
    if (l->held && text[0] != '.' && !pass(l, "\\", 1, false, e))
        return false;
    bool starts = l->at_line_start && n > 1 && text[0] == '\\' && text[1] == '.';
    if (l->held ? text[0] == '.' : starts) {
        size_t skip = l->held ? 1 : 2;
        l->ended = true;
        l->held = false;
        return check_after_mark(l, text + skip, n - skip, e);
    }
    l->held = false;
    const char *found = memmem(text, n, mark, sizeof(mark) - 1);
    if (found != NULL) {
        size_t rows = (size_t)(found - text) + 1;
        l->ended = true;
        return pass(l, text, rows, false, e) &&
               check_after_mark(l, found + sizeof(mark) - 1, n - rows - 2, e);
    }
    l->held = text[n - 1] == '\\' && (n == 1 ? l->at_line_start : text[n - 2] == '\n');
    return pass(l, text, n - l->held, false, e);
}

static bool send_all(struct loading *l, struct member_reader *from, struct err *e)
{
    const char *text;
    size_t n;
    for (;;) {
        if (!member_read(from, &text, &n, e)) {
            pg_copy_abort(l->db);
            return false;
        }
        if (n == 0)
            return (!l->held || pass(l, "\\", 1, false, e)) && pass(l, NULL, 0, true, e);
        if (!take_piece(l, text, n, e))
            return false;
        progress_add(l->spec->progress, (int64_t)n, 0);
    }
}

static bool load_file(struct arena *a, struct pg *db, const struct load_spec *spec,
                      const char *name, int64_t *rows, struct err *e)
{
    const struct member_range range = {.path = fs_join(a, spec->folder, spec->table->file),
                                       .name = name,
                                       .from = spec->from,
                                       .to = spec->to,
                                       .codec = member_codec_of(spec->table->file)};
    struct loading l = {
        .arena = a, .db = db, .spec = spec, .changed = str_on(a), .at_line_start = true};
    AUTO(member) struct member_reader *from = member_open(&range, e);
    return from != NULL && pg_copy_in(db, spec->copy, e) && send_all(&l, from, e) &&
           pg_copy_done(db, rows, e);
}

bool load_text(struct pg *db, const struct load_spec *spec, int64_t *rows, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    const struct manifest_table *t = spec->table;
    const char *name = arena_printf(a, "file \"%s\"", t->file);
    return load_file(a, db, spec, name, rows, e) ||
           err_wrap(e, "could not load table \"%s\".\"%s\"", t->schema, t->name);
}

bool load_checked(struct pg *db, struct err *e)
{
    return pg_exec(db,
                   "SELECT pg_catalog.set_config('session_replication_role', 'origin', false)"
                   " WHERE pg_catalog.current_setting('session_replication_role') <> 'origin'",
                   e) ||
           err_wrap(e, "foreign keys would not be checked");
}

char *load_columns(struct arena *a, const struct manifest_table *t)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < t->column_count; i++)
        if (!t->columns[i].generated)
            str_item(&s, ", ", pg_ident(a, t->columns[i].name));
    return s.length == 0 ? s.text : arena_printf(a, "(%s)", s.text);
}

char *load_copy(struct arena *a, const struct manifest *m, const char *target, const char *columns,
                const char *options)
{
    const char *encoding = m->data_encoding != NULL ? m->data_encoding : m->database.encoding;
    return arena_printf(a, "COPY %s %s FROM STDIN WITH (ENCODING %s%s%s)", target, columns,
                        pg_literal(a, encoding), options == NULL ? "" : ", ",
                        options == NULL ? "" : options);
}

bool load_money(struct pg *db, const char *lc_monetary)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err unknown = {0};
    return lc_monetary != NULL &&
           pg_execf(db, &unknown, "SET lc_monetary = %s", pg_literal(a, lc_monetary));
}

bool load_session(struct pg *db, const struct manifest *m, struct err *e)
{
    load_money(db, manifest_lc_monetary(m));
    return pg_exec(db,
                   "SET default_transaction_read_only = off; SET statement_timeout = 0;"
                   "SET lock_timeout = 0; SET synchronous_commit = off;"
                   /* What role or database say of it would change values, or refuse them. */
                   "SET array_nulls = on; SET xmloption = content;"
                   "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings"
                   " WHERE name IN ('transaction_timeout', 'idle_session_timeout')",
                   e) ||
           err_wrap(e, "could not set up the session");
}
