#include "core/prisma/words.h"

#include "base/str.h"

#include "tap.h"

/* Names as they are, strings in <>, marks as they are. */
static const char *cut(struct arena *a, const char *text)
{
    struct words w = words_of(a, text, strlen(text));
    struct str s = str_on(a);
    for (size_t i = 0; i < w.count; i++)
        str_item(&s, " ",
                 word_text(&w, i) == NULL ? w.items[i].text
                                          : arena_printf(a, "<%s>", word_text(&w, i)));
    return s.text;
}

TEST(words_of_both_languages)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", ""},
        {"url = env(\"A_1\") // x\ny", "url = env ( <A_1> ) y"},
        {"/// doc's\na/**/b/* ' */c", "a b c"},
        {"a /", "a /"},
        {"a // b", "a"},
        {"a /* b", "a"},
        {"'a\\'b' \"c\\\"d\" \"\\\\\" e", "<a'b> <c\"d> <\\> e"},
        {"it's\nnext \"open", "it <s> next <open>"},
        {"'a\\", "<a\\>"},
        {"`plain 'text'` x", "<plain 'text'> x"},
        {"`a\\`b` x", "<a`b> x"},
        {"`it's ${ a.b } and ${`in ${c}`} don't` x", "` a . b ` c x"},
        {"`${ {a: '}'} }` } x", "` { a : <}> } } x"},
        {"`${a", "` a"},
        {"`open", "<open>"},
        {"$a_1 \xC3\xA9t\xC3\xA9 a?.b", "$a_1 \xC3\xA9t\xC3\xA9 a ? . b"},
    };
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(cut(a, cases[i].text), cases[i].words);
}

TEST(words_are_asked_safely)
{
    AUTO(arena) struct arena *a = arena_new();
    struct words w = words_of(a, "a {", 3);
    CHECK(word_is_name(&w, 0, "a") && !word_is_name(&w, 0, "b") && !word_is_name(&w, 2, "a"));
    CHECK(word_is_mark(&w, 1, '{') && !word_is_mark(&w, 0, 'a') && !word_is_mark(&w, 2, '{'));
    CHECK(word_text(&w, 0) == NULL && word_text(&w, 2) == NULL);
    struct str s = str_on(a);
    for (int i = 0; i < 1000; i++)
        str_printf(&s, "w%d ", i);
    w = words_of(a, s.text, s.length);
    CHECK(w.count == 1000 && word_is_name(&w, 0, "w0") && word_is_name(&w, 999, "w999"));
}
