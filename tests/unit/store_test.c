#include "core/backup/store.h"

#include "base/clock.h"

#include "sample_manifest.h"
#include "tap.h"
#include "tree.h"

#include <sys/time.h>

#define FULL "app_20261120_194609_full"

static const char *put(struct arena *a, const char *dir, const char *id, const char *kind)
{
    struct err e = {0};
    struct manifest m = sample_manifest(a, id, kind);
    const char *folder = fs_join(a, dir, id);
    tree_file(folder, "3001.dat.gz", "test");
    tree_file(folder, "toc.dat", "test");
    CHECK(store_write_sums(a, folder, m.files, m.file_count, &e));
    CHECK(manifest_write(a, folder, &m, &e));
    return folder;
}

static struct stored find(struct arena *a, const char *dir, const char *id)
{
    struct err e = {0};
    struct stored s = {0};
    CHECK(store_find(a, dir, id, &s, &e));
    return s;
}

TEST(ids_are_made_and_read)
{
    AUTO(arena) struct arena *a = arena_new();
    struct store_id id;
    CHECK_STR(store_id_make(a, "My App-1", "20261120_194609", "full", 1),
              "my_app_1_20261120_194609_full");
    CHECK_STR(store_id_make(a, "app", "20261120_194609", "data", 2), "app_20261120_194609_data_2");
    CHECK(store_id_parse(a, "my_app_1_20261120_194609_full", &id));
    CHECK_STR(id.database, "my_app_1");
    CHECK_STR(id.kind, "full");
    CHECK(id.taken_at == 1795203969);
    CHECK(store_id_parse(a, "app_20261120_194609_data_12", &id));
    CHECK_STR(id.kind, "data");
    static const char *const none[] = {"",
                                       "app",
                                       "app_20261120_194609",
                                       "app_20261120_194609_full.partial",
                                       "app_20261120_194609_half",
                                       "app_20261320_194609_full",
                                       "_20261120_194609_full",
                                       "20261120_194609_full",
                                       "App_20261120_194609_full",
                                       "../app_20261120_194609_full",
                                       "a.p_20261120_194609_full",
                                       "app_2026112x_194609_full",
                                       "app_20261120_194609_full_",
                                       "_full",
                                       "_2"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        bool is = store_id_parse(a, none[i], &id);
        if (is)
            printf("# taken for an id: %s\n", none[i]);
        CHECK(!is);
    }
}

TEST(the_store_lists_what_is_a_backup)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct store s;
    struct err e = {0};
    CHECK(store_read(a, fs_join(a, dir, "none"), &s, &e) && s.count == 0);
    CHECK(store_sweep(a, fs_join(a, dir, "none"), NULL, &e) && e.kind == ERR_NONE);
    put(a, dir, FULL, "full");
    put(a, dir, "app_20261120_194609_data", "data");
    put(a, dir, "app_20261120_194609_full_2", "full");
    tree_file(dir, "app_20261120_194608_full/toc.dat", "no manifest");
    tree_file(dir, "zoo_20261120_194607_full/manifest.json", "{}");
    tree_file(dir, "app_20261120_194610_full.partial/manifest.json", "{}");
    tree_file(dir, "app_20261120_194611_full.removed/manifest.json", "{}");
    tree_file(dir, "other/manifest.json", "{}");
    tree_file(dir, ".migsafe/lock", "");
    tree_file(dir, "app_20261120_194612_full", "a file");
    tree_link(dir, "app_20261120_194613_full", fs_join(a, dir, FULL));
    CHECK(fs_rename(a, fs_join(a, dir, "app_20261120_194609_full_2"),
                    fs_join(a, dir, "app_20261120_194614_full"), &e));

    CHECK(store_read(a, dir, &s, &e));
    CHECK(s.count == 5);
    static const char *const ids[] = {"zoo_20261120_194607_full", "app_20261120_194608_full",
                                      "app_20261120_194609_data", FULL, "app_20261120_194614_full"};
    for (size_t i = 0; i < ARRAY_LEN(ids) && i < s.count; i++)
        CHECK_STR(s.items[i].id, ids[i]);
    CHECK(strstr(s.items[0].damage, "not a manifest of migsafe") != NULL);
    CHECK_STR(s.items[1].damage, "it has no manifest.json");
    CHECK(s.items[2].damage == NULL && s.items[3].damage == NULL);
    CHECK_STR(s.items[4].damage, "its manifest says it is \"app_20261120_194609_full_2\"");
    CHECK_STR(s.items[2].manifest.kind, "data");
}

