#include "core/prisma/sources.h"

#include "base/fs.h"
#include "core/prisma/words.h"

#include <ctype.h>

enum { SOURCE_MAX = 16 * 1024 * 1024, LEVELS_MAX = 64 };

static void add_once(struct strlist *list, const char *text)
{
    if (!strlist_has(list, text))
        strlist_add(list, text);
}

static bool read_source(struct arena *a, const char *file, struct words *w, struct err *e)
{
    char *text;
    size_t length;
    if (!fs_read(a, file, SOURCE_MAX, &text, &length, e))
        return false;
    *w = words_of(a, text, length);
    return true;
}

/* --- schema.prisma ------------------------------------------------------------------------------
 */

/* i: the name of a property; its value follows "=". */
static void read_property(struct datasource *d, const struct words *w, size_t i)
{
    const char *name = w->items[i].text, *text = word_text(w, i + 2);
    bool is_url = strcmp(name, "url") == 0;
    if (!word_is_mark(w, i + 1, '='))
        return;
    if (strcmp(name, "provider") == 0)
        d->provider = text;
    if (is_url && text != NULL)
        d->url_is_literal = true;
    if ((is_url || strcmp(name, "directUrl") == 0) && word_is_name(w, i + 2, "env") &&
        word_is_mark(w, i + 3, '(') && word_text(w, i + 4) != NULL)
        add_once(&d->url_vars, word_text(w, i + 4));
}

bool datasource_read(struct arena *a, const char *file, struct datasource *d, struct err *e)
{
    struct words w;
    *d = (struct datasource){.url_vars = strlist_on(a)};
    if (!read_source(a, file, &w, e))
        return false;
    int depth = 0;
    bool inside = false;
    for (size_t i = 0; i < w.count; i++) {
        if (depth == 0 && word_is_name(&w, i, "datasource") && word_is_mark(&w, i + 2, '{'))
            d->found = inside = true;
        if (word_is_mark(&w, i, '{'))
            depth++;
        if (word_is_mark(&w, i, '}') && depth > 0 && --depth == 0)
            inside = false;
        if (inside && depth == 1 && w.items[i].kind == WORD_NAME)
            read_property(d, &w, i);
    }
    return true;
}

/* --- prisma.config.* ----------------------------------------------------------------------------
 */

/*
 * Where we are in the program: the open brackets, and the key whose value each of
 * them has reached.  `schema` counts only where no outer bracket is the value of
 * a key: it is the config's own, whatever function or call surrounds the config.
 */
struct place {
    const char *key[LEVELS_MAX]; /* [0]: outside of all brackets */
    char open[LEVELS_MAX];
    size_t level;
};

static void move_on(struct place *at, const struct words *w, size_t i)
{
    const struct word *word = &w->items[i];
    char mark = '\0';
    if (word->kind == WORD_MARK)
        mark = word->text[0];
    bool arrow = mark == '=' && word_is_mark(w, i + 1, '>');
    if (mark != '\0' && strchr("{([", mark) != NULL && at->level + 1 < LEVELS_MAX) {
        at->level++;
        at->open[at->level] = mark;
        at->key[at->level] = NULL;
    } else if (mark != '\0' && strchr("})]", mark) != NULL && at->level > 0) {
        at->level--;
    } else if ((mark == ',' || mark == ';' || mark == '=') && !arrow) {
        at->key[at->level] = NULL;
    } else if (word->kind != WORD_MARK && at->open[at->level] == '{' &&
               word_is_mark(w, i + 1, ':')) {
        at->key[at->level] = word->text;
    }
}

/* Is the present key below this one key of the config and nothing else (NULL: the config itself)?
 */
static bool key_is(const struct place *at, const char *parent, const char *name)
{
    if (at->level == 0 || !str_same(at->key[at->level], name))
        return false;
    size_t outer = at->level;
    if (parent != NULL && !str_same(at->key[--outer], parent))
        return false;
    while (outer > 0)
        if (at->key[--outer] != NULL)
            return false;
    return true;
}

/* Does the value end before word i? */
static bool value_ends(const struct words *w, size_t i)
{
    return i >= w->count || word_is_mark(w, i, ',') || word_is_mark(w, i, '}') ||
           word_is_name(w, i, "as");
}

/* Past `__dirname,` or `import.meta.dirname,` at i; i itself when there is none. */
static size_t after_dirname(const struct words *w, size_t i)
{
    if (word_is_name(w, i, "__dirname") && word_is_mark(w, i + 1, ','))
        return i + 2;
    if (word_is_name(w, i, "import") && word_is_name(w, i + 2, "meta") &&
        word_is_name(w, i + 4, "dirname") && word_is_mark(w, i + 5, ','))
        return i + 6;
    return i;
}

