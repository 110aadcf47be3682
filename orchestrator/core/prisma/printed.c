#include "core/prisma/printed.h"

#include <ctype.h>

static const char *after_escape(const char *p)
{
    if (*p == '\0')
        return p;
    if (*p != '[')
        return p + 1;
    for (p++; *p != '\0' && !(*p >= '@' && *p <= '~'); p++)
        continue;
    return *p == '\0' ? p : p + 1;
}

char *printed_plain(struct arena *a, const char *text)
{
    char *plain = arena_strdup(a, text), *to = plain;
    for (const char *p = text; *p != '\0';) {
        if (*p == '\033')
            p = after_escape(p + 1);
        else if (*p == '\r')
            p++;
        else
            *to++ = *p++;
    }
    *to = '\0';
    return plain;
}

/* The lines of a text, each trimmed at its end only: what is indented continues something. */
static struct strlist lines_of(struct arena *a, const char *text)
{
    struct strlist lines = strlist_on(a);
    for (const char *p = text; *p != '\0';) {
        size_t n = strcspn(p, "\n"), keep = n;
        while (keep > 0 && isspace((unsigned char)p[keep - 1]))
            keep--;
        strlist_add(&lines, arena_strndup(a, p, keep));
        p += n + (p[n] == '\n');
    }
    return lines;
}

/* What follows a prefix, or NULL. */
static const char *after(const char *line, const char *prefix)
{
    return str_starts(line, prefix) ? line + strlen(prefix) : NULL;
}

/* The text between two marks of a line, or NULL. */
static const char *between(struct arena *a, const char *line, const char *open, const char *close)
{
    const char *from = strstr(line, open);
    if (from == NULL)
        return NULL;
    from += strlen(open);
    const char *to = strstr(from, close);
    return to == NULL ? NULL : arena_strndup(a, from, (size_t)(to - from));
}

static bool is_code(const char *text)
{
    return text != NULL && text[0] == 'P' && strspn(text + 1, "0123456789") == 4;
}

static bool is_sqlstate(const char *text)
{
    return text != NULL &&
           strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5; /* "none" is none */
}

static void keep_first(const char **to, const char *value)
{
    if ((*to)[0] == '\0' && value != NULL)
        *to = value;
}

static void read_codes(struct arena *a, const char *line, struct printed *p)
{
    const char *code = after(line, "Error: ");
    if (!is_code(code))
        code = after(line, "Error code: ");
    if (is_code(code))
        keep_first(&p->code, arena_strndup(a, code, 5));

    const char *state = after(line, "Database error code: ");
    if (state == NULL)
        state = between(a, line, "SqlState(E", ")");
    if (is_sqlstate(state))
        keep_first(&p->sqlstate, arena_strndup(a, state, 5));

    keep_first(&p->migration, after(line, "Migration name: "));
    if (str_starts(line, "The `") && strstr(line, "` migration started at ") != NULL)
        keep_first(&p->migration, between(a, line, "The `", "` migration started at "));
}

/* Lines that say nothing about an error: where the CLI found its files, boxes around advice. */
static bool is_noise(const char *line)
{
    static const char *const starts[] = {"Loaded Prisma config from",
                                         "Prisma config detected",
                                         "Prisma schema loaded from",
                                         "Environment variables loaded",
                                         "warn ",
                                         "(node:",
                                         "(Use `node",
                                         "\u250c",
                                         "\u2502",
                                         "\u2514"};
    if (line[strspn(line, " \t")] == '\0')
        return true;
    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (str_starts(line, starts[i]))
            return true;
    return false;
}

/* "   0: sql_schema_connector::..." and "  -->  schema.prisma:10" end a message. */
static bool is_trace(const char *line)
{
    const char *p = line + strspn(line, " \t");
    if (p == line)
        return false;
    if (str_starts(p, "-->") || str_starts(p, "at "))
        return true;
    size_t digits = strspn(p, "0123456789");
    return digits > 0 && p[digits] == ':';
}

/* Everybody gets this sentence; it hides what differs. */
static void without_advice(char *text)
{
    char *from = strstr(text, " Read more about how to resolve");
    char *url = from == NULL ? NULL : strstr(from, "https://");
    if (url == NULL)
        return;
    const char *rest = url + strcspn(url, " ");
    memmove(from, rest, strlen(rest) + 1);
}

