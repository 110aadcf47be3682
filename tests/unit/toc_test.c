#include "core/backup/toc.h"

#include "base/fs.h"

#include "tap.h"

#include <sys/stat.h>
#include <unistd.h>

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

/* What pg_dump 15 wrote: all of a database; its schema alone, unpacked. */
static const char *const real[] = {"tests/fuzz/seeds/toc/full-1.14",
                                   "tests/fuzz/seeds/toc/schema-1.14"};

static struct str real_bytes(struct arena *a, size_t i)
{
    struct err e = {0};
    struct str s = str_on(a);
    CHECK(fs_read(a, real[i], 1 << 20, &s.text, &s.length, &e) && s.length > 5000);
    return s;
}

static struct toc real_toc(struct arena *a, size_t i)
{
    struct err e = {0};
    struct toc toc = {0};
    struct str s = real_bytes(a, i);
    CHECK(toc_parse(a, s.text, s.length, &toc, &e));
    return toc;
}

static bool formats_as(struct arena *a, const struct toc *toc, const char *bytes, size_t n)
{
    const char *again;
    size_t again_n;
    toc_format(a, toc, &again, &again_n);
    return again_n == n && memcmp(again, bytes, n) == 0;
}

static const struct toc_entry *entry_of(const struct toc *toc, const char *type, const char *tag)
{
    for (size_t i = 0; i < toc->count; i++)
        if (str_same(toc->entries[i].type, type) && str_same(toc->entries[i].tag, tag))
            return &toc->entries[i];
    return NULL;
}

TEST(real_archives_are_written_as_they_were)
{
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(real); i++) {
        struct str s = real_bytes(a, i);
        struct toc toc = real_toc(a, i);
        CHECK(toc.minor == 14 && toc.revision == 0 && toc.compression == (i == 0 ? -1 : 0));
        CHECK_STR(toc.database, "sample");
        CHECK(str_starts(toc.server_version, "15.") && str_starts(toc.tool_version, "15."));
        CHECK(toc.made_at[5] >= 126 && formats_as(a, &toc, s.text, s.length));
    }
    struct toc toc = real_toc(a, 0);
    const struct toc_entry *table = entry_of(&toc, "TABLE", "User");
    const struct toc_entry *data = entry_of(&toc, "TABLE DATA", "User");
    CHECK(table != NULL && data != NULL);
    if (table == NULL || data == NULL)
        return;
    CHECK(!table->has_data && data->has_data && data->depends == table->dump_id);
    CHECK(data->depend_count == 1 && table->depend_count == 1);
    CHECK_STR(table->table_oid, "1259");
    CHECK_STR(table->access_method, "heap");
    CHECK_STR(table->tablespace, "");
    CHECK_STR(table->drop, "DROP TABLE public.\"User\";\n");
    CHECK_STR(data->copy, "COPY public.\"User\" (id, name, s, at) FROM stdin;\n");
    CHECK_STR(data->owner, "postgres");
    CHECK_STR(data->with_oids, "false");
    CHECK(data->tablespace == NULL && data->definition == NULL);
    CHECK_STR(data->file, arena_printf(a, "%lld.dat", (long long)data->dump_id));
}

/* What later formats say otherwise is kept through writing and reading. */
TEST(later_formats_are_written)
{
    AUTO(arena) struct arena *a = arena_new();
    for (int minor = 15; minor <= 16; minor++) {
        struct err e = {0};
        struct toc toc = real_toc(a, 0), read;
        toc.minor = minor;
        toc_set_compression(&toc, TOC_ZSTD, 1);
        CHECK(toc.compression == TOC_ZSTD);
        toc.entries[3].relkind = 'r';
        const char *bytes;
        size_t n;
        toc_format(a, &toc, &bytes, &n);
        CHECK(toc_parse(a, bytes, n, &read, &e) && formats_as(a, &read, bytes, n));
        CHECK(read.minor == minor && read.compression == TOC_ZSTD && read.count == toc.count);
        CHECK(read.entries[3].relkind == (minor == 16 ? 'r' : 0));
        CHECK_STR(read.entries[3].owner, toc.entries[3].owner);
    }
    struct toc toc = real_toc(a, 0);
    toc_set_compression(&toc, TOC_GZIP, 9);
    CHECK(toc.compression == 9);
    toc_set_compression(&toc, TOC_PLAIN, 9);
    CHECK(toc.compression == 0);
    toc_set_compression(&toc, TOC_ZSTD, 9);
    CHECK(toc.compression == -1);
}

TEST(a_real_archive_cut_anywhere_is_damage)
{
    for (int minor = 14; minor <= 16; minor++) {
        AUTO(arena) struct arena *a = arena_new();
        struct toc toc = real_toc(a, 1);
        toc.minor = minor;
        const char *bytes;
        size_t all;
        toc_format(a, &toc, &bytes, &all);
        for (size_t n = 0; n < all; n++) {
            AUTO(arena) struct arena *once = arena_new();
            struct err e = {0};
            char *cut = malloc(n + 1);
            if (cut == NULL)
                abort();
            memcpy(cut, bytes, n);
            CHECK(!toc_parse(once, cut, n, &toc, &e) && e.kind == ERR_DAMAGED);
            free(cut);
        }
    }
}

