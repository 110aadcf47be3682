#include "core/backup/insert_text.h"

void insert_text_begin(struct insert_text *t, struct pack *to, const char *before,
                       const char *empty)
{
    t->to = to;
    t->before = before;
    t->empty = empty;
    t->rows = 0;
    t->ended = false;
    t->state = INSERT_ROW;
    t->used = 0;
}

static bool put(struct insert_text *t, const char *bytes, size_t n, struct err *e)
{
    if (t->used + n > INSERT_BUFFER) {
        if (!pack_write(t->to, t->buffer, t->used, e))
            return false;
        t->used = 0;
    }
    if (n > INSERT_BUFFER)
        return pack_write(t->to, bytes, n, e);
    memcpy(t->buffer + t->used, bytes, n);
    t->used += n;
    return true;
}

static bool put_text(struct insert_text *t, const char *text, struct err *e)
{
    return put(t, text, strlen(text), e);
}

/* The row or the field that begins here has a value. */
static bool begin_value(struct insert_text *t, struct err *e)
{
    bool first = t->state == INSERT_ROW || t->state == INSERT_FIRST;
    t->state = INSERT_VALUE;
    return put_text(t, first ? t->before : ", ", e) && put_text(t, "'", e);
}

static bool begin_null(struct insert_text *t, struct err *e)
{
    bool first = t->state == INSERT_FIRST;
    t->state = INSERT_NULL;
    return put_text(t, first ? t->before : ", ", e) && put_text(t, "NULL", e);
}

/* At a tab or a line end. */
static bool end_field(struct insert_text *t, char c, struct err *e)
{
    bool starts = t->state == INSERT_ROW || t->state == INSERT_FIELD;
    if (starts && !begin_value(t, e)) /* an empty text */
        return false;
    if (t->state == INSERT_VALUE && !put_text(t, "'", e))
        return false;
    t->state = c == '\t' ? INSERT_FIELD : INSERT_ROW;
    t->rows += c == '\n';
    return c == '\t' || put_text(t, ");\n", e);
}

/* A row of a table without columns is an empty line. */
static bool end_empty(struct insert_text *t, struct err *e)
{
    t->rows++;
    return put_text(t, t->empty, e);
}

static const char *unescaped(char c)
{
    switch (c) {
    case 'b':
        return "\b";
    case 'f':
        return "\f";
    case 'n':
        return "\n";
    case 'r':
        return "\r";
    case 't':
        return "\t";
    case 'v':
        return "\v";
    case '\\':
        return "\\";
    default:
        return NULL;
    }
}

static bool put_escaped(struct insert_text *t, char c, struct err *e)
{
    const char *plain = unescaped(c);
    if (t->state == INSERT_FIRST && c == '.') {
        t->state = INSERT_MARK;
        return true;
    }
    if (t->state != INSERT_ESCAPE && c == 'N')
        return begin_null(t, e);
    if (plain == NULL)
        return err_set(e, ERR_DAMAGED, "row %lld has an escape that is none of COPY's",
                       (long long)t->rows + 1);
    if (t->state != INSERT_ESCAPE && !begin_value(t, e))
        return false;
    t->state = INSERT_VALUE;
    return put_text(t, plain, e);
}

static bool is_escape(enum insert_state state)
{
    return state == INSERT_FIRST || state == INSERT_START || state == INSERT_ESCAPE;
}

static enum insert_state behind_backslash(enum insert_state state)
{
    return state == INSERT_ROW     ? INSERT_FIRST
           : state == INSERT_FIELD ? INSERT_START
                                   : INSERT_ESCAPE;
}

/* One byte that is not plain, or where more than a plain byte is due. */
static bool take(struct insert_text *t, char c, struct err *e)
{
    if (is_escape(t->state))
        return put_escaped(t, c, e);
    if (t->state == INSERT_MARK && c == '\n') {
        t->ended = true;
        return true;
    }
    if (t->empty != NULL && c == '\n' && t->state == INSERT_ROW)
        return end_empty(t, e);
    if (c == '\t' || c == '\n')
        return end_field(t, c, e);
    if (t->state == INSERT_NULL || t->state == INSERT_MARK)
        return err_set(e, ERR_DAMAGED, "row %lld has an escape that is none of COPY's",
                       (long long)t->rows + 1);
    if (c == '\\') {
        t->state = behind_backslash(t->state);
        return true;
    }
    if (t->state != INSERT_VALUE && !begin_value(t, e))
        return false;
    return c == '\'' ? put_text(t, "''", e) : put(t, &c, 1, e);
}

static bool is_plain(char c)
{
    return c != '\t' && c != '\n' && c != '\\' && c != '\'';
}

bool insert_text_add(struct insert_text *t, const char *text, size_t n, struct err *e)
{
    for (const char *end = text + n; text < end;) {
        const char *p = text;
        if (t->ended && *p != '\n')
            return err_set(e, ERR_DAMAGED, "text follows the end mark");
        while (t->state == INSERT_VALUE && p < end && is_plain(*p))
            p++;
        if (p > text && !put(t, text, (size_t)(p - text), e))
            return false;
        if (p < end && !t->ended && !take(t, *p, e))
            return false;
        text = p < end ? p + 1 : p;
    }
    return true;
}

bool insert_text_end(struct insert_text *t, struct err *e)
{
    if (t->state != INSERT_ROW && !t->ended)
        return err_set(e, ERR_DAMAGED, "it ends within row %lld", (long long)t->rows + 1);
    size_t n = t->used;
    t->used = 0;
    return pack_write(t->to, t->buffer, n, e);
}
