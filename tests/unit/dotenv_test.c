#include "core/settings/dotenv.h"

#include "tap.h"

static const char *value_of(struct arena *a, const char *text, const char *name)
{
    const struct dotenv d = dotenv_parse(a, text);
    const char *value = dotenv_get(&d, name);
    return value == NULL ? "(none)" : value;
}

/* Every expectation here is what npm's dotenv 16 gives, tried against it. */
TEST(dotenv_reads_lines_as_npm_does)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"K=v", "v"},
        {"K=v\n", "v"},
        {"K=v\r\nL=w\r\n", "v"},
        {"\xEF\xBB\xBFK=v", "v"},
        {"  K = v w  \n", "v w"},
        {"export K=v", "v"},
        {"export\tK=v", "v"},
        {"K: v", "v"},
        {"K:v", "(none)"},
        {"K", "(none)"},
        {"K=", ""},
        {"K=\nL=w", ""},
        {"# K=v", "(none)"},
        {"K=v # comment", "v"},
        {"K=v#comment", "v"},
        {"K='v # no comment'", "v # no comment"},
        {"K=\"v # no comment\" # comment", "v # no comment"},
        {"K='a\\nb'", "a\\nb"},
        {"K=\"a\\nb\\rc\"", "a\nb\rc"},
        {"K=\"a\\tb\\\\\"", "a\\tb\\\\"},
        {"K=`it's \"so\"`", "it's \"so\""},
        {"K=\"two\nlines\"\nL=w", "two\nlines"},
        {"K=\"a \\\" b\"", "a \\\" b"},
        {"K=\"C:\\\"\nL=\"w\"", "C:\\"},
        {"K=\"a#b\\\" # c", "a#b\\"},
        {"K=\"open\nL=w", "\"open"},
        {"K=\"a\" b", "\"a\" b"},
        {"K=first\nK=second", "second"},
        {"not a line\nK=v", "v"},
        {"A.B-C=1\nK=v", "v"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(value_of(a, cases[i].text, "K"), cases[i].want);
    CHECK_STR(value_of(a, "K=\"C:\\\"\nL=\"w\"", "L"), "w");
    CHECK_STR(value_of(a, "A.B-C=1", "A.B-C"), "1");
}

TEST(dotenv_expands_names_as_prisma_does)
{
    AUTO(arena) struct arena *a = arena_new();
    setenv("DOTENV_TEST", "of the environment", 1);
    CHECK_STR(value_of(a, "P=x\nK=a${P}b", "K"), "axb");
    CHECK_STR(value_of(a, "K=a${P}b\nP=x", "K"), "axb");
    CHECK_STR(value_of(a, "P=x\nK='a${P}b'", "K"), "axb");
    CHECK_STR(value_of(a, "P=x\nK=a\\${P}b", "K"), "a${P}b");
    CHECK_STR(value_of(a, "P=x\nK=$P", "K"), "$P");
    CHECK_STR(value_of(a, "K=pa$$word${", "K"), "pa$$word${");
    CHECK_STR(value_of(a, "K=${P:-x}", "K"), "${P:-x}");
    CHECK_STR(value_of(a, "K=<${NO_SUCH_NAME}>", "K"), "<>");
    CHECK_STR(value_of(a, "DOTENV_TEST=of the file\nK=${DOTENV_TEST}", "K"), "of the environment");
    CHECK_STR(value_of(a, "A=1\nB=${A}2\nK=${B}3", "K"), "123");
    unsetenv("DOTENV_TEST");
}

TEST(dotenv_ends_on_a_name_that_names_itself)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK(strlen(value_of(a, "K=x${K}${K}", "K")) < 4096);
    CHECK(strlen(value_of(a, "A=${B}${B}\nB=${A}${A}\nK=${A}", "K")) < 4096);
}
