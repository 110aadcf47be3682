/*
 * tree.h - a throw-away folder with files in it, for unit tests.
 *
 *     AUTO(tree) char *dir = tree_new();
 *     tree_file(dir, "prisma/schema.prisma", "datasource db {}");
 */
#ifndef MIGSAFE_TESTS_TREE_H
#define MIGSAFE_TESTS_TREE_H

#include "base/fs.h"

#include <sys/stat.h>
#include <unistd.h>

UNUSED static void tree_remove(char *dir)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    if (dir != NULL && !fs_remove_tree(a, dir, &e))
        printf("# %s\n", e.message);
    free(dir);
}
DEFINE_AUTO(tree, char *, tree_remove);

UNUSED static char *tree_new(void)
{
    char *dir = strdup("/tmp/ms-unit.XXXXXX");
    if (dir == NULL || mkdtemp(dir) == NULL)
        abort();
    return dir;
}

UNUSED static void tree_bytes(const char *dir, const char *path, const char *bytes, size_t n)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    const char *file = fs_join(a, dir, path);
    FILE *to = fs_mkdirs(a, fs_dirname(a, file), &e) ? fopen(file, "w") : NULL;
    if (to == NULL || fwrite(bytes, 1, n, to) != n || fclose(to) != 0)
        abort();
}

UNUSED static void tree_file(const char *dir, const char *path, const char *text)
{
    tree_bytes(dir, path, text, strlen(text));
}

UNUSED static void tree_program(const char *dir, const char *path, const char *text)
{
    AUTO(arena) struct arena *a = arena_new();
    tree_file(dir, path, text);
    if (chmod(fs_join(a, dir, path), 0755) != 0)
        abort();
}

UNUSED static void tree_link(const char *dir, const char *path, const char *target)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    const char *file = fs_join(a, dir, path);
    if (!fs_mkdirs(a, fs_dirname(a, file), &e) || symlink(target, file) != 0)
        abort();
}

#endif
