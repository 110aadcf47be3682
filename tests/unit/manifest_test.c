#include "core/backup/manifest.h"

#include "sample_manifest.h"
#include "tap.h"
#include "tree.h"

static char *sample_text(struct arena *a)
{
    struct manifest m = sample_manifest(a, "app_20261120_194609_full", "full");
    AUTO(json) struct json *j = manifest_json(&m);
    return json_pretty(a, j);
}

/* Reads text as a manifest; the error's message, or "" when it was fine. */
static const char *reading(struct arena *a, const char *dir, const char *text)
{
    struct err e = {0};
    struct manifest m;
    tree_file(dir, "manifest.json", text);
    if (manifest_read(a, dir, &m, &e))
        return "";
    CHECK(e.kind == ERR_DAMAGED);
    CHECK(strstr(e.message, fs_join(a, dir, "manifest.json")) != NULL);
    return arena_strdup(a, e.message);
}

/* The text with the first `from` replaced. */
static char *with(struct arena *a, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    CHECK(at != NULL);
    if (at == NULL)
        return arena_strdup(a, text);
    return arena_printf(a, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

TEST(what_is_written_is_read_back)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct manifest m = sample_manifest(a, "app_20261120_194609_full", "full"), back;
    struct err e = {0};
    CHECK(manifest_write(a, dir, &m, &e));
    CHECK(manifest_read(a, dir, &back, &e));
    AUTO(json) struct json *j = manifest_json(&back);
    CHECK_STR(json_pretty(a, j), sample_text(a));

    CHECK(back.sequences[0].last_value == INT64_MAX && back.sequences[1].last_value == INT64_MIN);
    CHECK(back.tables[0].inserted == 999999999999999 && back.tables[0].deleted == -1);
    CHECK(back.tables[1].file == NULL && back.label == NULL && back.git_branch == NULL);
    CHECK_STR(back.tables[0].columns[1].name, "odd \"name\"\n");
    CHECK(back.ledgers.items[0].rows[1].finished_at == NULL);
    CHECK(manifest_rows(&back) == 7);
    CHECK(manifest_table_find(&back, "public", "User") == &back.tables[0]);
    CHECK(manifest_table_find(&back, "other", "User") == NULL);
    CHECK(database_difference(a, &m.database, &back.database).count == 0);
}

static bool may_be_null(const char *key, size_t depth)
{
    static const char *const keys[] = {"run",    "comment",           "acl",
                                       "commit", "system_identifier", "fields"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return depth > 1 && (strcmp(key, "finished_at") == 0 || strcmp(key, "rolled_back_at") == 0);
}

/* The text with the value in line `line` (from `at` on) replaced. */
static const char *reading_changed(struct arena *a, const char *dir, const char *text,
                                   const char *at, const char *value)
{
    size_t n = strcspn(at, "\n");
    const char *comma = n > 0 && at[n - 1] == ',' ? "," : "";
    return reading(a, dir,
                   arena_printf(a, "%.*s%s%s%s", (int)(at - text), text, value, comma, at + n));
}

TEST(every_key_is_needed_and_has_its_type)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    const char *text = sample_text(a);
    int seen = 0;
    for (const char *line = text; *line != '\0'; line += strcspn(line, "\n") + 1) {
        size_t depth = strspn(line, "\t");
        const char *colon = strstr(line, "\":\t");
        if (line[depth] != '"' || colon == NULL || colon > line + strcspn(line, "\n") ||
            strchr("{[", colon[3]) != NULL || str_starts(colon + 3, "null"))
            continue;
        const char *key = arena_strndup(a, line + depth + 1, (size_t)(colon - line) - depth - 1);
        /* sha256 and file stand or fall together: the message names both. */
        const char *lost = reading_changed(a, dir, text, colon + 3, "null");
        if (may_be_null(key, depth))
            CHECK_STR(lost, "");
        else
            CHECK(strstr(lost, arena_printf(a, "\"%s\"", key)) != NULL);
        const char *twisted = reading_changed(a, dir, text, colon + 3, "{\"a\": 1}");
        if (strstr(twisted, arena_printf(a, "\"%s\"", key)) == NULL)
            printf("# key %s: %s\n", key, twisted);
        CHECK(strstr(twisted, arena_printf(a, "\"%s\"", key)) != NULL);
        seen++;
    }
    CHECK(seen > 60);
    static const char *const containers[] = {
        "database",      "versions",        "git",       "ledger",   "tables",
        "columns",       "members",         "sequences", "files",    "verified",
        "role_settings", "security_labels", "counters",  "settings", "migrations"};
    for (size_t i = 0; i < ARRAY_LEN(containers); i++) {
        const char *key = arena_printf(a, "\"%s\":", containers[i]);
        const char *got =
            reading(a, dir, with(a, text, key, arena_printf(a, "\"gone %s", key + 1)));
        CHECK(strstr(got, arena_printf(a, "\"%s\"", containers[i])) != NULL);
    }
}

TEST(values_that_cannot_be_are_damage)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    const char *text = sample_text(a);
    static const struct {
        const char *from, *to, *said;
    } cases[] = {
        {"\"file\":\t\"3001", "\"file\":\t\"../3001", "tables[0]: file name \"../3001.dat.gz\""},
        {"\"file\":\t\"3001.dat.gz", "\"file\":\t\"", "tables[0]: file name \"\""},
        {"\"name\":\t\"toc.dat", "\"name\":\t\"x/toc.dat", "files[1]: file name \"x/toc.dat\""},
        {"\"name\":\t\"toc.dat", "\"name\":\t\"..", "files[1]: file name \"..\""},
        {"\"name\":\t\"toc.dat", "\"name\":\t\"/etc/x", "files[1]: file name \"/etc/x\""},
        {"\"9f86d081", "\"9F86d081", "\"sha256\""},
        {"\"9f86d081", "\"9f86d08", "\"sha256\""},
        {"\"rows\":\t3", "\"rows\":\t-1", "tables[0]: key \"rows\""},
        {"\"rows\":\t3", "\"rows\":\t3.5", "tables[0]: key \"rows\""},
        {"\"values\":\t3", "\"values\":\t-1", "tables[0]: columns[0]: key \"values\""},
        {"[0, 2]", "[0, 0]", "tables[0]: key \"members\""},
        {"[0, 2]", "[0, 4]", "tables[0]: key \"members\""},
        {"[0, 2]", "[\"0\"]", "tables[0]: key \"members\""},
        {"\"9223372036854775807\"", "\"9x\"", "sequences[0]: key \"last_value\""},
        {"\"9223372036854775807\"", "\"\"", "sequences[0]: key \"last_value\""},
        {"\"9223372036854775807\"", "\"9223372036854775808\"", "sequences[0]: key \"last_value\""},
        {"\"work_mem=64MB\"", "\"work_mem\"", "database: key \"settings\""},
        {"\"kind\":\t\"full\"", "\"kind\":\t\"half\"", "\"kind\""},
        {"\"2026-11-20T19:46:09.000Z\"", "\"yesterday\"", "\"started_at\""},
        {"\"format\":\t1", "\"format\":\t2", "\"format\" is 2, this migsafe reads up to 1"},
        {"\"format\":\t1", "\"format\":\t0", "not a manifest of migsafe"},
        {"\"format\":\t1", "\"form\":\t1", "not a manifest of migsafe"},
        {"\"bytes\":\t-1", "\"bytes\":\t5", "\"file\", \"sha256\" and \"bytes\" disagree"},
        {"\"file\":\t\"3001", "\"file\":\t\"3002", "is not so in the list of files"},
        {"\"name\":\t\"toc.dat", "\"name\":\t\"3001.dat.gz",
         "file \"3001.dat.gz\" is listed twice"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = reading(a, dir, with(a, text, cases[i].from, cases[i].to));
        if (strstr(got, cases[i].said) == NULL)
            printf("# case %zu: %s\n", i, got);
        CHECK(strstr(got, cases[i].said) != NULL);
    }
    CHECK(strstr(reading(a, dir, "[]"), "not a manifest") != NULL);
    CHECK(strstr(reading(a, dir, ""), "invalid JSON") != NULL);
    CHECK(strstr(reading(a, dir, "{\"format\": 1"), "invalid JSON") != NULL);
    CHECK_STR(reading(a, dir, with(a, text, "\"pinned\"", "\"new key\":\t[1],\n\t\"pinned\"")), "");
    CHECK_STR(reading(a, dir, text), "");
}

TEST(a_missing_manifest_is_told_from_a_damaged_one)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct manifest m;
    struct err e = {0};
    CHECK(!manifest_read(a, dir, &m, &e));
    CHECK(e.kind == ERR_NOT_FOUND);
}
