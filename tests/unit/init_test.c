#include "base/fs.h"
#include "core/init/bypass.h"
#include "core/init/lines.h"
#include "core/init/npm_scripts.h"
#include "tap.h"

static const struct npm_script one[] = {{"db:up", "migsafe deploy"}, {NULL, NULL}};
static const struct npm_script two[] = {{"a", "x"}, {"b", "y"}, {NULL, NULL}};

/* The text afterwards, or the error's message. */
static const char *put(struct arena *a, const char *text, const struct npm_script *scripts,
                       bool replace)
{
    struct npm_scripts_result r;
    struct err e = {0};
    if (!npm_scripts_put(a, text, scripts, replace, &r, &e)) {
        CHECK(e.kind == ERR_CONFIG);
        return arena_strdup(a, e.message);
    }
    return r.text;
}

TEST(lines_that_run_prisma_past_us)
{
    static const struct {
        const char *line;
        bool runs;
    } cases[] = {
        {"npx prisma migrate deploy", true},
        {"  \"start\": \"prisma migrate deploy && next start\",", true},
        {"CMD [\"prisma\", \"migrate\", \"deploy\"]", true},
        {"migrate deploy", true},
        {"# prisma migrate deploy", false},
        {"// prisma migrate deploy", false},
        {"npm start # prisma migrate deploy", false},
        {"prisma migrate dev", false},
        {"prisma migrate deploying", false},
        {"premigrate deploy", false},
        {"migratedeploy", false},
        {"prisma migrate", false},
        {"", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK(bypass_line(cases[i].line, strlen(cases[i].line)) == cases[i].runs);
}

TEST(scripts_take_the_form_of_their_neighbours)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(put(a, "{\n  \"scripts\": {\n    \"dev\": \"x\"\n  },\n  \"z\": 1\n}\n", one, false),
              "{\n  \"scripts\": {\n    \"dev\": \"x\",\n    \"db:up\": \"migsafe deploy\"\n  },\n"
              "  \"z\": 1\n}\n");
    CHECK_STR(
        put(a, "{\n\t\"scripts\": {\n\t\t\"dev\" : \"x\",\n\t\t\"t\" : \"y\"\n\t}\n}", one, false),
        "{\n\t\"scripts\": {\n\t\t\"dev\" : \"x\",\n\t\t\"t\" : \"y\",\n"
        "\t\t\"db:up\" : \"migsafe deploy\"\n\t}\n}");
    CHECK_STR(
        put(a, "{\r\n    \"scripts\": {\r\n        \"dev\": \"x\"\r\n    }\r\n}\r\n", one, false),
        "{\r\n    \"scripts\": {\r\n        \"dev\": \"x\",\r\n"
        "        \"db:up\": \"migsafe deploy\"\r\n    }\r\n}\r\n");
    CHECK_STR(put(a, "{\"scripts\":{\"dev\":\"x\"}}", two, false),
              "{\"scripts\":{\"dev\":\"x\",\"a\":\"x\",\"b\":\"y\"}}");
    CHECK_STR(put(a, "{ \"scripts\": { \"dev\": \"x\" } }", two, false),
              "{ \"scripts\": { \"dev\": \"x\", \"a\": \"x\", \"b\": \"y\" } }");
    CHECK_STR(
        put(a, "{\n  \"scripts\": { \"dev\": \"x\", \"e\": \"y\" }\n}", one, false),
        "{\n  \"scripts\": { \"dev\": \"x\", \"e\": \"y\", \"db:up\": \"migsafe deploy\" }\n}");
    /* A blank line before the last one is not repeated. */
    CHECK_STR(
        put(a, "{\n  \"scripts\": {\n    \"d\": \"x\",\n\n    \"e\": \"y\"\n  }\n}\n", one, false),
        "{\n  \"scripts\": {\n    \"d\": \"x\",\n\n    \"e\": \"y\",\n"
        "    \"db:up\": \"migsafe deploy\"\n  }\n}\n");
}

TEST(scripts_where_there_are_none)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(
        put(a, "{\n  \"name\": \"n\"\n}\n", two, false),
        "{\n  \"name\": \"n\",\n  \"scripts\": {\n    \"a\": \"x\",\n    \"b\": \"y\"\n  }\n}\n");
    CHECK_STR(put(a, "{\n    \"scripts\": {},\n    \"name\": \"n\"\n}\n", two, false),
              "{\n    \"scripts\": {\n        \"a\": \"x\",\n        \"b\": \"y\"\n    },\n"
              "    \"name\": \"n\"\n}\n");
    CHECK_STR(put(a, "{\r\n\t\"scripts\": {\r\n\t}\r\n}\r\n", one, false),
              "{\r\n\t\"scripts\": {\r\n\t\t\"db:up\": \"migsafe deploy\"\r\n\t}\r\n}\r\n");
    CHECK_STR(put(a, "{\"name\":\"n\"}", two, false),
              "{\"name\":\"n\",\"scripts\":{\"a\":\"x\",\"b\":\"y\"}}");
    CHECK_STR(put(a, "{\"name\":\"n\",\"scripts\":{}}", one, false),
              "{\"name\":\"n\",\"scripts\":{\"db:up\":\"migsafe deploy\"}}");
    CHECK_STR(put(a, "{}\n", one, false),
              "{\n  \"scripts\": {\n    \"db:up\": \"migsafe deploy\"\n  }\n}\n");
}

