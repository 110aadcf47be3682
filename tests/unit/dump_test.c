#include "base/fs.h"
#include "core/backup/compression.h"
#include "core/backup/datafile.h"
#include "core/backup/tally.h"
#include "ext/hash.h"

#include "tap.h"
#include "tree.h"

TEST(compression_is_read)
{
    static const struct {
        const char *text;
        enum member_codec codec;
        int level;
    } good[] = {{"none", MEMBER_NONE, 0},
                {"gzip:1", MEMBER_GZIP, 1},
                {"gzip:9", MEMBER_GZIP, 9},
                {"zstd:1", MEMBER_ZSTD, 1},
                {"zstd:19", MEMBER_ZSTD, 19}};
    static const char *const bad[] = {"",        "gzip",    "gzip:",   "gzip:0",
                                      "gzip:10", "None",    "zstd:0",  "zstd:20",
                                      "zstd:-1", "zstd:01", "zstd:1 ", "lz4:1"};
    AUTO(arena) struct arena *a = arena_new();
    struct compression c;
    struct err e = {0};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CHECK(compression_parse(good[i].text, &c, &e));
        CHECK(c.codec == good[i].codec && c.level == good[i].level && !c.automatic);
        CHECK_STR(compression_text(a, compression_for(c, 150000)), good[i].text);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!compression_parse(bad[i], &c, &e) && e.kind == ERR_CONFIG);
}

TEST(automatic_compression_is_what_the_servers_tools_read)
{
    AUTO(arena) struct arena *a = arena_new();
    struct compression c;
    struct err e = {0};
    CHECK(compression_parse("auto", &c, &e));
    CHECK_STR(compression_text(a, compression_for(c, 150018)), "gzip:1");
    CHECK_STR(compression_text(a, compression_for(c, 160000)), "zstd:1");
    CHECK(compression_parse(NULL, &c, &e));
    CHECK_STR(compression_text(a, compression_for(c, 120000)), "gzip:1");
}

static struct tally tally_of(const char *row)
{
    struct tally t = {0};
    tally_row(&t, row, strlen(row), true);
    return t;
}

TEST(nulls_are_whole_fields)
{
    static const struct {
        const char *row;
        int nulls[4];
    } rows[] = {
        {"a\tb\tc\td\n", {0, 0, 0, 0}},
        {"\\N\t\\N\t\\N\t\\N\n", {1, 1, 1, 1}},
        {"\\N\n", {1, 0, 0, 0}},
        {"\\\\N\t\\N\tx\t\\\\N\n", {0, 1, 0, 0}},
        {"x\\N\t\\Nx\ty\t\\N\n", {0, 0, 0, 1}},
        {"\t\t\\N\t\n", {0, 0, 1, 0}},
        {"a\\\\\t\\N\tx\\t\\N\tb\n", {0, 1, 0, 0}},
        {"\\\n", {0, 0, 0, 0}},
        {"\n", {0, 0, 0, 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct tally t = tally_of(rows[i].row);
        for (size_t k = 0; k < 4; k++)
            CHECK(t.nulls[k] == rows[i].nulls[k]);
        CHECK(t.rows == 1 && t.text_bytes == (int64_t)strlen(rows[i].row));
    }
}

TEST(content_does_not_depend_on_the_order)
{
    struct tally x = {0}, y = {0}, z = {0};
    tally_row(&x, "1\n", 2, false);
    tally_row(&x, "2\n", 2, false);
    tally_row(&y, "2\n", 2, false);
    tally_row(&y, "1\n", 2, false);
    tally_row(&z, "1\n", 2, false);
    tally_row(&z, "1\n", 2, false);
    CHECK(x.content == y.content && x.content != z.content);
    CHECK(hash_of("", 0) == 0x2D06800538D394C2U); /* XXH3-64 of nothing, by its specification */
    CHECK(x.content == hash_of("1\n", 2) + hash_of("2\n", 2));
}

TEST(a_data_file_tells_where_to_start)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    const char *path = fs_join(a, dir, "t.dat");
    struct datafile f;
    struct err e = {0};
    datafile_init(&f, path);
    struct datafile_piece piece = {
        .bytes = "abc", .n = 3, .text_n = DATAFILE_SEGMENT / 4, .starts_row = true};
    struct datafile_piece more = {.bytes = "def", .n = 3, .text_n = DATAFILE_SEGMENT};
    for (int i = 0; i < 40; i++)
        CHECK(datafile_add(&f, &piece, &e));
    CHECK(datafile_add(&f, &more, &e)); /* the rest of a long row */
    CHECK(datafile_add(&f, &piece, &e));
    CHECK(datafile_end(&f, &e));
    CHECK(f.bytes == 126 &&
          f.text_bytes == 41 * (int64_t)(DATAFILE_SEGMENT / 4) + DATAFILE_SEGMENT);
    CHECK(f.start_count == 11);
    for (size_t i = 0; i < 10; i++)
        CHECK(f.starts[i] == (int64_t)i * 12);
    CHECK(f.starts[10] == 123);
    char *hex;
    CHECK(digest_file(a, path, &hex, &e));
    CHECK_STR(f.sha256, hex);
    datafile_release(&f);
    datafile_init(&f, path);
    CHECK(!datafile_add(&f, &piece, &e) && e.kind == ERR_SYSTEM); /* it is there already */
    datafile_release(&f);
}
