#include "core/restore/schema_text.h"

static bool is_noise(const char *line)
{
    return line[0] == '\0' || str_starts(line, "--") || str_starts(line, "\\restrict ") ||
           str_starts(line, "\\unrestrict ");
}

static struct strlist lines_of(struct arena *a, const char *text)
{
    struct strlist lines = strlist_on(a);
    char *copy = arena_strdup(a, text), *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
        if (!is_noise(line))
            strlist_add(&lines, line);
    return lines;
}

static int by_text(const void *x, const void *y)
{
    const char *const *a = x, *const *b = y;
    return strcmp(*a, *b);
}

const char *schema_text_difference(struct arena *a, const char *was, const char *is)
{
    struct strlist x = lines_of(a, was), y = lines_of(a, is);
    qsort(x.items, x.count, sizeof(*x.items), by_text);
    qsort(y.items, y.count, sizeof(*y.items), by_text);
    for (size_t i = 0; i < x.count || i < y.count; i++) {
        int order = i >= x.count ? 1 : i >= y.count ? -1 : strcmp(x.items[i], y.items[i]);
        if (order != 0)
            return order < 0 ? arena_printf(a, "- %s", x.items[i])
                             : arena_printf(a, "+ %s", y.items[i]);
    }
    return NULL;
}
