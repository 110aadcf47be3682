#include "core/restore/data_text.h"

static bool check_fields(int got, int wanted, int64_t row, struct err *e)
{
    return got == wanted || err_set(e, ERR_DAMAGED, "row %lld of the file has %d fields, not %d",
                                    (long long)row, got, wanted);
}

/* Bytes up to the next separator. */
static size_t field_bytes(const char *text, size_t n)
{
    size_t i = 0;
    while (i < n && text[i] != '\t' && text[i] != '\n')
        i++;
    return i;
}

/* Fields that the next one would be too many of are told here, so that no array is left. */
static bool count_field(int *field, int field_count, int64_t *rows, char separator, struct err *e)
{
    ++*field;
    if (separator == '\t')
        return *field < field_count || check_fields(*field + 1, field_count, *rows + 1, e);
    ++*rows;
    bool ok = check_fields(*field, field_count, *rows, e);
    *field = 0;
    return ok;
}

static void begin_field(struct data_cut *c, struct str *out)
{
    c->begun = true;
    if (c->drop[c->field])
        return;
    if (c->kept)
        str_add_n(out, "\t", 1);
    c->kept = true;
}

bool data_cut_text(void *context, const char *text, size_t n, struct str *out, struct err *e)
{
    struct data_cut *c = context;
    if (n == 0)
        return !c->begun || err_set(e, ERR_DAMAGED, "the file ends within a row");
    while (n > 0) {
        size_t bytes = field_bytes(text, n);
        if (!c->begun)
            begin_field(c, out);
        if (!c->drop[c->field])
            str_add_n(out, text, bytes);
        if (bytes == n)
            return true;
        if (!count_field(&c->field, c->field_count, &c->rows, text[bytes], e))
            return false;
        c->begun = text[bytes] == '\t';
        if (text[bytes] == '\n') {
            str_add_n(out, "\n", 1);
            c->kept = false;
        } else {
            begin_field(c, out);
        }
        text += bytes + 1;
        n -= bytes + 1;
    }
    return true;
}

static char unescaped(char c)
{
    static const char letters[] = "bfnrtv", bytes[] = "\b\f\n\r\t\v";
    const char *at = strchr(letters, c);
    return (char)(at == NULL || c == '\0' ? c : bytes[at - letters]);
}

static void tell(const struct data_look *l)
{
    const struct data_watch *w = &l->watches[l->next];
    char *to = l->value.text;
    if (strcmp(l->value.text, "\\N") == 0)
        return;
    for (const char *from = l->value.text; *from != '\0'; from++) {
        if (*from == '\\' && from[1] != '\0')
            *to++ = unescaped(*++from);
        else
            *to++ = *from;
    }
    *to = '\0';
    w->see(w->context, l->value.text);
}

static bool is_watched(const struct data_look *l)
{
    return l->next < l->watch_count && l->watches[l->next].field == l->field;
}

static bool take_field(struct data_look *l, const char *text, size_t n, char separator,
                       struct err *e)
{
    bool first = l->field == 0;
    /* Of the first one enough is kept to tell the end mark. */
    if (is_watched(l) || (first && l->value.length <= 2))
        str_add_n(&l->value, text, n);
    if (separator == '\0')
        return true;
    if (first && separator == '\n' && strcmp(l->value.text, "\\.") == 0) {
        l->ended = true;
        return true;
    }
    if (is_watched(l)) {
        tell(l);
        l->next++;
    }
    l->value.length = 0;
    l->value.text[0] = '\0';
    if (separator == '\n')
        l->next = 0;
    return count_field(&l->field, l->field_count, &l->rows, separator, e);
}

bool data_look_text(struct data_look *l, const char *text, size_t n, struct err *e)
{
    while (n > 0 && !l->ended) {
        size_t bytes = field_bytes(text, n);
        if (!take_field(l, text, bytes, (char)(bytes == n ? '\0' : text[bytes]), e))
            return false;
        size_t taken = bytes == n ? n : bytes + 1;
        text += taken;
        n -= taken;
    }
    return true;
}
