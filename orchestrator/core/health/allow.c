#include "core/health/finding.h"

static const char allow_words[] = "-- migsafe: allow ";

/* A target as it is compared: without quotes and without the default schema. */
static const char *plain_target(struct arena *a, const char *target, const char *default_schema)
{
    struct str s = str_on(a);
    for (const char *p = target; *p != '\0'; p++)
        if (*p != '"')
            str_add_n(&s, p, 1);
    const char *text = str_trim(a, s.text);
    const char *prefix = arena_printf(a, "%s.", default_schema);
    return str_starts(text, prefix) ? text + strlen(prefix) : text;
}

static bool rule_matches(struct arena *a, const char *word, const struct finding *item,
                         const char *default_schema)
{
    size_t n = strlen(item->rule);
    if (!str_starts(word, item->rule) || word[n] != ':')
        return false;
    const char *wanted = str_trim(a, word + n + 1);
    return strcmp(wanted, "*") == 0 || strcmp(plain_target(a, wanted, default_schema),
                                              plain_target(a, item->target, default_schema)) == 0;
}

void findings_allow(struct findings *f, const struct strlist *rules, const char *by)
{
    AUTO(arena) struct arena *scratch = arena_new();
    const char *schema = f->default_schema == NULL ? "public" : f->default_schema;
    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; k < rules->count && !f->items[i].allowed; k++)
            if (rule_matches(scratch, rules->items[k], &f->items[i], schema)) {
                f->items[i].allowed = true;
                f->items[i].allowed_by = arena_strdup(f->arena, by);
            }
}

/* Length of the target at the start of text: up to " --" outside of quotes, or the end. */
static size_t target_length(const char *text, size_t n)
{
    bool quoted = false;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"')
            quoted = !quoted;
        if (!quoted && i + 2 < n && strchr(" \t", text[i]) != NULL && text[i + 1] == '-' &&
            text[i + 2] == '-')
            return i;
    }
    return n;
}

static void read_line(struct arena *a, const char *line, size_t n, struct strlist *words)
{
    const char *end = line + n;
    while (line < end && (*line == ' ' || *line == '\t'))
        line++;
    size_t prefix = strlen(allow_words);
    if ((size_t)(end - line) < prefix || memcmp(line, allow_words, prefix) != 0)
        return;
    const char *text = str_trim(a, arena_strndup(a, line + prefix, (size_t)(end - line) - prefix));
    size_t rule = strcspn(text, " \t:");
    if (rule == 0 || text[rule] == '\0')
        return;
    const char *rest = text + rule + 1;
    const char *target = str_trim(a, arena_strndup(a, rest, target_length(rest, strlen(rest))));
    if (target[0] != '\0' && !str_starts(target, "--"))
        strlist_printf(words, "%.*s:%s", (int)rule, text, target);
}

struct strlist findings_allow_lines(struct arena *a, const char *sql)
{
    struct strlist words = strlist_on(a);
    for (const char *line = sql; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        read_line(a, line, n, &words);
        line += n + (line[n] == '\n');
    }
    return words;
}
