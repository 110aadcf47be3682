#include "core/restore/proof_order.h"

#include "base/fs.h"
#include "base/stop.h"
#include "ext/hash.h"
#include "ext/member.h"
#include "ext/pg.h"

struct field {
    const char *text;
    size_t length;
};

struct reorder {
    const size_t *from; /* by new place: the field of the file */
    size_t count;
    struct field *fields; /* of a row of the file */
    struct str row;       /* what has come of it */
    struct str out;
    uint64_t content;
};

static bool field_of(const struct manifest_table *t, const char *column, size_t *field)
{
    *field = 0;
    for (size_t i = 0; i < t->column_count; i++) {
        if (t->columns[i].generated)
            continue;
        if (strcmp(t->columns[i].name, column) == 0)
            return true;
        ++*field;
    }
    return false;
}

static bool find_fields(struct arena *a, const struct manifest_table *t,
                        const struct manifest_table *like, struct reorder *r, struct err *e)
{
    size_t *from = arena_array(a, like->column_count + 1, sizeof(*from));
    for (size_t i = 0; i < like->column_count; i++) {
        if (like->columns[i].generated)
            continue;
        if (!field_of(t, like->columns[i].name, &from[r->count]))
            return err_set(e, ERR_DAMAGED, "table %s has no column \"%s\" as %s has",
                           pg_ident2(a, t->schema, t->name), like->columns[i].name,
                           pg_ident2(a, like->schema, like->name));
        r->count++;
    }
    r->from = from;
    r->fields = arena_array(a, r->count + 1, sizeof(*r->fields));
    return true;
}

static bool split(struct reorder *r, struct err *e)
{
    const char *at = r->row.text, *end = at + r->row.length - 1; /* the line end */
    size_t n = 0;
    for (bool more = true; more; n++) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        more = tab != NULL;
        if (n < r->count)
            r->fields[n] = (struct field){at, (size_t)((more ? tab : end) - at)};
        at = more ? tab + 1 : end;
    }
    return n == r->count || (n == 1 && r->count == 0) ||
           err_set(e, ERR_DAMAGED, "a row has %zu fields instead of %zu", n, r->count);
}

static bool end_row(struct reorder *r, struct err *e)
{
    bool is_end_mark = r->row.length == 3 && memcmp(r->row.text, "\\.\n", 3) == 0;
    bool is_nothing = r->row.length == 1 && r->count > 1; /* a line behind the end mark */
    if (!is_end_mark && !is_nothing) {
        if (!split(r, e))
            return false;
        r->out.length = 0;
        for (size_t i = 0; i < r->count; i++) {
            const struct field *f = &r->fields[r->from[i]];
            str_add_n(&r->out, f->text, f->length);
            str_add_n(&r->out, i + 1 < r->count ? "\t" : "\n", 1);
        }
        r->content += hash_of(r->out.text, r->out.length);
    }
    r->row.length = 0;
    return true;
}

static bool add(struct reorder *r, const char *text, size_t n, struct err *e)
{
    for (const char *end = text + n; text < end;) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((line_end == NULL ? end : line_end + 1) - text);
        str_add_n(&r->row, text, length);
        if (line_end != NULL && !end_row(r, e))
            return false;
        text += length;
    }
    return true;
}

bool proof_content_as(const struct stored *backup, const struct manifest_table *t,
                      const struct manifest_table *like, uint64_t *content, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct reorder r = {.row = str_on(a), .out = str_on(a)};
    *content = 0;
    if (t->file == NULL)
        return true;
    const struct member_range range = {.path = fs_join(a, backup->folder, t->file),
                                       .name = store_file_label(a, t->file, t),
                                       .to = -1,
                                       .codec = member_codec_of(t->file)};
    if (!find_fields(a, t, like, &r, e))
        return false;
    AUTO(member) struct member_reader *reader = member_open(&range, e);
    const char *text;
    if (reader == NULL)
        return false;
    for (size_t n = 1; n > 0;)
        if (!stop_check(e) || !member_read(reader, &text, &n, e) ||
            (!add(&r, text, n, e) && !err_wrap(e, "%s", range.name)))
            return false;
    *content = r.content;
    return true;
}
