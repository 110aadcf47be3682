#include "core/rehearsal/reach.h"

#include <ctype.h>
#include <strings.h>

enum { WORDS_MAX = 3 };

/* In order: of two that begin alike the longer first; harmless ones stop the search. */
static const struct {
    const char *words[WORDS_MAX];
    bool harmless;
} reaching[] = {
    {{"create", "user", "mapping"}, true},
    {{"alter", "user", "mapping"}, true},
    {{"drop", "user", "mapping"}, true},
    {{"create", "role"}, false},
    {{"create", "user"}, false},
    {{"create", "group"}, false},
    {{"alter", "role"}, false},
    {{"alter", "user"}, false},
    {{"alter", "group"}, false},
    {{"drop", "role"}, false},
    {{"drop", "user"}, false},
    {{"drop", "group"}, false},
    {{"drop", "owned"}, false},
    {{"reassign", "owned"}, false},
    {{"alter", "system"}, false},
    {{"create", "database"}, false},
    {{"alter", "database"}, false},
    {{"drop", "database"}, false},
    {{"on", "database"}, false},
    {{"create", "tablespace"}, false},
    {{"alter", "tablespace"}, false},
    {{"drop", "tablespace"}, false},
    {{"create", "subscription"}, false},
    {{"alter", "subscription"}, false},
    {{"drop", "subscription"}, false},
    {{"to", "program"}, false},
    {{"from", "program"}, false},
};

/* With a "(" behind it; one that ends with "*" stands for all that begin so. */
static const char *const calls[] = {
    "dblink*",
    "http",
    "http_get",
    "http_post",
    "http_put",
    "http_patch",
    "http_delete",
    "http_head",
    "net.http_*",
    "aws_s3.*",
    "aws_lambda.*",
    "cron.*",
    "lo_export",
    "pg_terminate_backend",
    "pg_cancel_backend",
    "pg_reload_conf",
    "pg_file_*",
    "pg_switch_wal",
    "pg_create_logical_replication_slot",
    "pg_create_physical_replication_slot",
    "pg_drop_replication_slot",
    "pg_replication_*",
};

/* Blanks, and comments that begin a line: behind something else they may be part of a text. */
static const char *skip(const char *p, bool at_line)
{
    for (;;) {
        for (; isspace((unsigned char)*p); p++)
            at_line = at_line || *p == '\n';
        bool to_line_end = at_line && p[0] == '-' && p[1] == '-';
        bool block = at_line && p[0] == '/' && p[1] == '*';
        if (to_line_end)
            p += strcspn(p, "\n");
        else if (!block)
            return p;
        const char *end = to_line_end ? p : strstr(p + 2, "*/");
        p = end == NULL ? p + strlen(p) : to_line_end ? end : end + 2;
    }
}

static size_t word_length(const char *p)
{
    size_t n = 0;
    while (isalnum((unsigned char)p[n]) || p[n] == '_' || (n > 0 && p[n] == '.') || p[n] == '$')
        n++;
    return n;
}

static bool is_word(const char *p, size_t n, const char *word)
{
    return n == strlen(word) && strncasecmp(p, word, n) == 0;
}

static bool words_at(const char *p, const char *const *words)
{
    for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
        size_t n = word_length(p);
        if (!is_word(p, n, words[i]))
            return false;
        p = skip(p + n, false);
    }
    return true;
}

static const char *upper(struct arena *a, const char *const *words)
{
    char *text = arena_printf(a, "%s %s%s%s", words[0], words[1], words[2] != NULL ? " " : "",
                              words[2] != NULL ? words[2] : "");
    for (char *p = text; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    return text;
}

static bool is_call(const char *name, size_t n, const char *call)
{
    size_t length = strlen(call);
    if (call[length - 1] == '*')
        return n >= length - 1 && strncasecmp(name, call, length - 1) == 0;
    return is_word(name, n, call);
}

/* GRANT a TO b gives a role; GRANT ... ON gives a right, which ends with its database. */
static bool gives_role(const char *p)
{
    for (size_t n; *p != '\0' && *p != ';'; p = skip(p + (n > 0 ? n : 1), false)) {
        n = word_length(p);
        if (is_word(p, n, "on"))
            return false;
        if (is_word(p, n, "to") || is_word(p, n, "from"))
            return true;
    }
    return false;
}

/* A schema may stand before it: extensions.http(...) */
static bool calls_out(const char *name, size_t n)
{
    for (const char *from = name; from < name + n; from++)
        for (size_t i = 0; (from == name || from[-1] == '.') && i < ARRAY_LEN(calls); i++)
            if (is_call(from, n - (size_t)(from - name), calls[i]))
                return true;
    return false;
}

static const char *at(struct arena *a, const char *p, size_t n)
{
    if (is_word(p, n, "grant") || is_word(p, n, "revoke"))
        return gives_role(p + n) ? "GRANT of a role" : NULL;
    for (size_t i = 0; i < ARRAY_LEN(reaching); i++)
        if (words_at(p, reaching[i].words))
            return reaching[i].harmless ? NULL : upper(a, reaching[i].words);
    return *skip(p + n, false) == '(' && calls_out(p, n) ? arena_printf(a, "%.*s()", (int)n, p)
                                                         : NULL;
}

const char *reach_of(struct arena *a, const char *sql)
{
    for (const char *p = skip(sql, true); *p != '\0'; p = skip(p, false)) {
        size_t n = word_length(p);
        const char *found = n == 0 ? NULL : at(a, p, n);
        if (found != NULL)
            return found;
        p += n > 0 ? n : 1;
    }
    return NULL;
}
