#include "core/settings/dotenv.h"

#include <ctype.h>

enum { VALUE_MAX = 1 << 16 }; /* of a value that grows by what it names */

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

/* The quote that ends a value.  An escaped one does so only when no other does: "C:\\" is a value.
 */
static const char *closing_quote(const char *open)
{
    const char *last_escaped = NULL, *p = open + 1;
    for (; *p != '\0' && *p != *open; p++)
        if (*p == '\\' && p[1] == *open) {
            p++;
            last_escaped = ends_value(p + 1) ? p : last_escaped;
        }
    return *p == *open && ends_value(p + 1) ? p : last_escaped;
}

static char *unescaped(struct arena *a, const char *text)
{
    struct str s = str_on(a);
    for (const char *p = text; *p != '\0'; p++) {
        bool escape = *p == '\\' && (p[1] == 'n' || p[1] == 'r');
        if (escape)
            p++;
        str_add_n(&s, !escape ? p : *p == 'n' ? "\n" : "\r", 1);
    }
    return s.text;
}

/* The value that begins at *p (behind "="), *p moved behind it. */
static char *read_value(struct arena *a, const char **p)
{
    const char *start = skip_blanks(*p);
    const char *end = *start != '\0' && strchr("\"'`", *start) ? closing_quote(start) : NULL;
    size_t n = end == NULL ? strcspn(start, "#\n") : (size_t)(end - start) + 1;
    *p = start + n;
    const char *value = str_trim(a, arena_strndup(a, start, n));
    n = strlen(value);
    bool quoted = n >= 2 && strchr("\"'`", value[0]) != NULL && value[n - 1] == value[0];
    const char *inner = arena_strndup(a, value + quoted, quoted ? n - 2 : n);
    return value[0] == '"' ? unescaped(a, inner) : arena_strdup(a, inner);
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

/* The names whose values are being put in: one of them again would go on for ever. */
struct inside {
    const char *name;
    const struct inside *outer;
};

static bool is_inside(const struct inside *in, const char *name)
{
    for (; in != NULL; in = in->outer)
        if (strcmp(in->name, name) == 0)
            return true;
    return false;
}

/* "${NAME}" at p: its name; NULL: something else. */
static char *reference(struct arena *a, const char *p)
{
    if (!str_starts(p, "${"))
        return NULL;
    size_t n = strspn(p + 2, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    return p[2 + n] == '}' ? arena_strndup(a, p + 2, n) : NULL;
}

static char *expanded(struct arena *a, const struct dotenv *d, const char *value,
                      const struct inside *outer)
{
    struct str s = str_on(a);
    for (const char *p = value; *p != '\0' && s.length < VALUE_MAX; p++) {
        bool escaped = str_starts(p, "\\${");
        const char *name = reference(a, p + escaped);
        if (name == NULL) {
            str_add_n(&s, p, 1);
            continue;
        }
        const struct inside in = {.name = name, .outer = outer};
        const char *found = getenv(name) != NULL ? getenv(name) : dotenv_get(d, name);
        if (escaped)
            str_printf(&s, "${%s}", name);
        else if (found != NULL && !is_inside(outer, name))
            str_add(&s, expanded(a, d, found, &in));
        p += escaped + strlen("${") + strlen(name);
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
        const struct inside in = {.name = d.names.items[i]};
        d.values.items[i] = expanded(a, &d, d.values.items[i], &in);
    }
    return d;
}
