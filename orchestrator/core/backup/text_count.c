#include "core/backup/text_count.h"

struct text_count text_count_on(struct arena *a, size_t columns)
{
    return (struct text_count){.columns = columns,
                               .nulls = arena_array(a, columns + 1, sizeof(int64_t)),
                               .hash = hash_new(a)};
}

static void end_field(struct text_count *c)
{
    if (c->field_bytes == 2 && c->head[0] == '\\' && c->head[1] == 'N' && c->field < c->columns)
        c->nulls[c->field]++;
    c->field++;
    c->field_bytes = 0;
}

/* A part of a row, without its line end. */
static void read_fields(struct text_count *c, const char *text, size_t n)
{
    const char *end = text + n;
    for (;;) {
        const char *tab = memchr(text, '\t', (size_t)(end - text));
        size_t length = (size_t)((tab == NULL ? end : tab) - text);
        for (size_t i = 0; i < length && c->field_bytes + (int64_t)i < 2; i++)
            c->head[c->field_bytes + (int64_t)i] = text[i];
        c->field_bytes += (int64_t)length;
        if (tab == NULL)
            return;
        end_field(c);
        text = tab + 1;
    }
}

static bool end_row(struct text_count *c, uint64_t hash, struct err *e)
{
    size_t fields = c->field + (c->columns > 0 || c->row_bytes > 1);
    if (c->row_bytes == 3 && c->field == 0 && c->head[0] == '\\' && c->head[1] == '.') {
        c->ended = true;
        return true;
    }
    c->rows++;
    c->bytes += c->row_bytes;
    c->content += hash;
    end_field(c);
    if (fields == c->columns)
        return true;
    c->odd_width = true;
    return c->any_width ||
           err_set(e, ERR_DAMAGED, "row %lld has %zu fields, its table has %zu columns",
                   (long long)c->rows, fields, c->columns);
}

static void begin_row(struct text_count *c)
{
    c->field = 0;
    c->field_bytes = c->row_bytes = 0;
    c->within = false;
}

/* A line, or the part of it that this piece has. */
static bool read_line(struct text_count *c, const char *text, size_t n, bool whole, struct err *e)
{
    bool in_one = whole && !c->within;
    if (!in_one && !c->within)
        hash_begin(c->hash);
    if (!in_one)
        hash_add(c->hash, text, n);
    c->row_bytes += (int64_t)n;
    c->within = true;
    read_fields(c, text, whole ? n - 1 : n);
    if (!whole)
        return true;
    bool ok = end_row(c, in_one ? hash_of(text, n) : hash_end(c->hash), e);
    begin_row(c);
    return ok;
}

bool text_count_add(struct text_count *c, const char *text, size_t n, struct err *e)
{
    for (const char *end = text + n; text < end;) {
        const char *line_end = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((line_end == NULL ? end : line_end + 1) - text);
        if (c->ended && *text != '\n')
            return err_set(e, ERR_DAMAGED, "text follows the end mark");
        if (c->ended) {
            text++;
            continue;
        }
        if (!read_line(c, text, length, line_end != NULL, e))
            return false;
        text += length;
    }
    return true;
}

bool text_count_end(const struct text_count *c, struct err *e)
{
    return !c->within || err_set(e, ERR_DAMAGED, "it ends within row %lld", (long long)c->rows + 1);
}
