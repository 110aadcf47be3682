#include "core/prisma/checksum.h"
#include "core/prisma/migrations.h"

#include "base/proc.h"
#include "ext/json.h"

#include "tap.h"
#include "tree.h"

/* Sorted as node sorts them; the order test asks node itself. */
static const char *const awkward[] = {"_",
                                      "-",
                                      " lead",
                                      "_init",
                                      "-x",
                                      "!",
                                      "(copy)",
                                      "{a}",
                                      "@x",
                                      "#1",
                                      "%",
                                      "^",
                                      "+",
                                      "=",
                                      "~",
                                      "$",
                                      "0",
                                      "00",
                                      "01_init",
                                      "1_a",
                                      "10_a",
                                      "2_a",
                                      "20230101000000_a",
                                      "20230101000000_A",
                                      "20230101000000_a_b",
                                      "20230101000000_ab",
                                      "20230101000000_a-b",
                                      "20230101000000_aB",
                                      "20230101000000_Ab",
                                      "20230101000000_AB",
                                      "20230101000000__a",
                                      "20230101000000",
                                      "a",
                                      "A",
                                      "a ",
                                      "a.b",
                                      "a,b",
                                      "a_b",
                                      "a-b",
                                      "aB",
                                      "Ab",
                                      "a_B",
                                      "A_b",
                                      "A_a",
                                      "ab",
                                      "abc",
                                      "b",
                                      "B",
                                      "Z",
                                      "z",
                                      "add user",
                                      "add_user",
                                      "addUser",
                                      "init",
                                      "Init",
                                      "INIT",
                                      "init_",
                                      "init2",
                                      "init_2"};

static const char script[] =
    "names = %s;"
    "console.log(JSON.stringify(names.sort((a, b) => a.localeCompare(b))))";

static int by_order(const void *a, const void *b)
{
    return migration_order(*(const char *const *)a, *(const char *const *)b);
}

TEST(migrations_are_ordered_as_node_orders_them)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(json) struct json *names = json_array();
    struct err e = {0};
    struct proc_result r;
    const char *sorted[ARRAY_LEN(awkward)];
    for (size_t i = 0; i < ARRAY_LEN(awkward); i++) {
        json_push(names, awkward[i]);
        sorted[i] = awkward[i];
    }
    qsort(sorted, ARRAY_LEN(sorted), sizeof(*sorted), by_order);

    struct proc_spec spec = {
        .argv =
            (const char *const[]){"node", "-e", arena_printf(a, script, json_text(a, names)), NULL},
        .timeout_ms = 20000,
        .out_max = 64 * 1024};
    if (!proc_run(a, &spec, &r, &e) || r.exit_status != 0) {
        TAP_SKIP("no node here to compare with");
        return;
    }
    AUTO(json) struct json *want = json_parse(r.out, strlen(r.out), &e);
    CHECK(want != NULL && json_count(want) == ARRAY_LEN(sorted));
    for (size_t i = 0; want != NULL && i < ARRAY_LEN(sorted); i++)
        CHECK_STR(sorted[i], json_text_of(json_at(want, i)));
}

TEST(migrations_have_a_total_order)
{
    CHECK(migration_order("a", "a") == 0);
    CHECK(migration_order("a\x01", "a") != 0); /* alike to ICU, still never equal */
    CHECK(migration_order("f", "\xC3\xA9") < 0);
    for (size_t i = 0; i < ARRAY_LEN(awkward); i++)
        for (size_t j = 0; j < ARRAY_LEN(awkward); j++)
            CHECK((migration_order(awkward[i], awkward[j]) < 0) ==
                  (migration_order(awkward[j], awkward[i]) > 0));
}

TEST(migrations_are_the_real_folders)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct err e = {0};
    struct migration_list list;
    tree_file(dir, "m/2_b/migration.sql", "SELECT 2;\n");
    tree_file(dir, "m/2_C/migration.sql", "");
    tree_file(dir, "m/10_a/migration.sql", "SELECT 1;\n");
    tree_file(dir, "m/3_empty/readme", "no script");
    tree_file(dir, "m/4_folder/migration.sql/x", "");
    tree_file(dir, "m/.hidden/migration.sql", "");
    tree_file(dir, "m/migration_lock.toml", "");
    tree_link(dir, "m/5_link", "2_b");
    CHECK(migrations_read(a, fs_join(a, dir, "m"), &list, &e));
    CHECK(list.count == 6);
    static const char *const want[] = {".hidden", "10_a", "2_b", "2_C", "3_empty", "4_folder"};
    for (size_t i = 0; i < list.count && i < ARRAY_LEN(want); i++)
        CHECK_STR(list.items[i].name, want[i]);
    CHECK_STR(list.items[1].sql, "SELECT 1;\n");
    CHECK(list.items[1].length == 10 && str_ends(list.items[1].path, "/m/10_a/migration.sql"));
    CHECK_STR(list.items[1].checksum,
              "b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd");
    CHECK(list.items[4].sql == NULL && list.items[4].checksum == NULL && list.items[5].sql == NULL);
    CHECK(!migration_matches(&list.items[4], list.items[1].checksum));
    CHECK(migration_find(&list, "2_b") == &list.items[2] && migration_find(&list, "2") == NULL);

    CHECK(!migrations_read(a, fs_join(a, dir, "none"), &list, &e) && e.kind == ERR_NOT_FOUND);
}

