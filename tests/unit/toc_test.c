#include "core/backup/toc.h"

#include "core/backup/dump.h"

#include "tap.h"

/* An archive as pg_dump writes it, byte by byte. */
static void add_int(struct str *s, int64_t value)
{
    uint64_t n = (uint64_t)(value < 0 ? -value : value);
    char bytes[5] = {value < 0};
    for (int i = 0; i < 4; i++)
        bytes[i + 1] = (char)(n >> (8 * i));
    str_add_n(s, bytes, sizeof(bytes));
}

static void add_text(struct str *s, const char *text)
{
    add_int(s, text == NULL ? -1 : (int64_t)strlen(text));
    if (text != NULL)
        str_add(s, text);
}

static void add_head(struct str *s, int minor, int count)
{
    const char head[] = {'P', 'G', 'D', 'M', 'P', 1, (char)minor, 0, 4, 8, 3};
    str_add_n(s, head, sizeof(head));
    if (minor >= 15)
        str_add_n(s, "\1", 1);
    else
        add_int(s, -1);
    for (int i = 0; i < 7; i++)
        add_int(s, i);
    add_text(s, "app");
    add_text(s, "15.14");
    add_text(s, "15.13");
    add_int(s, count);
}

static void add_entry(struct str *s, int minor, const struct toc_entry *e)
{
    add_int(s, e->dump_id);
    add_int(s, e->file != NULL);
    add_text(s, "0");
    add_text(s, e->oid);
    add_text(s, e->tag);
    add_text(s, e->type);
    add_int(s, e->section);
    add_text(s, e->definition);
    add_text(s, NULL);
    add_text(s, e->copy);
    add_text(s, e->schema);
    add_text(s, NULL);
    add_text(s, "heap");
    if (minor >= 16)
        add_int(s, 'r');
    add_text(s, e->owner);
    add_text(s, "false");
    if (e->depends != 0) {
        add_text(s, "210");
        add_text(s, "7");
    }
    add_text(s, NULL);
    add_text(s, e->file == NULL ? "" : e->file);
}

static const struct toc_entry samples[] = {
    {.dump_id = 3001,
     .oid = "16390",
     .tag = "User",
     .type = "TABLE",
     .schema = "public",
     .owner = "app",
     .definition = "CREATE TABLE;",
     .section = TOC_PRE_DATA},
    {.dump_id = 3400,
     .depends = 210,
     .oid = "16390",
     .tag = "User",
     .type = "TABLE DATA",
     .schema = "public",
     .owner = "app",
     .copy = "COPY x FROM stdin;\n",
     .file = "3400.dat",
     .section = TOC_DATA},
};

static struct str archive(struct arena *a, int minor)
{
    struct str s = str_on(a);
    add_head(&s, minor, (int)ARRAY_LEN(samples));
    for (size_t i = 0; i < ARRAY_LEN(samples); i++)
        add_entry(&s, minor, &samples[i]);
    return s;
}

TEST(every_format_is_read)
{
    AUTO(arena) struct arena *a = arena_new();
    for (int minor = 14; minor <= 16; minor++) {
        struct str s = archive(a, minor);
        struct toc toc;
        struct err e = {0};
        CHECK(toc_parse(a, s.text, s.length, &toc, &e));
        CHECK(toc.count == 2);
        if (toc.count != 2)
            continue;
        CHECK_STR(toc.server_version, "15.14");
        CHECK_STR(toc.tool_version, "15.13");
        const struct toc_entry *data = &toc.entries[1];
        CHECK(data->dump_id == 3400 && data->depends == 210 && data->section == TOC_DATA);
        CHECK_STR(data->oid, "16390");
        CHECK_STR(data->type, "TABLE DATA");
        CHECK_STR(data->copy, "COPY x FROM stdin;\n");
        CHECK_STR(data->file, "3400.dat");
        CHECK(data->definition == NULL && toc.entries[0].depends == 0);
        CHECK_STR(toc.entries[0].definition, "CREATE TABLE;");
        CHECK_STR(toc.entries[0].file, "");
    }
}

