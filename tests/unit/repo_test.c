#include "ext/repo.h"

#include "git.h"
#include "tap.h"
#include "tree.h"

static void no_environment(void)
{
    static const char *const names[] = {"GIT_COMMIT", "GITHUB_SHA",      "CI_COMMIT_SHA",
                                        "GIT_BRANCH", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unsetenv(names[i]);
}

TEST(repo_says_commit_branch_and_dirt)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    no_environment();
    if (git(a, dir, "init -q -b main .") == NULL) {
        TAP_SKIP("no git here");
        return;
    }
    setenv("GITHUB_SHA", "of-something-else", 1);
    struct repo_facts facts = repo_read(a, dir);
    CHECK(facts.commit == NULL && !facts.dirty);
    CHECK_STR(facts.branch == NULL ? "" : facts.branch, "main");

    tree_file(dir, "prisma/a.sql", "1");
    tree_file(dir, ".gitignore", "ignored\n");
    CHECK(git(a, dir, "add . && git commit -qm one") != NULL);
    const char *commit = git(a, dir, "rev-parse HEAD");
    tree_file(dir, "untracked", "1");
    tree_file(dir, "ignored", "1");
    facts = repo_read(a, fs_join(a, dir, "prisma"));
    CHECK_STR(facts.commit, commit);
    CHECK_STR(facts.branch, "main");
    CHECK(!facts.dirty);

    tree_file(dir, "prisma/a.sql", "2");
    CHECK(repo_read(a, dir).dirty);
    CHECK(git(a, dir, "add prisma && git commit -qm two") != NULL && !repo_read(a, dir).dirty);
    CHECK(git(a, dir, "rm -q --cached prisma/a.sql") != NULL && repo_read(a, dir).dirty);
    CHECK(git(a, dir, "reset -q --hard") != NULL && !repo_read(a, dir).dirty);
    CHECK(unlink(fs_join(a, dir, "prisma/a.sql")) == 0 && repo_read(a, dir).dirty);
    CHECK(git(a, dir, "checkout -q -f -b feature/x") != NULL);
    CHECK_STR(repo_read(a, dir).branch, "feature/x");

    CHECK(git(a, dir, "checkout -q --detach") != NULL);
    facts = repo_read(a, dir);
    CHECK(facts.branch == NULL && facts.commit != NULL && strcmp(facts.commit, commit) != 0);
    CHECK(git(a, dir, "clone -q --bare . bare.git") != NULL);
    facts = repo_read(a, fs_join(a, dir, "bare.git"));
    CHECK(facts.commit != NULL && strlen(facts.commit) == 40 && !facts.dirty);
    if (getuid() == 0) { /* a checkout of another user */
        CHECK(git(a, dir, "--version && chown -R 12345:12345 .") != NULL);
        facts = repo_read(a, dir);
        CHECK(facts.commit != NULL && strlen(facts.commit) == 40);
    }
    no_environment();
}

TEST(repo_without_one_asks_the_environment)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    no_environment();
    struct repo_facts facts = repo_read(a, dir);
    CHECK(facts.commit == NULL && facts.branch == NULL && !facts.dirty);
    setenv("CI_COMMIT_SHA", "c3", 1);
    setenv("CI_COMMIT_REF_NAME", "b3", 1);
    CHECK_STR(repo_read(a, dir).commit, "c3");
    CHECK_STR(repo_read(a, dir).branch, "b3");
    setenv("GITHUB_SHA", "c2", 1);
    setenv("GITHUB_REF_NAME", "b2", 1);
    setenv("GIT_COMMIT", "", 1);
    CHECK_STR(repo_read(a, dir).commit, "c2");
    CHECK_STR(repo_read(a, dir).branch, "b2");
    setenv("GIT_COMMIT", "c1", 1);
    setenv("GIT_BRANCH", "b1", 1);
    CHECK_STR(repo_read(a, fs_join(a, dir, "none")).commit, "c1");
    CHECK_STR(repo_read(a, dir).branch, "b1");
    no_environment();
}

static const char *listed(struct arena *a, struct repo *r, const char *commit, const char *folder)
{
    struct repo_files files;
    struct err e = {0};
    struct str s = str_on(a);
    if (!repo_files(a, r, commit, folder, &files, &e))
        return e.message[0] == '\0' ? "?" : arena_strdup(a, e.message);
    for (size_t i = 0; i < files.count; i++)
        str_item(&s, " ", files.items[i].path);
    return s.text;
}

