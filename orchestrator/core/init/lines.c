#include "core/init/lines.h"

static struct strlist lines_of(struct arena *a, const char *text)
{
    struct strlist lines = strlist_on(a);
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        strlist_add(&lines, arena_strndup(a, text, n));
        text += n + (text[n] == '\n');
    }
    return lines;
}

static struct strlist words_of(struct arena *a, const char *text, const char *ends)
{
    static const char blanks[] = " \t\r";
    struct strlist words = strlist_on(a);
    for (text += strspn(text, blanks); *text != '\0' && strchr(ends, *text) == NULL;
         text += strspn(text, blanks)) {
        size_t n = 0;
        while (text[n] != '\0' && strchr(blanks, text[n]) == NULL && strchr(ends, text[n]) == NULL)
            n++;
        strlist_add(&words, arena_strndup(a, text, n));
        text += n;
    }
    return words;
}

static bool line_includes(struct arena *a, const char *line, const char *file)
{
    if (line[0] == '\t') /* of a recipe */
        return false;
    struct strlist words = words_of(a, line, "#");
    if (words.count == 0 ||
        (strcmp(words.items[0], "include") != 0 && strcmp(words.items[0], "-include") != 0 &&
         strcmp(words.items[0], "sinclude") != 0))
        return false;
    for (size_t i = 1; i < words.count; i++) {
        const char *word = words.items[i];
        if (strcmp(str_starts(word, "./") ? word + 2 : word, file) == 0)
            return true;
    }
    return false;
}

bool make_includes(struct arena *a, const char *makefile, const char *file)
{
    struct strlist lines = lines_of(a, makefile);
    for (size_t i = 0; i < lines.count; i++)
        if (line_includes(a, lines.items[i], file))
            return true;
    return false;
}

/* `a b: c`, `a::`, `a &: b`; not `A := b`, `.PHONY: a`, `a: B = c`, recipes, comments. */
static void add_targets(struct arena *a, const char *line, struct strlist *targets)
{
    size_t colon = strcspn(line, ":=#?+");
    if (line[0] == '\t' || line[colon] != ':' || line[colon + 1] == '=' ||
        str_starts(line + colon, "::="))
        return;
    const char *behind = line + colon + 1;
    size_t end = strcspn(behind, "=#;");
    if (behind[end] == '=') /* a variable of a target */
        return;
    struct strlist words = words_of(a, line, ":&");
    for (size_t i = 0; i < words.count; i++)
        if (words.items[i][0] != '.' && !strlist_has(targets, words.items[i]))
            strlist_add(targets, words.items[i]);
}

static struct strlist targets_of(struct arena *a, const char *makefile)
{
    struct strlist lines = lines_of(a, makefile), targets = strlist_on(a);
    for (size_t i = 0; i < lines.count; i++)
        add_targets(a, lines.items[i], &targets);
    return targets;
}

struct strlist make_common_targets(struct arena *a, const char *makefile, const char *other)
{
    struct strlist mine = targets_of(a, makefile), others = targets_of(a, other);
    struct strlist common = strlist_on(a);
    for (size_t i = 0; i < mine.count; i++)
        if (strlist_has(&others, mine.items[i]))
            strlist_add(&common, mine.items[i]);
    return common;
}

bool make_assigns(struct arena *a, const char *makefile, const char *variable)
{
    struct strlist all = lines_of(a, makefile);
    for (size_t i = 0; i < all.count; i++) {
        const char *line = all.items[i];
        struct strlist words = words_of(a, line, ":=?+!#");
        size_t at = 0;
        while (at < words.count &&
               (strcmp(words.items[at], "export") == 0 || strcmp(words.items[at], "override") == 0))
            at++;
        const char *sign = line + strcspn(line, ":=?+!#");
        sign += strspn(sign, ":?+!");
        if (line[0] != '\t' && at + 1 == words.count && strcmp(words.items[at], variable) == 0 &&
            *sign == '=')
            return true;
    }
    return false;
}

char *make_with(struct arena *a, const char *makefile, const char *lines)
{
    size_t n = strlen(makefile);
    if (n == 0)
        return arena_strdup(a, lines);
    /* The empty line also ends a line that goes on. */
    return arena_printf(a, "%s%s\n%s", makefile, makefile[n - 1] == '\n' ? "" : "\n", lines);
}

/* "/backups/", "backups/ *", "**" before it: all "backups". */
static const char *ignored_name(struct arena *a, const char *line)
{
    char *name = str_trim(a, line);
    if (str_ends(name, "/**"))
        name[strlen(name) - 3] = '\0';
    if (str_ends(name, "/*"))
        name[strlen(name) - 2] = '\0';
    if (str_ends(name, "/"))
        name[strlen(name) - 1] = '\0';
    if (str_starts(name, "**/"))
        name += 3;
    return name[0] == '/' ? name + 1 : name;
}

bool ignore_names(struct arena *a, const char *ignore, const char *name)
{
    struct strlist lines = lines_of(a, ignore);
    const char *plain = ignored_name(a, name);
    bool ignored = false;
    for (size_t i = 0; i < lines.count; i++) {
        const char *line = lines.items[i];
        bool negated = line[0] == '!';
        if (strcmp(ignored_name(a, line + negated), plain) == 0)
            ignored = !negated;
    }
    return ignored;
}

char *lines_with(struct arena *a, const char *text, const char *line)
{
    const char *end = strstr(text, "\r\n") != NULL ? "\r\n" : "\n";
    bool open = text[0] != '\0' && !str_ends(text, "\n");
    return arena_printf(a, "%s%s%s%s", text, open ? end : "", line, end);
}