static bool matches(const char *script_now, const char *script_then)
{
    AUTO(arena) struct arena *a = arena_new();
    struct migration m = {.sql = script_now,
                          .length = strlen(script_now),
                          .checksum = script_checksum(a, script_now, strlen(script_now))};
    return migration_matches(&m, script_checksum(a, script_then, strlen(script_then)));
}

TEST(checksum_sees_through_line_ends_and_allow_lines)
{
    static const struct {
        const char *now, *then;
        bool same;
    } cases[] = {
        {"a;\nb;\n", "a;\nb;\n", true},
        {"a;\nb;\n", "a;\nc;\n", false},
        {"a;\r\nb;\r\n", "a;\nb;\n", true},
        {"a;\nb;\n", "a;\r\nb;\r\n", true},
        {"a;\r\nb;\n", "a;\nb;\n", true},
        {"a;\nb;", "a;\nb;\n", false},
        {"a;\rb;\n", "a;\rb;\r\n", true},
        {"-- migsafe: allow drop-table x\na;\n", "a;\n", true},
        {"a;\n  \t-- migsafe: allow x -- why\nb;\n", "a;\nb;\n", true},
        {"a;\n-- migsafe: allow x\n-- migsafe: allow y\nb;\n", "a;\nb;\n", true},
        {"a;\r\n-- migsafe: allow x\r\nb;\r\n", "a;\nb;\n", true},
        {"a;\n-- migsafe: allow x\nb;\n", "a;\r\nb;\r\n", true},
        {"a;\n-- migsafe: allow x", "a;\n", true},
        {"a;\n-- migsafe: allow x\n", "a;", true},
        {"a;\r\n-- migsafe: allow x\r\n", "a;", true},
        {"-- migsafe: allow x\na;\n", "a;", false},
        {"a; -- migsafe: allow x\n", "a;\n", false},
        {"a;\n-- migsafe allow x\n", "a;\n", false},
        {"a;\n-- migsafe: allowed x\n", "a;\n", false},
        {"a;\n-- a comment\n", "a;\n", false},
        {"a;\n-- migsafe: allow x\nc;\n", "a;\nb;\n", false},
        {"a;\nb;\n", "a;\n-- migsafe: allow x\nb;\n", false},
        {"", "", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (matches(cases[i].now, cases[i].then) != cases[i].same) {
            printf("# case %zu\n", i);
            CHECK(false);
        }
}

TEST(checksum_knows_the_old_short_form)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *text = "SELECT 7;";
    const char *full = script_checksum(a, text, strlen(text));
    struct str old = str_on(a);
    for (size_t i = 0; full[i] != '\0'; i += 2)
        str_printf(&old, "%x", (unsigned)strtoul(arena_strndup(a, full + i, 2), NULL, 16));
    CHECK(old.length < 64);
    CHECK(script_checksum_matches(text, strlen(text), old.text));
    CHECK(script_checksum_matches("SELECT 7;\r\n", 11, script_checksum(a, "SELECT 7;\n", 10)));
    CHECK(!script_checksum_matches("SELECT 8;", 9, old.text));
    CHECK(!script_checksum_matches(text, strlen(text), old.text + 1));
    CHECK(!script_checksum_matches(text, strlen(text), ""));
}

/* The sums are of what node -p 'Buffer.from(...).toString()' makes of these bytes. */
TEST(checksum_reads_broken_utf8_as_node_does)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct {
        const char *bytes, *decoded;
    } cases[] = {
        {"a\xFFz", "a\xEF\xBF\xBDz"},
        {"a\xC3", "a\xEF\xBF\xBD"},
        {"\xE2\x82z", "\xEF\xBF\xBDz"},
        {"\xE0\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF0\x80\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xF0\x9F\x92", "\xEF\xBF\xBD"},
        {"\xF4\x90\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xEF\xBB\xBF\xC3\xA9\xE2\x82\xAC\xF0\x9F\x92\xA9", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *want = cases[i].decoded != NULL ? cases[i].decoded : cases[i].bytes;
        CHECK_STR(script_checksum(a, cases[i].bytes, strlen(cases[i].bytes)),
                  script_checksum(a, want, strlen(want)));
    }
    CHECK_STR(script_checksum(a, "\xC3\xA9", 1), script_checksum(a, "\xEF\xBF\xBD", 3));
    CHECK_STR(script_checksum(a, "a\0b", 3),
              "59b271ae1bbcb1d31d41929817f4b16fb439eb4f31520b5ad1d5ce98920a7138");
}