TEST(torn_archives_are_damage)
{
    AUTO(arena) struct arena *a = arena_new();
    struct str s = archive(a, 16);
    struct toc toc;
    for (size_t n = 0; n < s.length; n++) {
        struct err e = {0};
        char *cut = malloc(n + 1); /* so that reading past the end is seen by ASan */
        if (cut == NULL)
            abort();
        memcpy(cut, s.text, n);
        bool fine = toc_parse(a, cut, n, &toc, &e);
        CHECK(!fine && e.kind == ERR_DAMAGED);
        free(cut);
    }
    struct err e = {0};
    str_add(&s, "x");
    CHECK(!toc_parse(a, s.text, s.length, &toc, &e) && e.kind == ERR_DAMAGED);
}

/* Reads an archive with one byte changed. */
static bool reads_with(struct arena *a, size_t at, char byte, struct err *e)
{
    struct str s = archive(a, 16);
    struct toc toc;
    s.text[at] = byte;
    *e = (struct err){0};
    return toc_parse(a, s.text, s.length, &toc, e);
}

TEST(other_formats_are_refused)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e;
    CHECK(!reads_with(a, 0, 'p', &e) && strstr(e.message, "not an archive of pg_dump") != NULL);
    CHECK(!reads_with(a, 6, 17, &e) && strstr(e.message, "1.17") != NULL);
    CHECK(!reads_with(a, 6, 13, &e) && strstr(e.message, "1.13") != NULL);
    CHECK(!reads_with(a, 5, 2, &e) && strstr(e.message, "2.16") != NULL);
    CHECK(!reads_with(a, 8, 8, &e) && strstr(e.message, "kind of machine") != NULL);
    CHECK(!reads_with(a, 10, 1, &e) && strstr(e.message, "directory") != NULL);
    /* Whatever a byte becomes, it is read or refused. */
    struct str s = archive(a, 16);
    for (size_t i = 0; i < s.length; i++)
        CHECK(reads_with(a, i, (char)0xFF, &e) || e.kind == ERR_DAMAGED);
}

TEST(states_of_sequences_are_read)
{
    static const struct {
        const char *definition;
        int64_t last;
        bool called;
    } good[] = {
        {"SELECT pg_catalog.setval('public.s', 5, true);\n", 5, true},
        {"SELECT pg_catalog.setval('public.s', -9223372036854775808, false);\n", INT64_MIN, false},
        {"SELECT pg_catalog.setval('public.\"a, 7, true)\"', 9223372036854775807, true);\n",
         INT64_MAX, true},
    };
    static const char *const bad[] = {NULL,
                                      "",
                                      "SELECT 1;",
                                      "SELECT setval('s', 5);",
                                      "SELECT setval('s', x, true);",
                                      "SELECT setval('s', 5, maybe);",
                                      "SELECT setval('s', 9223372036854775808, true);",
                                      "SELECT setval('s', 5x, true);"};
    int64_t last;
    bool called;
    struct err e = {0};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct toc_entry entry = {.tag = "s", .definition = good[i].definition};
        CHECK(toc_sequence(&entry, &last, &called, &e));
        CHECK(last == good[i].last && called == good[i].called);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct toc_entry entry = {.tag = "s", .definition = bad[i]};
        CHECK(!toc_sequence(&entry, &last, &called, &e) && e.kind == ERR_DAMAGED);
    }
}

TEST(compression_is_a_level)
{
    static const struct {
        const char *text;
        int level;
    } good[] = {{NULL, 1}, {"auto", 1}, {"none", 0}, {"gzip:1", 1}, {"gzip:9", 9}};
    static const char *const bad[] = {"", "gzip", "gzip:", "gzip:0", "gzip:10", "zstd:3", "None"};
    int level;
    struct err e = {0};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CHECK(dump_level(good[i].text, &level, &e));
        CHECK(level == good[i].level);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(!dump_level(bad[i], &level, &e) && e.kind == ERR_CONFIG);
}