TEST(repo_gives_files_as_they_were)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *made = tree_new();
    const char *dir = fs_absolute(a, made);
    struct err e = {0};
    if (git(a, dir, "init -q -b main .") == NULL) {
        TAP_SKIP("no git here");
        return;
    }
    AUTO(repo) struct repo *r = repo_open(dir, &e);
    CHECK(r != NULL);
    if (r == NULL)
        return;
    CHECK_STR(repo_top(r), arena_printf(a, "%s/", dir));
    CHECK(repo_commit(a, r, "HEAD") == NULL);
    CHECK(!repo_tracks(r, "") && !repo_tracks(r, "p/m"));
    tree_file(dir, "p/m/1/migration.sql", "one\r\n");
    tree_bytes(dir, "p/m/2/migration.sql", "a\0b", 3);
    tree_file(dir, "p/mx", "");
    tree_link(dir, "p/m/link", "1");
    tree_file(dir, ".gitignore", "no/\n");
    CHECK(git(a, dir, "add . && git commit -qm one && git branch old && git tag -am t v1") != NULL);
    tree_file(dir, "p/m/3/migration.sql", "three");
    CHECK(git(a, dir, "rm -q p/m/1/migration.sql && git add . && git commit -qm two") != NULL);

    const char *head = repo_commit(a, r, "HEAD"), *old = repo_commit(a, r, "old");
    CHECK(head != NULL && old != NULL && repo_commit(a, r, "none") == NULL);
    if (head == NULL || old == NULL)
        return;
    CHECK_STR(repo_commit(a, r, "v1"), old);
    CHECK_STR(repo_commit(a, r, arena_printf(a, "%.8s", head)), head);
    CHECK(repo_commit(a, r, "HEAD:p") == NULL && repo_commit(a, r, "../x") == NULL);
    CHECK_STR(listed(a, r, head, "p/m"), "2/migration.sql 3/migration.sql link");
    CHECK_STR(listed(a, r, old, "p/m"), "1/migration.sql 2/migration.sql link");
    CHECK_STR(listed(a, r, old, ""),
              ".gitignore p/m/1/migration.sql p/m/2/migration.sql p/m/link p/mx");
    CHECK_STR(listed(a, r, old, "p/none"), "");
    CHECK_STR(listed(a, r, old, "p/mx"), "");
    CHECK(str_starts(listed(a, r, "0123456789012345678901234567890123456789", "p"),
                     "could not read"));
    CHECK_STR(repo_merge_base(a, r, head, old), old);

    struct repo_files files;
    const char *bytes;
    size_t length;
    CHECK(repo_files(a, r, old, "p/m", &files, &e));
    CHECK(repo_content(a, r, files.items[0].id, &bytes, &length, &e) && length == 5);
    CHECK_STR(bytes, "one\r\n");
    CHECK(repo_content(a, r, files.items[1].id, &bytes, &length, &e) && length == 3);
    CHECK(memcmp(bytes, "a\0b", 4) == 0);
    CHECK(!repo_content(a, r, "0123456789012345678901234567890123456789", &bytes, &length, &e));
    CHECK(e.kind == ERR_SYSTEM);

    CHECK(repo_tracks(r, "") && repo_tracks(r, "p") && repo_tracks(r, "p/mx"));
    CHECK(!repo_tracks(r, "p/m/1") && !repo_tracks(r, "p/m/l") && !repo_tracks(r, "q"));
    CHECK(repo_ignores(r, "no/") && !repo_ignores(r, "p/"));
    CHECK_STR(repo_relative(r, fs_join(a, dir, "p/m")), "p/m");
    CHECK_STR(repo_relative(r, dir), "");
    CHECK(repo_relative(r, "/") == NULL && repo_relative(r, arena_printf(a, "%sx", dir)) == NULL);

    CHECK(git(a, dir, "checkout -q --orphan other && git commit -qm other") != NULL);
    CHECK(repo_merge_base(a, r, repo_commit(a, r, "HEAD"), head) == NULL);
}

TEST(repo_open_says_what_is_no_repository)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(tree) char *dir = tree_new();
    struct err e = {0};
    CHECK(repo_open(dir, &e) == NULL && e.kind == ERR_NOT_FOUND);
    if (git(a, dir,
            "init -q --bare bare && mkdir broken && cp -R bare broken/.git && "
            "echo '[core' >broken/.git/config") == NULL) {
        TAP_SKIP("no git here");
        return;
    }
    CHECK(repo_open(fs_join(a, dir, "bare"), &e) == NULL && e.kind == ERR_NOT_FOUND);
    CHECK(repo_open(fs_join(a, dir, "broken"), &e) == NULL && e.kind == ERR_SYSTEM);
}
