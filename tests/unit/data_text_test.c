#include "core/restore/data_text.h"

#include "tap.h"

/* The text in pieces of every size gives the same. */
static void check_cut(const char *text, const bool *drop, int fields, const char *want)
{
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        AUTO(arena) struct arena *a = arena_new();
        struct str out = str_on(a);
        struct err e = {0};
        struct data_cut cut = {.drop = drop, .field_count = fields};
        for (size_t at = 0; at < strlen(text); at += piece) {
            size_t n = strlen(text) - at < piece ? strlen(text) - at : piece;
            CHECK(data_cut_text(&cut, text + at, n, &out, &e));
        }
        CHECK(data_cut_text(&cut, "", 0, &out, &e));
        CHECK_STR(out.text, want);
    }
}

TEST(fields_are_cut_out_at_their_tabs)
{
    static const bool first[] = {true, false, false}, last[] = {false, false, true},
                      middle[] = {false, true, false}, all[] = {true, true, true},
                      two[] = {true, true, false};
    const char *text = "a\\tb\t\\N\tc\n\t\t\nx\ty\\\\\tz\\n\n";
    check_cut(text, first, 3, "\\N\tc\n\t\ny\\\\\tz\\n\n");
    check_cut(text, last, 3, "a\\tb\t\\N\n\t\nx\ty\\\\\n");
    check_cut(text, middle, 3, "a\\tb\tc\n\t\nx\tz\\n\n");
    check_cut(text, two, 3, "c\n\nz\\n\n");
    check_cut(text, all, 3, "\n\n\n");
}

TEST(rows_with_other_fields_are_damage)
{
    static const bool drop[] = {false, true};
    static const char *const bad[] = {"a\n", "a\tb\tc\n", "a\tb\na"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        AUTO(arena) struct arena *a = arena_new();
        struct str out = str_on(a);
        struct err e = {0};
        struct data_cut cut = {.drop = drop, .field_count = 2};
        CHECK(!data_cut_text(&cut, bad[i], strlen(bad[i]), &out, &e) ||
              !data_cut_text(&cut, "", 0, &out, &e));
        CHECK(e.kind == ERR_DAMAGED);
    }
}

static void note_value(void *context, const char *value)
{
    struct str *s = context;
    str_printf(s, "<%s>", value);
}

TEST(values_are_looked_at_unescaped)
{
    const char *text = "a\\tb\t\\N\tc\nd\te\\\\\tf\n\\.\n\n\n";
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        AUTO(arena) struct arena *a = arena_new();
        struct str seen = str_on(a);
        struct err e = {0};
        const struct data_watch watches[] = {{0, note_value, &seen}, {1, note_value, &seen}};
        struct data_look look = {
            .watches = watches, .watch_count = 2, .field_count = 3, .value = str_on(a)};
        for (size_t at = 0; at < strlen(text); at += piece) {
            size_t n = strlen(text) - at < piece ? strlen(text) - at : piece;
            CHECK(data_look_text(&look, text + at, n, &e));
        }
        CHECK_STR(seen.text, "<a\tb><d><e\\>");
        CHECK(look.rows == 2 && look.ended);
    }
}
