#include "core/prisma/words.h"

#include "base/str.h"

#include <ctype.h>

static void add(struct words *w, enum word_kind kind, const char *text, size_t n)
{
    if (w->count == w->size) {
        size_t size = w->size == 0 ? 256 : 2 * w->size;
        struct word *items = arena_array(w->arena, size, sizeof(*items));
        if (w->count > 0)
            memcpy(items, w->items, w->count * sizeof(*items));
        w->items = items;
        w->size = size;
    }
    w->items[w->count++] = (struct word){kind, arena_strndup(w->arena, text, n)};
}

static const char *end_of_line(const char *p, const char *end)
{
    const char *at = memchr(p, '\n', (size_t)(end - p));
    return at == NULL ? end : at;
}

static const char *end_of_comment(const char *p, const char *end)
{
    const char *at = memmem(p, (size_t)(end - p), "*/", 2);
    return at == NULL ? end : at + 2;
}

/* p: after the opening quote.  A string ends at its line's end at the latest, so that a lone
 * apostrophe costs one line. */
static const char *read_string(struct words *w, const char *p, const char *end, char quote)
{
    struct str s = str_on(w->arena);
    while (p < end && *p != quote && *p != '\n') {
        if (*p == '\\' && p + 1 < end)
            p++;
        str_add_n(&s, p++, 1);
    }
    add(w, WORD_TEXT, s.text, s.length);
    return p < end ? p + 1 : p;
}

static const char *read_words(struct words *w, const char *p, const char *end, bool inside);

/* p: after the opening backtick. */
static const char *read_template(struct words *w, const char *p, const char *end)
{
    struct str s = str_on(w->arena);
    bool plain = true;
    while (p < end && *p != '`') {
        if (*p == '$' && p + 1 < end && p[1] == '{') {
            if (plain)
                add(w, WORD_MARK, "`", 1);
            plain = false;
            p = read_words(w, p + 2, end, true);
            continue;
        }
        if (*p == '\\' && p + 1 < end)
            p++;
        str_add_n(&s, p++, 1);
    }
    if (plain)
        add(w, WORD_TEXT, s.text, s.length);
    return p < end ? p + 1 : p;
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static const char *read_word(struct words *w, const char *p, const char *end)
{
    if (isspace((unsigned char)*p))
        return p + 1;
    if (*p == '/' && p + 1 < end && p[1] == '/')
        return end_of_line(p, end);
    if (*p == '/' && p + 1 < end && p[1] == '*')
        return end_of_comment(p + 2, end);
    if (*p == '"' || *p == '\'')
        return read_string(w, p + 1, end, *p);
    if (*p == '`')
        return read_template(w, p + 1, end);
    const char *start = p;
    while (p < end && is_name_char(*p))
        p++;
    if (p > start)
        add(w, WORD_NAME, start, (size_t)(p - start));
    else
        add(w, WORD_MARK, p++, 1);
    return p;
}

/* inside: of a template's ${}; its closing brace ends the words and is none. */
static const char *read_words(struct words *w, const char *p, const char *end, bool inside)
{
    size_t open = 0;
    while (p < end) {
        if (inside && *p == '}' && open == 0)
            return p + 1;
        if (*p == '{')
            open++;
        else if (*p == '}' && open > 0)
            open--;
        p = read_word(w, p, end);
    }
    return p;
}

struct words words_of(struct arena *a, const char *text, size_t length)
{
    struct words w = {.arena = a};
    read_words(&w, text, text + length, false);
    return w;
}

static bool word_is(const struct words *w, size_t i, enum word_kind kind)
{
    return i < w->count && w->items[i].kind == kind;
}

bool word_is_mark(const struct words *w, size_t i, char mark)
{
    return word_is(w, i, WORD_MARK) && w->items[i].text[0] == mark;
}

bool word_is_name(const struct words *w, size_t i, const char *name)
{
    return word_is(w, i, WORD_NAME) && strcmp(w->items[i].text, name) == 0;
}

const char *word_text(const struct words *w, size_t i)
{
    return word_is(w, i, WORD_TEXT) ? w->items[i].text : NULL;
}
