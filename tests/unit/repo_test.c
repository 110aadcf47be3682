#include "base/proc.h"
#include "ext/repo.h"

#include "tap.h"
#include "tree.h"

static char *git(struct arena *a, const char *dir, const char *line)
{
    struct err e = {0};
    struct proc_result r;
    const struct proc_spec spec = {
        .argv =
            (const char *const[]){"sh", "-c", arena_printf(a, "cd %s && git %s", dir, line), NULL},
        .env = (const char *const[]){"HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1",
                                     "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example",
                                     "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example",
                                     "GIT_DIR", "GIT_WORK_TREE", NULL},
        .timeout_ms = 10000,
        .out_max = 4096};
    if (!proc_run(a, &spec, &r, &e) || r.exit_status != 0)
        return NULL;
    return str_trim(a, r.out);
}

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