TEST(scripts_in_odd_texts)
{
    AUTO(arena) struct arena *a = arena_new();
    /* The key may be anywhere else too, braces and quotes stand in strings, keys are escaped. */
    CHECK_STR(put(a,
                  "{\"x\":{\"scripts\":{\"k\":\"v\"}},\"y\":[\"{\\\"scripts\\\":{\",{}],"
                  "\"scr\\u0069pts\":{\"q\":\"a \\\\\\\" }\"}}",
                  one, false),
              "{\"x\":{\"scripts\":{\"k\":\"v\"}},\"y\":[\"{\\\"scripts\\\":{\",{}],"
              "\"scr\\u0069pts\":{\"q\":\"a \\\\\\\" }\",\"db:up\":\"migsafe deploy\"}}");
    CHECK_STR(put(a, "\xef\xbb\xbf{\"scripts\":{\"d\":\"x\"}}", one, false),
              "\xef\xbb\xbf{\"scripts\":{\"d\":\"x\",\"db:up\":\"migsafe deploy\"}}");
    /* Of two that are named alike npm takes the last. */
    CHECK_STR(put(a, "{\"scripts\":{\"d\":\"x\"},\"scripts\":{\"e\":\"y\"}}", one, false),
              "{\"scripts\":{\"d\":\"x\"},\"scripts\":{\"e\":\"y\",\"db:up\":\"migsafe deploy\"}}");
    CHECK_STR(put(a, "{\"n\":1.5e3,\"t\":true,\"z\":null,\"scripts\":{\"d\":\"x\"} , \"l\" : []}",
                  one, false),
              "{\"n\":1.5e3,\"t\":true,\"z\":null,\"scripts\":{\"d\":\"x\",\"db:up\":\"migsafe "
              "deploy\"} ,"
              " \"l\" : []}");
}

TEST(scripts_that_are_there)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *text = "{\"scripts\":{\"b\":\"other\",\"a\":\"x\",\"c\":\"z\"}}";
    struct npm_scripts_result r;
    struct err e = {0};
    CHECK(npm_scripts_put(a, text, two, false, &r, &e));
    CHECK_STR(r.text, text);
    CHECK_STR(strlist_join(&r.left, " "), "b");
    CHECK(r.added.count == 0 && r.replaced.count == 0);

    CHECK(npm_scripts_put(a, text, two, true, &r, &e));
    CHECK_STR(r.text, "{\"scripts\":{\"b\":\"y\",\"a\":\"x\",\"c\":\"z\"}}");
    CHECK_STR(strlist_join(&r.replaced, " "), "b");
    CHECK(r.added.count == 0 && r.left.count == 0);

    CHECK(npm_scripts_put(a, "{\"scripts\":{\"b\":[1]}}", two, true, &r, &e));
    CHECK_STR(r.text, "{\"scripts\":{\"b\":\"y\",\"a\":\"x\"}}");
    CHECK_STR(strlist_join(&r.added, " "), "a");
    const char *after = r.text;
    CHECK(npm_scripts_put(a, after, two, false, &r, &e));
    CHECK(r.text == after || strcmp(r.text, after) == 0);
    CHECK(r.added.count == 0 && r.left.count == 0);
}

TEST(what_is_no_package_json)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(put(a, "{\"scripts\":{\"d\":\"x\",}}", one, false),
              "invalid JSON at line 1, column 22");
    CHECK_STR(put(a, "", one, false), "invalid JSON at line 1, column 1");
    CHECK_STR(put(a, "[]", one, false), "not a JSON object");
    CHECK_STR(put(a, "{\"scripts\":[]}", one, false), "\"scripts\" is not a JSON object");
    CHECK_STR(put(a, "{\"scripts\":null}", one, false), "\"scripts\" is not a JSON object");
}