/* path.join('a', 'b'), join('a'), path.resolve(__dirname, 'a'): the path at *path, else false. */
static bool read_join(struct arena *a, const struct words *w, size_t i, const char *const dirs[2],
                      const char **path)
{
    if (word_is_name(w, i, "path") && word_is_mark(w, i + 1, '.'))
        i += 2;
    bool resolve = word_is_name(w, i, "resolve");
    if ((!resolve && !word_is_name(w, i, "join")) || !word_is_mark(w, i + 1, '('))
        return false;
    size_t first = after_dirname(w, i + 2);
    *path = dirs[resolve && first == i + 2];
    for (i = first; word_text(w, i) != NULL; i += 2) {
        *path = fs_join(a, *path, word_text(w, i));
        if (!word_is_mark(w, i + 1, ','))
            return word_is_mark(w, i + 1, ')') && value_ends(w, i + 2);
    }
    return word_is_mark(w, i, ')') && i > first && value_ends(w, i + 1); /* a comma before ")" */
}

/* The value at i.  dirs: the config's folder and the folder in which the CLI runs. */
static enum config_value read_value(struct arena *a, const struct words *w, size_t i,
                                    const char *const dirs[2], const char **path)
{
    if (word_is_name(w, i, "undefined"))
        return CONFIG_ABSENT;
    if (word_text(w, i) != NULL && value_ends(w, i + 1)) {
        *path = fs_join(a, dirs[0], word_text(w, i));
        return CONFIG_PLAIN;
    }
    return read_join(a, w, i, dirs, path) ? CONFIG_PLAIN : CONFIG_UNCLEAR;
}

/* The variable that env("X"), env<T>("X"), process.env.X or process.env["X"] at i reads, or NULL.
 */
static const char *variable_at(const struct words *w, size_t i)
{
    if (!word_is_name(w, i, "env"))
        return NULL;
    if (word_is_mark(w, i + 1, '<') && word_is_mark(w, i + 3, '>'))
        i += 3;
    if (word_is_mark(w, i + 1, '(') || word_is_mark(w, i + 1, '['))
        return word_text(w, i + 2);
    bool of_process = i >= 2 && word_is_name(w, i - 2, "process") && word_is_mark(w, i + 1, '.');
    return of_process && i + 2 < w->count ? w->items[i + 2].text : NULL;
}

static bool names_url(const char *name)
{
    return strcasestr(name, "url") != NULL || strcasestr(name, "connectionstring") != NULL;
}

/* Where an entry or statement begins, also in programs without semicolons. */
static bool begins_here(const struct word *word)
{
    static const char *const words[] = {"const", "let", "var", "return", "export", "import"};
    if (word->kind == WORD_MARK)
        return strchr(",;{}", word->text[0]) != NULL;
    for (size_t i = 0; word->kind == WORD_NAME && i < ARRAY_LEN(words); i++)
        if (strcmp(word->text, words[i]) == 0)
            return true;
    return false;
}

/* Is there a word like url between the start of this entry or statement and word i?  Another
 * variable's name is none. */
static bool is_near_url(const struct words *w, size_t i)
{
    bool near = false;
    while (i-- > 0 && !begins_here(&w->items[i])) {
        if (i >= 2 && word_is_name(w, i - 2, "env"))
            continue;
        if (strcasestr(w->items[i].text, "shadow") != NULL)
            return false;
        near = near || names_url(w->items[i].text);
    }
    return near;
}

static void read_entry(struct arena *a, const struct words *w, size_t i, const struct place *at,
                       const char *const dirs[2], struct prisma_config *c)
{
    if (w->items[i].kind == WORD_MARK || !word_is_mark(w, i + 1, ':'))
        return;
    if (c->schema_is != CONFIG_PLAIN && key_is(at, NULL, "schema"))
        c->schema_is = read_value(a, w, i + 2, dirs, &c->schema);
    if (c->migrations_are != CONFIG_PLAIN && key_is(at, "migrations", "path"))
        c->migrations_are = read_value(a, w, i + 2, dirs, &c->migrations);
    if (key_is(at, "datasource", "url") && word_text(w, i + 2) != NULL)
        c->url_is_literal = true;
}

bool prisma_config_read(struct arena *a, const char *file, const char *root,
                        struct prisma_config *c, struct err *e)
{
    struct words w;
    struct place at = {0};
    const char *dirs[2] = {fs_dirname(a, file), root};
    *c = (struct prisma_config){.url_vars = strlist_on(a)};
    if (!read_source(a, file, &w, e))
        return false;
    for (size_t i = 0; i < w.count; i++) {
        move_on(&at, &w, i);
        const char *variable = variable_at(&w, i);
        if (variable != NULL && is_near_url(&w, i))
            add_once(&c->url_vars, variable);
        read_entry(a, &w, i, &at, dirs, c);
    }
    return true;
}