/* The paragraph that starts at or after line i, as one line. */
static const char *paragraph(struct arena *a, const struct strlist *lines, size_t i)
{
    struct str s = str_on(a);
    while (i < lines->count &&
           (lines->items[i][0] == '\0' || str_starts(lines->items[i], "Error code: ")))
        i++;
    for (; i < lines->count && lines->items[i][0] != '\0' && !is_trace(lines->items[i]); i++) {
        str_item(&s, " ", lines->items[i] + strspn(lines->items[i], " \t"));
        if (str_ends(lines->items[i], " with the following logs:"))
            break;
    }
    without_advice(s.text);
    return s.text;
}

/* The first line of an error often names only its kind. */
static bool is_heading(const char *text)
{
    return text[0] == '\0' || strcmp(text, "external connector error") == 0 ||
           strcmp(text, "Schema engine error:") == 0 ||
           str_starts(text, "Prisma schema validation") || (is_code(text) && text[5] == '\0');
}

static const char *without_prefix(const char *text)
{
    static const char *const prefixes[] = {"Error querying the database: ", "error: "};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (after(text, prefixes[i]) != NULL)
            text = after(text, prefixes[i]);
    return text;
}

static size_t find_line(const struct strlist *lines, const char *prefix)
{
    size_t i = 0;
    while (i < lines->count && !str_starts(lines->items[i], prefix))
        i++;
    return i;
}

/* P1002 says only further down that it was Prisma's own lock. */
static const char *with_context(struct arena *a, const struct strlist *lines, const char *message)
{
    size_t i = find_line(lines, "Context: ");
    return i == lines->count ? message : arena_printf(a, "%s %s", message, lines->items[i]);
}

static const char *first_error(struct arena *a, const struct strlist *lines, bool old)
{
    size_t database = find_line(lines, "Database error:");
    if (database < lines->count && !old)
        return paragraph(a, lines, database + 1);

    size_t i = find_line(lines, "Error: ");
    if (i == lines->count) {
        for (i = 0; i < lines->count && is_noise(lines->items[i]); i++)
            continue;
        return i == lines->count ? "" : paragraph(a, lines, i);
    }
    const char *text = lines->items[i] + strlen("Error: ");
    if (is_code(text) && str_starts(text + 5, ": "))
        return paragraph(a, lines, i) + strlen("Error: P1001: ");
    if (is_heading(text))
        return with_context(a, lines, without_prefix(paragraph(a, lines, i + 1)));
    return without_prefix(paragraph(a, lines, i) + strlen("Error: "));
}

/* Datasource "db": PostgreSQL database "app", schema "public" at "localhost:5432" */
static void read_target(struct arena *a, const char *line, struct printed *p)
{
    if (!str_starts(line, "Datasource \"") || p->database != NULL)
        return;
    p->database = between(a, line, " database \"", "\"");
    p->location = between(a, line, " at \"", "\"");
}

static bool is_success(const char *line)
{
    return strcmp(line, "All migrations have been successfully applied.") == 0 ||
           strcmp(line, "No pending migrations to apply.") == 0;
}

struct printed printed_read(struct arena *a, const char *out, const char *err)
{
    struct printed p = {.code = "", .sqlstate = "", .migration = "", .applying = "", .message = ""};
    struct strlist said = lines_of(a, printed_plain(a, out == NULL ? "" : out));
    struct strlist errors = lines_of(a, printed_plain(a, err == NULL ? "" : err));
    for (size_t i = 0; i < said.count; i++) {
        const char *name = between(a, said.items[i], "Applying migration `", "`");
        if (name != NULL)
            p.applying = name;
        read_target(a, said.items[i], &p);
        p.success = p.success || is_success(said.items[i]);
    }
    for (size_t i = 0; i < errors.count; i++)
        read_codes(a, errors.items[i], &p);
    /* Prisma 5 adds what the failed run had printed to its refusal of the next one. */
    bool old = strcmp(p.code, "P3009") == 0;
    if (old)
        p.sqlstate = "";
    p.message = first_error(a, &errors, old);
    return p;
}
