#include "core/backup/insert_text.h"
#include "tap.h"

#include <sys/mman.h>
#include <unistd.h>

/* What comes of it, in pieces of so many bytes; or the error. */
static const char *inserts(struct arena *a, const char *text, size_t n, size_t piece,
                           const char *empty)
{
    struct err e = {0};
    AUTO(arena) struct arena *mine = arena_new();
    struct insert_text *t = ARENA_NEW(mine, struct insert_text);
    int fd = memfd_create("inserts", MFD_CLOEXEC);
    AUTO(pack) struct pack *to = pack_open(mine, fd, false, "memory", &e);
    insert_text_begin(t, to, "I(", empty);
    for (size_t at = 0; at < n; at += piece)
        if (!insert_text_add(t, text + at, n - at < piece ? n - at : piece, &e))
            return arena_strdup(a, e.message);
    if (!insert_text_end(t, &e) || !pack_finish(to, &e))
        return arena_strdup(a, e.message);
    off_t size = lseek(fd, 0, SEEK_END);
    char *out = arena_alloc(a, (size_t)size + 1);
    CHECK(pread(fd, out, (size_t)size, 0) == size);
    close(fd);
    return out;
}

/* The same whatever the pieces. */
static void check(const char *text, const char *want)
{
    AUTO(arena) struct arena *a = arena_new();
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++)
        CHECK_STR(inserts(a, text, strlen(text), piece, NULL), want);
}

TEST(values_are_quoted)
{
    check("1\ta\n", "I('1', 'a');\n");
    check("1\n2\n", "I('1');\nI('2');\n");
    check("it's\t''\n", "I('it''s', '''''');\n");
    check("", "");
}

TEST(nulls_and_empty_texts_are_told_apart)
{
    check("\\N\n", "I(NULL);\n");
    check("\n", "I('');\n");
    check("\t\n", "I('', '');\n");
    check("\\N\t\t\\N\n", "I(NULL, '', NULL);\n");
    check("\\\\N\tN\n", "I('\\N', 'N');\n");
}

TEST(escapes_are_undone)
{
    check("\\b\\f\\n\\r\\t\\v\\\\\n", "I('\b\f\n\r\t\v\\');\n");
    check("a\\tb\tc\\nd\\\\ne\n", "I('a\tb', 'c\nd\\ne');\n");
    check("\\\\x00ff\t{\"a\": \"\\\\\\\\u0000\"}\n", "I('\\x00ff', '{\"a\": \"\\\\u0000\"}');\n");
    check("\\\\.\n", "I('\\.');\n");
    check("\xF0\x9F\x98\x80\n", "I('\xF0\x9F\x98\x80');\n");
}

TEST(the_end_mark_ends)
{
    check("a\n\\.\n\n\n", "I('a');\n");
    check("\\.\n\n\n", "");
    check("a\n\\.\nb\n", "text follows the end mark");
    check("x\t\\.\n", "row 1 has an escape that is none of COPY's");
    check("\\.x\n", "row 1 has an escape that is none of COPY's");
}

TEST(rows_without_columns)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(inserts(a, "\n\n\\.\n\n\n", 7, 1, "D;\n"), "D;\nD;\n");
    CHECK_STR(inserts(a, "\\.\n\n\n", 5, 3, "D;\n"), "");
}

TEST(what_is_wrong_is_told)
{
    check("a\\qb\n", "row 1 has an escape that is none of COPY's");
    check("a\n\\Nx\n", "row 2 has an escape that is none of COPY's");
    check("a\nb", "it ends within row 2");
    check("a\nb\\", "it ends within row 2");
    check("a\n\\.", "it ends within row 2");
}

TEST(values_larger_than_the_buffer)
{
    AUTO(arena) struct arena *a = arena_new();
    enum { SIZE = 1 << 20 };
    char *text = arena_alloc(a, SIZE + 2), *want = arena_alloc(a, SIZE + 16);
    memset(text, 'x', SIZE);
    text[SIZE] = '\n';
    snprintf(want, SIZE + 16, "I('%.*s');\n", SIZE, text);
    CHECK_STR(inserts(a, text, SIZE + 1, SIZE + 1, NULL), want);
    CHECK_STR(inserts(a, text, SIZE + 1, 1000, NULL), want);
}