TEST(finding_says_what_is_wrong)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    put(a, dir, FULL, "full");
    tree_file(dir, "app_20261120_194608_full/manifest.json", "{");
    static const struct {
        const char *id;
        enum err_kind kind;
    } cases[] = {{"app_20261120_194608_full", ERR_DAMAGED},
                 {"app_20261120_194607_full", ERR_NOT_FOUND},
                 {"../app_20261120_194609_full", ERR_NOT_FOUND},
                 {"", ERR_NOT_FOUND},
                 {".", ERR_NOT_FOUND}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stored s;
        struct err e = {0};
        CHECK(!store_find(a, dir, cases[i].id, &s, &e));
        CHECK(e.kind == cases[i].kind);
    }
    struct stored s = find(a, dir, FULL);
    CHECK_STR(s.id, FULL);
    CHECK(s.taken_at == 1795203969);
}

/* The error of verifying after `path` was given this content; NULL removes it. */
static const char *verified_with(struct arena *a, const char *path, const char *text)
{
    AUTO(tree) char *dir = tree_new();
    struct err e = {0};
    const char *folder = put(a, dir, FULL, "full");
    if (text == NULL)
        CHECK(unlink(fs_join(a, folder, path)) == 0);
    else
        tree_file(folder, path, text);
    struct stored s = find(a, dir, FULL);
    if (store_verify_files(a, &s, &e))
        return "";
    CHECK(e.kind == ERR_DAMAGED);
    CHECK(strstr(e.message, path) != NULL);
    return arena_strdup(a, e.message);
}

TEST(files_are_verified)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(verified_with(a, "another", "file"), "");
    CHECK(strstr(verified_with(a, "3001.dat.gz", "tent"), "SHA-256") != NULL);
    CHECK(strstr(verified_with(a, "toc.dat", "tests"), "has 5 bytes, 4 were written") != NULL);
    CHECK(strstr(verified_with(a, "3001.dat.gz", NULL), "is missing") != NULL);
    CHECK(strstr(verified_with(a, "SHA256SUMS", NULL), "is missing") != NULL);
    CHECK(strstr(verified_with(a, "SHA256SUMS", SAMPLE_SUM "  toc.dat\n"), "disagree") != NULL);
}

TEST(pin_and_verification_change_nothing_else)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct err e = {0};
    const char *path = fs_join(a, put(a, dir, FULL, "full"), "manifest.json");
    char *text;
    size_t n;
    CHECK(fs_read(a, path, 1 << 20, &text, &n, &e));
    /* A key of a later version must survive. */
    tree_file(fs_dirname(a, path), "manifest.json",
              arena_printf(a, "{\"later\": {\"x\": [1]},%s", text + 1));
    struct stored s = find(a, dir, FULL);
    CHECK(s.manifest.pinned);
    CHECK(store_pin(a, &s, false, &e));
    CHECK(store_add_verification(a, &s, "restore", "ok", &e));
    s = find(a, dir, FULL);
    CHECK(!s.manifest.pinned && s.manifest.verified_count == 2);
    CHECK_STR(s.manifest.verified[1].level, "restore");
    CHECK_STR(s.manifest.verified[1].result, "ok");
    CHECK(fs_read(a, path, 1 << 20, &text, &n, &e));
    CHECK(strstr(text, "\"later\"") != NULL);
    CHECK(store_pin(a, &s, true, &e));
    CHECK(find(a, dir, FULL).manifest.pinned);
}

