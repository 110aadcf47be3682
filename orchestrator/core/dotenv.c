#include "core/dotenv.h"

#include <ctype.h>

enum { MOST_EXPANSIONS = 64 }; /* a value that names itself would go on for ever */

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '-';
}

static const char *skip_blanks(const char *p)
{
    while (*p != '\n' && isspace((unsigned char)*p))
        p++;
    return p;
}

static const char *next_line(const char *p)
{
    p += strcspn(p, "\n");
    return *p == '\n' ? p + 1 : p;
}

/* What follows a value must be the end of its line or a comment. */
static bool ends_value(const char *p)
{
    p = skip_blanks(p);
    return *p == '\0' || *p == '\n' || *p == '#';
}

/* A backslash keeps a quote from ending the value, and stays in it: dotenv does so. */
static const char *closing_quote(const char *open)
{
    for (const char *p = open + 1; *p != '\0'; p++) {
        if (*p == '\\' && p[1] == *open)
            p++;
        else if (*p == *open)
            return p;
    }
    return NULL;
}

static char *unescaped(struct arena *a, const char *text, size_t n)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < n; i++) {
        bool escape = text[i] == '\\' && i + 1 < n && (text[i + 1] == 'n' || text[i + 1] == 'r');
        if (escape)
            i++;
        str_add_n(&s, !escape ? &text[i] : text[i] == 'n' ? "\n" : "\r", 1);
    }
    return s.text;
}

/* The value that begins at *p (behind "="), *p moved behind it. */
static char *read_value(struct arena *a, const char **p)
{
    const char *start = skip_blanks(*p);
    if (*start == '"' || *start == '\'' || *start == '`') {
        const char *end = closing_quote(start);
        if (end != NULL && ends_value(end + 1)) {
            *p = end + 1;
            return *start == '"' ? unescaped(a, start + 1, (size_t)(end - start) - 1)
                                 : arena_strndup(a, start + 1, (size_t)(end - start) - 1);
        }
    }
    size_t n = strcspn(start, "#\n");
    *p = start + n;
    return str_trim(a, arena_strndup(a, start, n));
}

/* "KEY" before "=" or ": "; NULL: not an assignment.  *p moves behind the sign. */
static char *read_name(struct arena *a, const char **p)
{
    const char *start = skip_blanks(*p);
    if (str_starts(start, "export") && isblank((unsigned char)start[6]))
        start = skip_blanks(start + 6);
    const char *end = start;
    while (is_name_char(*end))
        end++;
    const char *sign = end == start ? "" : skip_blanks(end);
    bool colon = sign == end && *sign == ':' && isspace((unsigned char)sign[1]);
    if (*sign != '=' && !colon)
        return NULL;
    *p = sign + 1;
    return arena_strndup(a, start, (size_t)(end - start));
}

static char *unix_lines(struct arena *a, const char *text)
{
    struct str s = str_on(a);
    if (str_starts(text, "\xEF\xBB\xBF"))
        text += 3;
    for (; *text != '\0'; text++)
        if (*text != '\r')
            str_add_n(&s, text, 1);
        else if (text[1] != '\n')
            str_add(&s, "\n");
    return s.text;
}

const char *dotenv_get(const struct dotenv *d, const char *name)
{
    for (size_t i = d->names.count; i-- > 0;)
        if (strcmp(d->names.items[i], name) == 0)
            return d->values.items[i];
    return NULL;
}

static char *expanded(struct arena *a, const struct dotenv *d, const char *value, int *left)
{
    struct str s = str_on(a);
    for (const char *p = value; *p != '\0'; p++) {
        bool escaped = str_starts(p, "\\${");
        const char *name = str_starts(p + escaped, "${") ? p + escaped + 2 : NULL;
        size_t n = name == NULL ? 0
                                : strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                               "abcdefghijklmnopqrstuvwxyz0123456789_");
        if (name == NULL || name[n] != '}' || (*left)-- <= 0) {
            str_add_n(&s, p, 1);
            continue;
        }
        const char *key = arena_strndup(a, name, n);
        const char *found = getenv(key) != NULL ? getenv(key) : dotenv_get(d, key);
        if (escaped)
            str_printf(&s, "${%s}", key);
        else if (found != NULL)
            str_add(&s, expanded(a, d, found, left));
        p = name + n;
    }
    return s.text;
}

struct dotenv dotenv_parse(struct arena *a, const char *text)
{
    struct dotenv d = {.names = strlist_on(a), .values = strlist_on(a)};
    for (const char *p = unix_lines(a, text); *p != '\0'; p = next_line(p)) {
        char *name = read_name(a, &p);
        if (name == NULL)
            continue;
        strlist_add(&d.names, name);
        strlist_add(&d.values, read_value(a, &p));
    }
    for (size_t i = 0; i < d.values.count; i++) {
        int left = MOST_EXPANSIONS;
        d.values.items[i] = expanded(a, &d, d.values.items[i], &left);
    }
    return d;
}
