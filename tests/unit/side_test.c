#include "base/clock.h"
#include "core/restore/schema_text.h"
#include "core/restore/side.h"
#include "core/restore/tool_run.h"

#include "tap.h"

#define RUN "20261120_194609_ab12"

TEST(side_name_of_a_plain_name)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(side_name(a, "app", "restore", RUN), "app__migsafe_restore_" RUN);
    CHECK_STR(side_name(a, "app", "kept", RUN), "app__migsafe_kept_" RUN);
    /* Exactly 63 bytes need no cut. */
    const char *fits = "abcdefghijklmnopqrstuvwxyz_1";
    CHECK(strlen(side_name(a, fits, "kept", RUN)) == 63);
    CHECK(str_starts(side_name(a, fits, "kept", RUN), "abcdefghijklmnopqrstuvwxyz_1__migsafe_"));
}

TEST(side_name_is_hashed_when_cut_or_reduced)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char *const names[] = {
        "My App",
        "my_app",
        "My_App",
        "my-app",
        "1app",
        "\xd0\xbc\xd0\xb0\xd0\xb3\xd0\xb0\xd0\xb7\xd0\xb8\xd0\xbd",
        "a_very_long_name_of_a_database_that_goes_on_to_the_limit_of_63_",
        "a_very_long_name_of_a_database_that_goes_on_to_the_limit_of_63a",
        "abcdefghijklmnopqrstuvwxyz_12",
        "",
    };
    struct strlist made = strlist_on(a);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *purposes[] = {"rehearsal", "kept", "drill_kept"};
        for (size_t p = 0; p < ARRAY_LEN(purposes); p++) {
            const char *name = side_name(a, names[i], purposes[p], RUN);
            CHECK(strlen(name) <= 63);
            CHECK(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name));
            CHECK(!(name[0] >= '0' && name[0] <= '9'));
            CHECK(str_ends(name, RUN) && strstr(name, purposes[p]) != NULL);
            CHECK(!strlist_has(&made, name));
            strlist_add(&made, name);
        }
    }
    CHECK_STR(side_name(a, "my_app", "kept", RUN), "my_app__migsafe_kept_" RUN);
    CHECK(str_starts(side_name(a, "My App", "kept", RUN), "my_app_"));
    CHECK(strlen(side_name(a, "app", "kept", "a_run_id_that_is_longer_than_ours_ever_is")) <= 63);
}

TEST(side_comment_is_read_back)
{
    AUTO(arena) struct arena *a = arena_new();
    struct side_database s = {0};
    CHECK(side_parse(a, side_comment(a, "restore", "app", RUN, NULL), &s));
    CHECK_STR(s.purpose, "restore");
    CHECK_STR(s.live, "app");
    CHECK_STR(s.run, RUN);
    CHECK(clock_parse_rfc3339(s.made_at) > 0 && s.former_comment == NULL);
    CHECK(side_parse(a, side_comment(a, "kept", "a run of luck at night", RUN, "of the shop\n2"),
                     &s));
    CHECK_STR(s.live, "a run of luck at night");
    CHECK_STR(s.run, RUN);
    CHECK_STR(s.former_comment, "of the shop\n2");
}

TEST(foreign_comments_are_not_ours)
{
    AUTO(arena) struct arena *a = arena_new();
    struct side_database s = {0};
    static const char *const foreign[] = {
        "",
        "migsafe",
        "migsafe is the tool that we use",
        "migsafe kept of app run x",
        "migsafe kept of app run x at noon",
        "migsafe kept of app run two words at 2026-11-20T19:46:09.123Z",
        "migsafe kept app run x at 2026-11-20T19:46:09.123Z",
        "our migsafe kept of app run x at 2026-11-20T19:46:09.123Z",
        "the shop\nmigsafe kept of app run x at 2026-11-20T19:46:09.123Z",
    };
    CHECK(!side_parse(a, NULL, &s));
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        CHECK(!side_parse(a, foreign[i], &s));
    CHECK(side_parse(a, "migsafe kept of app run x at 2026-11-20T19:46:09.123Z", &s));
}

TEST(side_drop_command_quotes)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(side_drop_command(a, "a\"b"), "DROP DATABASE \"a\"\"b\";");
}