static void make_aged(const char *path, int seconds)
{
    struct timeval then = {.tv_sec = time(NULL) - seconds};
    CHECK(utimes(path, (struct timeval[2]){then, then}) == 0);
}

static void make_old(const char *path)
{
    make_aged(path, 3600);
}

TEST(a_backup_in_the_making_becomes_one)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    AUTO(fd) int fd = -1;
    AUTO(fd) int other = -1;
    struct err e = {0};
    const char *partial, *ignored;
    const char *backups = fs_join(a, dir, "deep/er"), *folder = fs_join(a, backups, FULL);
    CHECK(store_begin(a, backups, FULL, &fd, &partial, &e) && fd >= 0);
    CHECK(str_ends(partial, FULL ".partial") && fs_is_dir(partial) && !fs_exists(folder));
    CHECK(!store_begin(a, backups, FULL, &other, &ignored, &e) && e.kind == ERR_BUSY);
    CHECK(store_finish(a, backups, FULL, &e));
    CHECK(fs_is_dir(folder) && !fs_exists(partial));
    CHECK(!store_begin(a, backups, FULL, &other, &ignored, &e) && e.kind == ERR_BUSY);
    CHECK(fs_is_dir(folder) && !fs_exists(partial));
    CHECK(store_abandon(a, backups, FULL, &e) && !fs_exists(folder));
    AUTO(fd) int again = -1;
    CHECK(store_begin(a, backups, FULL, &again, &partial, &e));
    CHECK(store_abandon(a, backups, FULL, &e) && !fs_exists(partial));
}

TEST(only_what_nobody_works_on_is_swept)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    AUTO(fd) int alive = -1;
    struct err e = {0};
    const char *locked;
    CHECK(store_begin(a, dir, "app_20261120_194601_full", &alive, &locked, &e));
    make_old(locked);
    tree_file(dir, "app_20261120_194602_full.partial/x", "");
    make_old(fs_join(a, dir, "app_20261120_194602_full.partial"));
    tree_file(dir, "app_20261120_194603_full.partial/young", "");
    tree_file(dir, "app_20261120_194604_full.removed/x", "");
    tree_file(dir, "mine.removed/x", "");
    put(a, dir, FULL, "full");
    CHECK(store_sweep(a, dir, NULL, &e));
    CHECK(fs_is_dir(locked));
    CHECK(!fs_exists(fs_join(a, dir, "app_20261120_194602_full.partial")));
    CHECK(fs_exists(fs_join(a, dir, "app_20261120_194603_full.partial")));
    CHECK(!fs_exists(fs_join(a, dir, "app_20261120_194604_full.removed")));
    CHECK(fs_exists(fs_join(a, dir, "mine.removed")));
    CHECK(fs_exists(fs_join(a, dir, FULL)));

    struct stored s = find(a, dir, FULL);
    CHECK(store_remove(a, &s, &e));
    CHECK(!fs_exists(s.folder) && !fs_exists(fs_join(a, dir, FULL ".removed")));
}

TEST(what_a_dead_run_had_begun_is_swept_at_once)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    AUTO(fd) int alive = -1;
    struct err e = {0};
    const char *locked;
    const struct store_dead dead = {.database = "App",
                                    .began_at = clock_parse_rfc3339("2026-11-20T19:46:02.700Z")};
    CHECK(store_begin(a, dir, "app_20261120_194605_full", &alive, &locked, &e));
    tree_file(dir, "app_20261120_194601_full.partial/before", "");
    tree_file(dir, "app_20261120_194602_full.partial/its", "");
    make_aged(fs_join(a, dir, "app_20261120_194602_full.partial"),
              -60); /* the clock was set back */
    tree_file(dir, "other_20261120_194603_full.partial/x", "");
    CHECK(store_sweep(a, dir, &dead, &e));
    CHECK(fs_is_dir(locked));
    CHECK(fs_exists(fs_join(a, dir, "app_20261120_194601_full.partial")));
    CHECK(!fs_exists(fs_join(a, dir, "app_20261120_194602_full.partial")));
    CHECK(fs_exists(fs_join(a, dir, "other_20261120_194603_full.partial")));
}