TEST(includes_in_makefiles)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *file = "scripts/db.mk";
    CHECK(make_includes(a, "include scripts/db.mk\n", file));
    CHECK(make_includes(a, "all:\n\ttrue\n\n-include a.mk ./scripts/db.mk # x\n", file));
    CHECK(make_includes(a, "  sinclude scripts/db.mk", file));
    CHECK(!make_includes(a, "# include scripts/db.mk\n", file));
    CHECK(!make_includes(a, "include scripts/db.mk.old x/scripts/db.mk\n", file));
    CHECK(!make_includes(a, "all:\n\tinclude scripts/db.mk\n", file));
    CHECK(!make_includes(a, "includes = scripts/db.mk\n", file));

    const char *line = "include scripts/db.mk\n";
    CHECK_STR(make_with(a, "", line), "include scripts/db.mk\n");
    CHECK_STR(make_with(a, "all:\n\ttrue\n", line), "all:\n\ttrue\n\ninclude scripts/db.mk\n");
    CHECK_STR(make_with(a, "all:\n\ttrue \\", line), "all:\n\ttrue \\\n\ninclude scripts/db.mk\n");
    CHECK_STR(make_with(a, "x = \\\n", line), "x = \\\n\ninclude scripts/db.mk\n");
}

TEST(variables_of_makefiles)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char *const yes[] = {"PROJECT=x",    "  PROJECT := x", "a:\n\nPROJECT ?= x",
                                      "PROJECT+=x",   "PROJECT ::= x",  "export PROJECT = x",
                                      "PROJECT != x", "PROJECT\t=\tx"};
    static const char *const no[] = {"\tPROJECT=x",   "#PROJECT=x", "PROJECTS=x",
                                     "X=PROJECT=x",   "PROJECT: a", "ifeq ($(PROJECT),)",
                                     "a: PROJECT = x"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        CHECK(make_assigns(a, yes[i], "PROJECT"));
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        CHECK(!make_assigns(a, no[i], "PROJECT"));
}

TEST(targets_of_makefiles)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *ours = "X ?= 1\nY := a:b\ndb-up db-down: x\n\tdb-run: y\n.PHONY: db-up\n"
                       "# db-no: z\ndb-all::\ndb-set: V = 1\n";
    struct strlist both =
        make_common_targets(a, "db-up:\n\ttrue\nall : db-all\n.PHONY: db-up all\n", ours);
    CHECK_STR(strlist_join(&both, " "), "db-up");
    both = make_common_targets(a, "all: x\n\tdb-up: no\ndb-no:\ndb-run:\nY:\nX:\n", ours);
    CHECK_STR(strlist_join(&both, " "), "");
    both = make_common_targets(a, "a db-down b &: x\ndb-all:: y\n", ours);
    CHECK_STR(strlist_join(&both, " "), "db-down db-all");
}

TEST(lines_of_gitignore)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK(ignore_names(a, "node_modules\nbackups/\n", "backups"));
    CHECK(ignore_names(a, "/backups", "backups"));
    CHECK(ignore_names(a, "backups/*\r\n", "backups"));
    CHECK(ignore_names(a, "**/backups  \n", "backups"));
    CHECK(ignore_names(a, "var/backups\n", "/var/backups/"));
    CHECK(!ignore_names(a, "#backups\n!backups\nbackups/old\nmy-backups\n", "backups"));
    CHECK(!ignore_names(a, "backups/\n!backups/\n", "backups"));
    CHECK(ignore_names(a, "/backup_*.sql\n", "backup_*.sql"));
    CHECK_STR(lines_with(a, "", "backups/"), "backups/\n");
    CHECK_STR(lines_with(a, "x", "backups/"), "x\nbackups/\n");
    CHECK_STR(lines_with(a, "x\n", "backups/"), "x\nbackups/\n");
    CHECK_STR(lines_with(a, "x\r\n", "backups/"), "x\r\nbackups/\r\n");
}

TEST(one_path_seen_from_another)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(fs_relative(a, "/a/b", "/a/b"), ".");
    CHECK_STR(fs_relative(a, "/a/b", "/a/b/c/d"), "c/d");
    CHECK_STR(fs_relative(a, "/a/b/c", "/a"), "../..");
    CHECK_STR(fs_relative(a, "/a/bc", "/a/b"), "../b");
    CHECK_STR(fs_relative(a, "/a/b", "/a/bc/d"), "../bc/d");
    CHECK_STR(fs_relative(a, "/", "/a"), "a");
    CHECK_STR(fs_relative(a, "/a", "/"), "..");
    CHECK_STR(fs_relative(a, "/a/b", "/x"), "../../x");
}