TEST(tool_error_finds_the_first_error)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    CHECK(!tool_error(a, "pg_restore",
                      "pg_restore: error: could not execute query: ERROR:  permission denied to "
                      "create extension \"file_fdw\"\n"
                      "HINT:  Must be superuser to create this extension.\n"
                      "Command was: CREATE EXTENSION IF NOT EXISTS file_fdw WITH SCHEMA public;\n"
                      "\n\npg_restore: error: could not execute query: ERROR:  other\n",
                      &e));
    CHECK(e.kind == ERR_CHILD);
    CHECK_STR(e.message, "pg_restore failed: permission denied to create extension \"file_fdw\"");
    CHECK_STR(e.detail, "Must be superuser to create this extension. The command was: CREATE "
                        "EXTENSION IF NOT EXISTS file_fdw WITH SCHEMA public;");
}

TEST(tool_error_shows_no_password)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    CHECK(!tool_error(a, "pg_restore",
                      "pg_restore: error: could not execute query: ERROR:  no\n"
                      "Command was: CREATE USER MAPPING FOR x SERVER y OPTIONS (password 'z');\n",
                      &e));
    CHECK_STR(e.detail, "The command was: CREATE USER MAPPING FOR x SERVER y ...");
}

TEST(tool_error_of_other_shapes)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    CHECK(!tool_error(a, "pg_dump",
                      "pg_dump: error: query failed: ERROR:  permission denied for table t\n"
                      "pg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE\n",
                      &e));
    CHECK_STR(e.message, "pg_dump failed: permission denied for table t");
    CHECK_STR(e.detail, "");
    CHECK(!tool_error(a, "pg_restore", "pg_restore: error: could not open input file \"x\"", &e));
    CHECK_STR(e.message, "pg_restore failed: could not open input file \"x\"");
    CHECK(!tool_error(a, "pg_restore", "Segmentation fault\n", &e));
    CHECK_STR(e.message, "pg_restore failed: Segmentation fault");
    CHECK(!tool_error(a, "pg_restore", "", &e));
    CHECK_STR(e.message, "pg_restore failed: it says nothing");
    CHECK(!tool_error(a, "pg_restore",
                      "pg_restore: error: COPY failed for table \"t\": ERROR:  bad\n"
                      "DETAIL:  why.\npg_restore: error: one\nDETAIL:  of another.\n",
                      &e));
    CHECK_STR(e.message, "pg_restore failed: bad");
    CHECK_STR(e.detail, "why.");
}

TEST(schema_texts_are_compared_by_what_they_say)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *was = "--\n-- PostgreSQL database dump\n--\n\\restrict abc\n\nCREATE TABLE a (\n"
                      "    x integer\n);\n\n\nCREATE TABLE b (\n    y text\n);\n\\unrestrict abc\n";
    const char *is = "\\restrict def\nCREATE TABLE b (\n    y text\n);\nCREATE TABLE a (\n"
                     "    x integer\n);\n-- more\n\\unrestrict def\n";
    CHECK(schema_text_difference(a, was, is) == NULL);
    CHECK_STR(schema_text_difference(a, was, "CREATE TABLE a (\n    x integer\n);\n"), "- y text");
    CHECK_STR(
        schema_text_difference(a, "-- Name: b; Type: TABLE; Schema: s; Owner: o\n  y text\n", ""),
        "- y text (b; Type: TABLE; Schema: s)");
    CHECK_STR(schema_text_difference(a, "x\n", "x\ny\n"), "+ y");
    CHECK_STR(schema_text_difference(a, "x\nx\n", "x\n"), "- x");
    CHECK_STR(schema_text_difference(a, "x\n", ""), "- x");
    CHECK(schema_text_difference(a, "", "-- only a comment\n") == NULL);
    /* What the server writes in another way once it was read back. */
    CHECK(schema_text_difference(
              a,
              "CHECK (((s)::text = ANY ((ARRAY['a'::character varying, 'b'::character "
              "varying])::text[])))",
              "CHECK (((s)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character "
              "varying)::text])))") == NULL);
    CHECK_STR(schema_text_difference(a, "CHECK ((s)::text = 'a'::text)", "CHECK ((s)::text = 'b')"),
              "- CHECK ((s)::text = 'a'::text)");
}
