/* Before base.h, which forbids a word that git2 uses for a field. */
#include <git2.h>

#include "ext/repo.h"

DEFINE_AUTO(repository, git_repository *, git_repository_free);
DEFINE_AUTO(reference, git_reference *, git_reference_free);
DEFINE_AUTO(statuses, git_status_list *, git_status_list_free);

static const char *first_of_env(struct arena *a, const char *const *names)
{
    for (; *names != NULL; names++) {
        const char *value = getenv(*names);
        if (value != NULL && value[0] != '\0')
            return arena_strdup(a, value);
    }
    return NULL;
}

static struct repo_facts from_env(struct arena *a)
{
    static const char *const commits[] = {"GIT_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", NULL};
    static const char *const branches[] = {"GIT_BRANCH", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME",
                                           NULL};
    return (struct repo_facts){.commit = first_of_env(a, commits),
                               .branch = first_of_env(a, branches)};
}

static bool is_dirty(git_repository *repo)
{
    git_status_options options;
    AUTO(statuses) git_status_list *list = NULL;
    git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
    options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
    options.flags = GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
    if (git_status_list_new(&list, repo, &options) != 0)
        return false;
    return git_status_list_entrycount(list) > 0;
}

static struct repo_facts from_repository(struct arena *a, git_repository *repo)
{
    struct repo_facts facts = {0};
    AUTO(reference) git_reference *head = NULL;
    git_oid commit;
    char hex[GIT_OID_HEXSZ + 1];
    if (git_reference_lookup(&head, repo, "HEAD") == 0 &&
        git_reference_type(head) == GIT_REFERENCE_SYMBOLIC) {
        const char *target = git_reference_symbolic_target(head), *heads = "refs/heads/";
        bool is_branch = strncmp(target, heads, strlen(heads)) == 0;
        facts.branch = is_branch ? arena_strdup(a, target + strlen(heads)) : NULL;
    }
    if (git_reference_name_to_id(&commit, repo, "HEAD") != 0)
        return facts;
    facts.commit = arena_strdup(a, git_oid_tostr(hex, sizeof(hex), &commit));
    facts.dirty = is_dirty(repo);
    return facts;
}

struct repo_facts repo_read(struct arena *a, const char *folder)
{
    AUTO(repository) git_repository *repo = NULL;
    if (git_libgit2_init() < 0)
        return from_env(a);
    /* In a container the checkout often belongs to another user; nothing of the repository is run
     * by reading it. */
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    if (git_repository_open_ext(&repo, folder, 0, NULL) != 0)
        return from_env(a);
    return from_repository(a, repo);
}
