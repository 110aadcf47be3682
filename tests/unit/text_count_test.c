#include "core/backup/text_count.h"
#include "tap.h"

/* In pieces of so many bytes: "rows bytes nulls,nulls content", or the error. */
static const char *counted(struct arena *a, size_t columns, const char *text, size_t n,
                           size_t piece)
{
    struct err e = {0};
    struct text_count c = text_count_on(a, columns);
    for (size_t at = 0; at < n; at += piece)
        if (!text_count_add(&c, text + at, n - at < piece ? n - at : piece, &e))
            return arena_strdup(a, e.message);
    if (!text_count_end(&c, &e))
        return arena_strdup(a, e.message);
    return arena_printf(a, "%lld %lld %lld,%lld %016llx%s", (long long)c.rows, (long long)c.bytes,
                        (long long)(columns > 0 ? c.nulls[0] : -1),
                        (long long)(columns > 1 ? c.nulls[1] : -1), (unsigned long long)c.content,
                        c.ended ? " ended" : "");
}

static uint64_t sum_of(const char *const *rows, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += hash_of(rows[i], strlen(rows[i]));
    return sum;
}

TEST(rows_nulls_and_content_whatever_the_pieces)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char *const rows[] = {
        "1\t\\N\n",     "\\N\tx\n",
        "\\N\t\\N\n",   "\t\n",
        "\\\\N\tN\n",   "\\.x\t\\.\n",
        "\\N \t\\NN\n", "a longer value than any piece of these\t\\\\N\n"};
    char text[512] = "";
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", rows[i]);
    size_t bytes = strlen(text);
    snprintf(text + bytes, sizeof(text) - bytes, "\\.\n\n\n");
    const char *want = arena_printf(a, "8 %zu 2,2 %016llx ended", bytes,
                                    (unsigned long long)sum_of(rows, ARRAY_LEN(rows)));
    for (size_t piece = 1; piece <= strlen(text); piece++)
        CHECK_STR(counted(a, 2, text, strlen(text), piece), want);
}

TEST(the_order_of_rows_does_not_count)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(counted(a, 1, "a\nb\nc\n", 6, 2), counted(a, 1, "c\na\nb\n", 6, 6));
    CHECK(strcmp(counted(a, 1, "a\nb\n", 4, 9), counted(a, 1, "a\nc\n", 4, 9)) != 0);
    CHECK(strcmp(counted(a, 2, "a\tb\n", 4, 9), counted(a, 2, "b\ta\n", 4, 9)) != 0);
}

TEST(a_table_without_columns)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *const rows[] = {"\n", "\n"};
    CHECK_STR(counted(a, 0, "\n\n\\.\n\n\n", 7, 1),
              arena_printf(a, "2 2 -1,-1 %016llx ended", (unsigned long long)sum_of(rows, 2)));
    CHECK_STR(counted(a, 0, "", 0, 1), "0 0 -1,-1 0000000000000000");
    CHECK_STR(counted(a, 0, "x\n", 2, 1), "row 1 has 1 fields, its table has 0 columns");
}

TEST(what_is_wrong_is_told)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(counted(a, 2, "a\tb\nc\n", 6, 3), "row 2 has 1 fields, its table has 2 columns");
    CHECK_STR(counted(a, 1, "a\tb\n", 4, 1), "row 1 has 2 fields, its table has 1 columns");
    CHECK_STR(counted(a, 1, "a\nb", 3, 2), "it ends within row 2");
    CHECK_STR(counted(a, 1, "a\n\\.\nb\n", 7, 3), "text follows the end mark");
    CHECK_STR(counted(a, 1, "a\n\\.", 4, 1), "it ends within row 2");
}

TEST(where_widths_are_not_known_they_are_not_told)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct text_count c = text_count_on(a, 2);
    c.any_width = true;
    CHECK(text_count_add(&c, "1\n1\t2\t\\N\n", 9, &e) && text_count_end(&c, &e));
    CHECK(c.rows == 2 && c.odd_width);
}
