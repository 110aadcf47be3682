#include "base/str.h"

#include <ctype.h>
#include <stdarg.h>

struct str str_on(struct arena *a)
{
    return (struct str){.arena = a, .text = arena_alloc(a, 64), .size = 64};
}

static void reserve(struct str *s, size_t more)
{
    if (s->size - s->length > more)
        return;
    size_t size = s->size * 2 > s->length + more + 1 ? s->size * 2 : s->length + more + 1;
    char *text = arena_alloc(s->arena, size);
    memcpy(text, s->text, s->length + 1);
    s->text = text;
    s->size = size;
}

void str_add_n(struct str *s, const char *bytes, size_t n)
{
    reserve(s, n);
    memcpy(s->text + s->length, bytes, n);
    s->length += n;
    s->text[s->length] = '\0';
}

void str_add(struct str *s, const char *text)
{
    str_add_n(s, text, strlen(text));
}

void str_printf(struct str *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    reserve(s, (size_t)n);
    va_start(ap, fmt);
    vsnprintf(s->text + s->length, (size_t)n + 1, fmt, ap);
    va_end(ap);
    s->length += (size_t)n;
}

void str_item(struct str *s, const char *separator, const char *text)
{
    if (s->length > 0)
        str_add(s, separator);
    str_add(s, text);
}

bool str_starts(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

bool str_same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

char *str_trim(struct arena *a, const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        n--;
    return arena_strndup(a, text, n);
}

/* Bytes of the UTF-8 character at p; 0: it is none (overlong, a surrogate, cut). */
static size_t utf8_length(const unsigned char *p)
{
    static const struct {
        unsigned char first, last, least, most; /* of the first byte, and of the second */
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (p[0] < forms[i].first || p[0] > forms[i].last)
            continue;
        if (forms[i].length > 1 && (p[1] < forms[i].least || p[1] > forms[i].most))
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if (p[k] < 0x80 || p[k] > 0xbf)
                return 0;
        return forms[i].length;
    }
    return 0;
}

char *str_printable(struct arena *a, const char *text)
{
    struct str s = str_on(a);
    for (const char *p = text; *p != '\0';) {
        unsigned char c = (unsigned char)*p;
        size_t n = utf8_length((const unsigned char *)p);
        bool control = (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
        if (n == 0 || control)
            str_add(&s, "?");
        else
            str_add_n(&s, p, n);
        p += n == 0 ? 1 : n;
    }
    return s.text;
}

char *str_count(struct arena *a, int64_t n)
{
    char digits[32];
    snprintf(digits, sizeof(digits), "%lld", (long long)n);
    struct str s = str_on(a);
    size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-')
            str_add(&s, " ");
        str_add_n(&s, &digits[i], 1);
    }
    return s.text;
}

char *str_bytes(struct arena *a, int64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    if (bytes < 1024)
        return arena_printf(a, "%lld bytes", (long long)bytes);
    double value = (double)bytes / 1024;
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < ARRAY_LEN(units)) {
        value /= 1024;
        unit++;
    }
    return arena_printf(a, value < 10 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

char *str_plural(struct arena *a, int64_t n, const char *one, const char *many)
{
    return arena_printf(a, "%s %s", str_count(a, n), n == 1 ? one : many);
}

struct strlist strlist_on(struct arena *a)
{
    return (struct strlist){.arena = a, .items = arena_array(a, 8, sizeof(char *)), .size = 8};
}

void strlist_add(struct strlist *l, const char *text)
{
    if (l->count + 1 >= l->size) {
        const char **items = arena_array(l->arena, l->size * 2, sizeof(*items));
        memcpy(items, l->items, l->count * sizeof(*items));
        l->items = items;
        l->size *= 2;
    }
    l->items[l->count++] = text;
}

void strlist_printf(struct strlist *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text;
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    strlist_add(l, arena_strndup(l->arena, text, (size_t)n));
    free(text);
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void strlist_sort(struct strlist *l)
{
    if (l->count > 1)
        qsort(l->items, l->count, sizeof(*l->items), by_bytes);
}

bool strlist_has(const struct strlist *l, const char *text)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->items[i], text) == 0)
            return true;
    return false;
}

char *strlist_join(const struct strlist *l, const char *separator)
{
    struct str s = str_on(l->arena);
    for (size_t i = 0; i < l->count; i++)
        str_item(&s, separator, l->items[i]);
    return s.text;
}
