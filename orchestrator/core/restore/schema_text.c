#include "core/restore/schema_text.h"

struct line {
    const char *text;
    const char *object; /* "b; Type: TABLE; Schema: public", or NULL */
};

struct lines {
    struct line *items;
    size_t count;
};

static bool is_noise(const char *line)
{
    return str_starts(line, "--") || str_starts(line, "\\restrict ") ||
           str_starts(line, "\\unrestrict ");
}

static struct lines lines_of(struct arena *a, const char *text)
{
    size_t most = 1;
    for (const char *p = text; *p != '\0'; p++)
        most += *p == '\n';
    struct lines lines = {.items = arena_array(a, most, sizeof(*lines.items))};
    char *copy = arena_strdup(a, text), *save = NULL;
    const char *object = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        const char *owner = strstr(line, "; Owner:");
        if (str_starts(line, "-- Name: ") && owner != NULL)
            object = arena_strndup(a, line + strlen("-- Name: "),
                                   (size_t)(owner - line) - strlen("-- Name: "));
        else if (!is_noise(line))
            lines.items[lines.count++] = (struct line){.text = line, .object = object};
    }
    return lines;
}

static int by_text(const void *x, const void *y)
{
    const struct line *a = x, *b = y;
    return strcmp(a->text, b->text);
}

static const char *shown(struct arena *a, char sign, const struct line *l)
{
    const char *text = str_trim(a, l->text);
    return l->object == NULL ? arena_printf(a, "%c %s", sign, text)
                             : arena_printf(a, "%c %s (%s)", sign, text, l->object);
}

const char *schema_text_difference(struct arena *a, const char *was, const char *is)
{
    struct lines x = lines_of(a, was), y = lines_of(a, is);
    qsort(x.items, x.count, sizeof(*x.items), by_text);
    qsort(y.items, y.count, sizeof(*y.items), by_text);
    for (size_t i = 0; i < x.count || i < y.count; i++) {
        int order = i >= x.count ? 1 : i >= y.count ? -1 : strcmp(x.items[i].text, y.items[i].text);
        if (order != 0)
            return order < 0 ? shown(a, '-', &x.items[i]) : shown(a, '+', &y.items[i]);
    }
    return NULL;
}
