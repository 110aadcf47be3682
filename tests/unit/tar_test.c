#include "core/backup/tar.h"
#include "tap.h"

#define ID "app_20261120_194609_full"

/* A tar in memory. */
struct made {
    char bytes[64 * 1024];
    size_t n, given;
};

static bool give(void *context, void *buffer, size_t max, size_t *n, struct err *e)
{
    struct made *m = context;
    (void)e;
    *n = m->n - m->given < max ? m->n - m->given : max;
    *n = *n > 7 ? 7 : *n; /* in small pieces */
    memcpy(buffer, m->bytes + m->given, *n);
    m->given += *n;
    return true;
}

static void add(struct made *m, const char *path, char type, const char *text)
{
    char *block = m->bytes + m->n;
    size_t size = strlen(text), sum = 0;
    snprintf(block, 100, "%s", path);
    snprintf(block + 124, 12, "%011zo", size);
    block[156] = type;
    memcpy(block + 257, "ustar\00000", 8);
    memset(block + 148, ' ', 8);
    for (int i = 0; i < TAR_BLOCK; i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06zo", sum);
    memcpy(block + TAR_BLOCK, text, size);
    m->n += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
}

static void end(struct made *m)
{
    m->n += (size_t)2 * TAR_BLOCK;
}

/* "id: name=text name=text", or the error. */
static const char *read_all(struct arena *a, struct made *m)
{
    struct err e = {0};
    struct tar t = {.arena = a, .read = give, .context = m, .names = strlist_on(a)};
    struct str out = str_on(a);
    for (bool more = true; more;) {
        if (!tar_next(&t, &more, &e))
            return arena_strdup(a, e.message);
        if (!more)
            break;
        str_printf(&out, " %s=", t.name);
        char piece[100];
        for (size_t n = 1; n > 0;) {
            if (!tar_read(&t, piece, sizeof(piece), &n, &e))
                return arena_strdup(a, e.message);
            str_add_n(&out, piece, n);
        }
    }
    return arena_printf(a, "%s:%s", t.id == NULL ? "" : t.id, out.text);
}

static const char *one(struct arena *a, const char *path, char type, const char *text)
{
    struct made *m = ARENA_NEW(a, struct made);
    add(m, path, type, text);
    end(m);
    return read_all(a, m);
}

TEST(files_of_a_backup_are_read)
{
    AUTO(arena) struct arena *a = arena_new();
    struct made *m = ARENA_NEW(a, struct made);
    add(m, ID "/", '5', "");
    add(m, ID "/manifest.json", '0', "{}");
    add(m, "./" ID "/1.dat.gz", '\0', "");
    add(m, "x", 'x', "30 mtime=1350244992.023960108\n42 path=" ID "/2.dat.gz\n");
    add(m, "whatever", '0', "two");
    end(m);
    CHECK(tar_is_backup(m->bytes, m->n));
    CHECK_STR(read_all(a, m), ID ": manifest.json={} 1.dat.gz= 2.dat.gz=two");
}

TEST(names_that_no_backup_has_are_refused)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char *const foreign[] = {
        "/etc/passwd",
        "../" ID "/a",
        "../x",
        "x/y",
        "manifest.json",
        "",
        "APP_20261120_194609_full/a",
        "./../" ID "/a",
        "/" ID "/a",
        "app_20261120_full/a",
        ".",
        "./",
    };
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        CHECK(strstr(one(a, foreign[i], '0', "x"), "which is not of a backup's folder") != NULL);
    static const char *const within[] = {ID "/a/b", ID "/../a", ID "/.a", ID "//a",
                                         ID "/.",   ID,         ID "/"};
    for (size_t i = 0; i < ARRAY_LEN(within); i++)
        CHECK(strstr(one(a, within[i], '0', "x"), "which no backup has") != NULL);
}

TEST(only_files_are_taken)
{
    AUTO(arena) struct arena *a = arena_new();
    for (const char *type = "123467LKS"; *type != '\0'; type++)
        CHECK(strstr(one(a, ID "/a", *type, ""), "which is no file") != NULL);
    CHECK(strstr(one(a, ID "/a", '5', ""), "which no backup has") != NULL);
}

TEST(one_backup_and_each_file_once)
{
    AUTO(arena) struct arena *a = arena_new();
    struct made *m = ARENA_NEW(a, struct made);
    add(m, ID "/a", '0', "1");
    add(m, ID "/a", '0', "2");
    end(m);
    CHECK(strstr(read_all(a, m), "twice") != NULL);
    struct made *two = ARENA_NEW(a, struct made);
    add(two, ID "/a", '0', "1");
    add(two, "other_20261120_194609_full/b", '0', "2");
    end(two);
    CHECK(strstr(read_all(a, two), "two backups") != NULL);
}

TEST(damage_is_told)
{
    AUTO(arena) struct arena *a = arena_new();
    struct made *m = ARENA_NEW(a, struct made);
    add(m, ID "/a", '0', "text");
    size_t whole = m->n;
    CHECK(strstr(read_all(a, m), "cut off") != NULL); /* no end */
    m->given = 0;
    m->n = TAR_BLOCK + 2;
    CHECK(strstr(read_all(a, m), "cut off") != NULL);
    m->given = 0;
    m->n = whole;
    m->bytes[0] ^= 1;
    CHECK(strstr(read_all(a, m), "a header is none") != NULL);
    CHECK(!tar_is_backup(m->bytes, m->n));
    CHECK(strstr(one(a, "x", 'x', "99 path=a\n"), "pax header") != NULL);
    CHECK(strstr(one(a, "x", 'x', "9 size=-1\n"), "pax header") != NULL);
    CHECK(strstr(one(a, "x", 'x', "4 =\n"), "cut off") == NULL);
}

TEST(other_tars_are_not_ours)
{
    AUTO(arena) struct arena *a = arena_new();
    struct made *m = ARENA_NEW(a, struct made);
    add(m, "toc.dat", '0', "PGDMP");
    CHECK(!tar_is_backup(m->bytes, m->n));
    CHECK(!tar_is_backup("PGDMP", 5));
}