TEST(what_pg_dump_does_not_write_is_damage)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct toc_entry good = {
        .dump_id = 7, .oid = "0", .tag = "t", .type = "TABLE", .section = TOC_DATA};
    static const char *const bad_ids[] = {"",   "0",          "-1", "x",
                                          "7x", "2147483648", " 7", "99999999999999999999"};
    struct err e = {0};
    const char *bytes;
    size_t n;
    struct toc_entry entry = good;
    struct toc toc = {.minor = 14, .entries = &entry, .count = 1}, read;
    for (size_t i = 0; i < ARRAY_LEN(bad_ids); i++) {
        entry.depend_ids = (const char *[]){"3", bad_ids[i]};
        entry.depend_count = 1;
        toc_format(a, &toc, &bytes, &n);
        CHECK(toc_parse(a, bytes, n, &read, &e));
        entry.depend_count = 2;
        toc_format(a, &toc, &bytes, &n);
        CHECK(!toc_parse(a, bytes, n, &read, &e) && e.kind == ERR_DAMAGED);
    }
    entry = good;
    entry.dump_id = 2147483648;
    toc_format(a, &toc, &bytes, &n);
    CHECK(!toc_parse(a, bytes, n, &read, &e) && e.kind == ERR_DAMAGED);
    entry = good;
    entry.tag = "tag";
    toc_format(a, &toc, &bytes, &n);
    char *torn = arena_strndup(a, bytes, n);
    memcpy(torn, bytes, n);
    *(char *)memmem(torn, n, "tag", 3) = '\0';
    CHECK(!toc_parse(a, torn, n, &read, &e) && e.kind == ERR_DAMAGED);
}

TEST(ids_are_new_and_order_is_kept)
{
    AUTO(arena) struct arena *a = arena_new();
    struct toc toc = real_toc(a, 1), before = toc;
    int64_t next = toc_next_id(&toc);
    for (size_t i = 0; i < toc.count; i++)
        CHECK(toc.entries[i].dump_id < next);
    static const struct toc_entry added[] = {
        {.dump_id = 5000, .tag = "a", .type = "TABLE DATA", .section = TOC_DATA, .oid = "1"},
        {.dump_id = 5001, .tag = "b", .type = "SEQUENCE SET", .section = TOC_DATA},
    };
    toc_insert(a, &toc, added, ARRAY_LEN(added));
    CHECK(toc.count == before.count + 2 && toc_next_id(&toc) == 5002);
    size_t at = 0;
    while (at < before.count && before.entries[at].section != TOC_POST_DATA)
        at++;
    CHECK(at > 0 && at < before.count);
    for (size_t i = 0; i < before.count; i++)
        CHECK(toc.entries[i < at ? i : i + 2].dump_id == before.entries[i].dump_id);
    CHECK(toc.entries[at].dump_id == 5000 && toc.entries[at + 1].dump_id == 5001);
    CHECK(toc.entries[at + 2].section == TOC_POST_DATA);
    /* What is depended on need not be in the archive. */
    toc.entries[at].depend_ids = (const char *[]){"12", "9000", "13"};
    toc.entries[at].depend_count = 3;
    CHECK(toc_next_id(&toc) == 9001);
    /* Without data at the end, and into nothing. */
    struct toc none = {.minor = 16};
    CHECK(toc_next_id(&none) == 1);
    toc_insert(a, &none, added, 2);
    toc_insert(a, &none, added, 1);
    CHECK(none.count == 3 && none.entries[2].dump_id == 5000);
    struct err e = {0};
    const char *bytes;
    size_t n;
    struct toc read;
    toc_format(a, &none, &bytes, &n);
    CHECK(toc_parse(a, bytes, n, &read, &e) && read.count == 3);
    CHECK_STR(read.entries[1].oid, "0");
    CHECK_STR(read.entries[1].table_oid, "0");
    CHECK_STR(read.entries[1].with_oids, "false");
}

TEST(a_folders_archive_is_checked_and_written)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    const char *folder = arena_printf(a, "/tmp/migsafe-toc-%d", (int)getpid());
    const char *path = fs_join(a, folder, "toc.dat");
    struct str s = real_bytes(a, 0);
    struct toc toc;
    struct strlist names;
    struct stat st;
    CHECK(fs_mkdirs(a, folder, &e));
    CHECK(!toc_read_checked(a, folder, &toc, &e) && e.kind == ERR_NOT_FOUND);
    CHECK(fs_write_atomic(a, path, s.text, s.length, &e));
    CHECK(toc_read_checked(a, folder, &toc, &e) && toc_write(a, folder, &toc, &e));
    char *bytes;
    size_t n;
    CHECK(fs_read(a, path, 1 << 20, &bytes, &n, &e) && n == s.length);
    CHECK(memcmp(bytes, s.text, n) == 0);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    CHECK(fs_list(a, folder, FS_ALL, &names, &e) && names.count == 1);
    /* Zero with a sign reads as zero, but is not what pg_dump writes: the seconds. */
    size_t at = 5 + 6 + 5;
    CHECK(s.text[at] == 0);
    memcpy(s.text + at, "\1\0\0\0\0", 5);
    CHECK(fs_write_atomic(a, path, s.text, s.length, &e));
    CHECK(toc_read(a, folder, &toc, &e));
    CHECK(!toc_read_checked(a, folder, &toc, &e) && e.kind == ERR_DAMAGED);
    CHECK(strstr(e.message, "byte 16 is not") != NULL);
    CHECK(fs_write_atomic(a, path, s.text, 100, &e));
    CHECK(!toc_read_checked(a, folder, &toc, &e) && e.kind == ERR_DAMAGED);
    CHECK(strstr(e.message, path) != NULL);
    CHECK(fs_remove_tree(a, folder, &e));
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
