#include "core/restore/schema_text.h"

struct line {
    const char *text;
    const char *sense;  /* the text without what the server writes anew */
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

/*
 * The server writes some expressions in another way once they were read back:
 *   (s)::text = ANY ((ARRAY['a'::character varying])::text[])
 *   (s)::text = ANY (ARRAY[('a'::character varying)::text])
 * so brackets and casts between kinds of text do not count.
 */
const char *schema_text_sense(struct arena *a, const char *line)
{
    static const char *const casts[] = {
        "::text[]",   "::text",  "::character varying[]", "::character varying",
        "::bpchar[]", "::bpchar"};
    struct str s = str_on(a);
    while (*line != '\0') {
        size_t skip = *line == '(' || *line == ')';
        for (size_t i = 0; skip == 0 && i < ARRAY_LEN(casts); i++)
            if (str_starts(line, casts[i]))
                skip = strlen(casts[i]);
        if (skip == 0)
            str_add_n(&s, line, 1);
        line += skip == 0 ? 1 : skip;
    }
    return s.text;
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
            lines.items[lines.count++] =
                (struct line){.text = line, .sense = schema_text_sense(a, line), .object = object};
    }
    return lines;
}

static int by_sense(const void *x, const void *y)
{
    const struct line *a = x, *b = y;
    return strcmp(a->sense, b->sense);
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
    qsort(x.items, x.count, sizeof(*x.items), by_sense);
    qsort(y.items, y.count, sizeof(*y.items), by_sense);
    for (size_t i = 0; i < x.count || i < y.count; i++) {
        int order = i >= x.count   ? 1
                    : i >= y.count ? -1
                                   : strcmp(x.items[i].sense, y.items[i].sense);
        if (order != 0)
            return order < 0 ? shown(a, '-', &x.items[i]) : shown(a, '+', &y.items[i]);
    }
    return NULL;
}
