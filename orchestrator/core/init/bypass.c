#include "core/init/bypass.h"

#include "base/fs.h"

#include <ctype.h>

enum { DEPTH_MAX = 5, FILE_MAX = 1024 * 1024, FILES_MAX = 2000 };

struct walk {
    struct arena *arena;
    const char *top;
    struct strlist found;
    size_t files;
};

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* From just behind "migrate": blanks, quotes and commas, then "deploy" as a word. */
static bool deploy_follows(const char *at, const char *end)
{
    const char *p = at;
    while (p < end && strchr(" \t\"',", *p) != NULL)
        p++;
    const size_t n = strlen("deploy");
    return p > at && (size_t)(end - p) >= n && strncmp(p, "deploy", n) == 0 &&
           (p + n == end || !is_word(p[n]));
}

bool bypass_line(const char *line, size_t length)
{
    const char *end = line + length;
    while (line < end && isspace((unsigned char)*line))
        line++;
    if (line == end || *line == '#' || (end - line > 1 && line[0] == '/' && line[1] == '/'))
        return false;
    const size_t n = strlen("migrate");
    for (const char *p = line; p + n < end && *p != '\0'; p++) {
        if (p[0] == '#' && isspace((unsigned char)p[-1]))
            return false;
        if (strncmp(p, "migrate", n) == 0 && (p == line || !is_word(p[-1])) &&
            deploy_follows(p + n, end))
            return true;
    }
    return false;
}

static void look(struct walk *w, const char *path)
{
    struct err ignored = {0};
    char *text;
    size_t length, number = 1;
    AUTO(arena) struct arena *scratch = arena_new();
    if (w->files++ >= FILES_MAX || !fs_read(scratch, path, FILE_MAX, &text, &length, &ignored))
        return;
    for (const char *line = text; *line != '\0'; number++) {
        size_t n = strcspn(line, "\n");
        if (bypass_line(line, n))
            strlist_printf(&w->found, "%s:%zu", fs_relative(w->arena, w->top, path), number);
        line += n + (line[n] == '\n');
    }
}

/* Files in which such commands live; ours are other ones. */
static bool may_run_it(const char *name)
{
    static const char *const ends[] = {".sh", ".yml", ".yaml", ".toml", ".mk", ".bash"};
    static const char *const names[] = {"package.json", "Procfile", "Makefile",    "GNUmakefile",
                                        "vercel.json",  "app.json", "railway.json"};
    if (strcmp(name, "migsafe.yml") == 0 || strcmp(name, "db.mk") == 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(ends); i++)
        if (str_ends(name, ends[i]))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strstr(name, "Dockerfile") != NULL || strstr(name, "entrypoint") != NULL;
}

static bool is_passed_over(const char *folder)
{
    static const char *const names[] = {"node_modules", "dist", "build", "vendor", "coverage"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(folder, names[i]) == 0)
            return true;
    return folder[0] == '.' && strcmp(folder, ".github") != 0 && strcmp(folder, ".gitlab") != 0;
}

static void walk(struct walk *w, const char *dir, int depth)
{
    struct err ignored = {0};
    struct strlist files = strlist_on(w->arena), dirs = strlist_on(w->arena);
    if (!fs_list(w->arena, dir, FS_FILES, &files, &ignored) ||
        !fs_list(w->arena, dir, FS_DIRS, &dirs, &ignored))
        return;
    for (size_t i = 0; i < files.count; i++)
        if (may_run_it(files.items[i]))
            look(w, fs_join(w->arena, dir, files.items[i]));
    for (size_t i = 0; i < dirs.count && depth < DEPTH_MAX; i++)
        if (!is_passed_over(dirs.items[i]))
            walk(w, fs_join(w->arena, dir, dirs.items[i]), depth + 1);
}

struct strlist bypasses(struct arena *a, const char *folder)
{
    struct walk w = {.arena = a, .top = folder, .found = strlist_on(a)};
    walk(&w, folder, 0);
    return w.found;
}
