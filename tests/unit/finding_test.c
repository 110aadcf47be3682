#include "core/health/finding.h"

#include "tap.h"

static struct finding *add(struct findings *f, const char *rule, enum finding_level level,
                           const char *target)
{
    return findings_add(f, (struct finding){.rule = rule,
                                            .level = level,
                                            .target = target,
                                            .message = "12 values lost",
                                            .advice = "Look."});
}

static bool allows(const char *word, const char *rule, const char *target, const char *schema)
{
    AUTO(arena) struct arena *a = arena_new();
    struct findings f = findings_on(a);
    struct strlist words = strlist_on(a);
    f.default_schema = schema;
    strlist_add(&words, word);
    add(&f, rule, FINDING_ERROR, target);
    findings_allow(&f, &words, "--allow");
    return f.items[0].allowed && findings_errors(&f) == 0;
}

TEST(new_findings_are_those_that_the_baseline_lacks)
{
    AUTO(arena) struct arena *a = arena_new();
    struct findings was = findings_on(a), now = findings_on(a);
    for (int i = 0; i < 100; i++)
        add(&was, "no-primary-key", FINDING_WARNING, arena_printf(a, "public.t%d", 99 - i));
    for (int i = 0; i < 101; i++)
        add(&now, "no-primary-key", FINDING_WARNING, arena_printf(a, "public.t%d", i));
    add(&now, "invalid-index", FINDING_ERROR, "public.t0");
    add(&now, "blocked-lock", FINDING_WARNING, "pid 12")->transient = true;
    struct findings fresh = findings_new(a, &now, &was);
    CHECK(fresh.count == 2);
    CHECK(findings_have(&fresh, "no-primary-key", "public.t100"));
    CHECK(findings_have(&fresh, "invalid-index", "public.t0"));
    CHECK(!findings_have(&fresh, "invalid-index", "public.t1"));
    CHECK(findings_errors(&fresh) == 1 && findings_warnings(&fresh) == 1);
    CHECK(findings_new(a, &now, &now).count == 0);
}

TEST(allow_compares_targets_without_quotes_and_default_schema)
{
    static const char *const same[] = {
        "drop-column:public.User.legacy",       "drop-column:User.legacy",
        "drop-column:\"User\".\"legacy\"",      "drop-column:\"public\".\"User\".\"legacy\"",
        "drop-column: public.\"User\".legacy ", "drop-column:*"};
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        CHECK(allows(same[i], "drop-column", "public.User.legacy", NULL));
    static const char *const others[] = {"drop-column:User",
                                         "drop-column:user.legacy",
                                         "drop-column:Userlegacy",
                                         "drop-table:User.legacy",
                                         "drop-column:User.legacy2",
                                         "drop-column:shop.User.legacy",
                                         "drop-column",
                                         "drop-column:",
                                         "drop:User.legacy",
                                         "*:public.User.legacy",
                                         "drop-columns:User.legacy",
                                         "drop-column:legacy",
                                         "drop-column:User.legac*",
                                         "drop-column=User.legacy",
                                         "drop-column:publicUser.legacy"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        CHECK(!allows(others[i], "drop-column", "public.User.legacy", NULL));
}

TEST(allow_knows_another_default_schema)
{
    CHECK(allows("drop-table:User", "drop-table", "shop.User", "shop"));
    CHECK(allows("drop-table:shop.User", "drop-table", "shop.User", "shop"));
    CHECK(!allows("drop-table:User", "drop-table", "public.User", "shop"));
    CHECK(!allows("drop-table:User", "drop-table", "shop.User", NULL));
}

TEST(the_first_who_allows_is_named)
{
    AUTO(arena) struct arena *a = arena_new();
    struct findings f = findings_on(a);
    struct strlist words = strlist_on(a);
    strlist_add(&words, "drop-table:*");
    add(&f, "drop-table", FINDING_ERROR, "public.A");
    findings_allow(&f, &words, "--allow");
    findings_allow(&f, &words, "migration 1_x");
    CHECK_STR(f.items[0].allowed_by, "--allow");
    CHECK(f.items[0].level == FINDING_ERROR);
}

TEST(allow_lines_are_read_from_sql)
{
    AUTO(arena) struct arena *a = arena_new();
    struct strlist words =
        findings_allow_lines(a, "-- migsafe: allow drop-column \"User\".\"legacy\" -- moved\n"
                                "ALTER TABLE \"User\" DROP COLUMN \"legacy\";\r\n"
                                "  -- migsafe: allow drop-table Old\r\n"
                                "-- migsafe: allow rows-lost \"a -- b\" -- why\n"
                                "SELECT 1; -- migsafe: allow drop-table NotAtLineStart\n"
                                "-- migsafe: allow drop-table\n"
                                "-- migsafe: allow drop-table -- no target\n"
                                "-- migsafe allow drop-table X\n"
                                "--migsafe: allow drop-table X\n"
                                "-- migsafe: allow values-lost:User.a\n"
                                "-- migsafe: allow drop-table *");
    CHECK(words.count == 5);
    CHECK_STR(strlist_join(&words, " | "),
              "drop-column:\"User\".\"legacy\" | drop-table:Old | rows-lost:\"a -- b\" | "
              "values-lost:User.a | drop-table:*");
    CHECK(findings_allow_lines(a, "").count == 0);
}

TEST(findings_survive_json)
{
    AUTO(arena) struct arena *a = arena_new();
    struct findings f = findings_on(a), back = findings_on(a);
    add(&f, "drop-table", FINDING_ERROR, "public.A")->allowed_by = "--allow";
    f.items[0].allowed = true;
    add(&f, "blocked-lock", FINDING_WARNING, "pid 7")->transient = true;
    f.items[1].file = "/p/prisma/x.sql";
    f.items[1].line = 3;
    AUTO(json) struct json *list = json_array();
    findings_json(&f, list);
    findings_add_json(&back, list);
    AUTO(json) struct json *again = json_array();
    findings_json(&back, again);
    CHECK_STR(json_text(a, again), json_text(a, list));
    CHECK(back.count == 2 && back.items[1].transient && back.items[0].allowed);
    CHECK(back.items[0].file == NULL && back.items[0].line == 0);
    CHECK_STR(finding_place(a, &back.items[1]), "/p/prisma/x.sql:3");
}

TEST(files_are_named_as_seen_from_a_folder)
{
    AUTO(arena) struct arena *a = arena_new();
    struct findings f = findings_on(a);
    static const char *const paths[] = {"/p/a/x.sql", "/p/ab/x.sql", NULL};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        add(&f, "drop-table", FINDING_ERROR, "A")->file = paths[i];
    findings_relative_to(&f, "/p/a");
    CHECK_STR(f.items[0].file, "x.sql");
    CHECK_STR(finding_place(a, &f.items[0]), "x.sql");
    CHECK_STR(f.items[1].file, "/p/ab/x.sql");
    CHECK_STR(finding_place(a, &f.items[2]), "");
}

TEST(findings_print_says_what_counts)
{
    AUTO(arena) struct arena *a = arena_new();
    struct findings f = findings_on(a);
    add(&f, "drop-column", FINDING_ERROR, "public.A.b");
    struct finding *allowed = add(&f, "drop-table", FINDING_ERROR, "public.B");
    allowed->allowed = true;
    allowed->allowed_by = "migration 1_x";
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    findings_print(&f, to);
    fclose(to);
    CHECK_STR(text, "error: drop-column: public.A.b: 12 values lost\n    Look.\n"
                    "allowed: drop-table: public.B: 12 values lost\n"
                    "    allowed by migration 1_x\n");
    free(text);
}
