/* Before base.h, which forbids a word that git2 uses for a field. */
#include <git2.h>

#include "ext/repo.h"

#include "base/fs.h"

struct repo {
    git_repository *git;
};

DEFINE_AUTO(repository, git_repository *, git_repository_free);
DEFINE_AUTO(reference, git_reference *, git_reference_free);
DEFINE_AUTO(statuses, git_status_list *, git_status_list_free);
DEFINE_AUTO(object, git_object *, git_object_free);
DEFINE_AUTO(commit, git_commit *, git_commit_free);
DEFINE_AUTO(tree_object, git_tree *, git_tree_free);
DEFINE_AUTO(tree_entry, git_tree_entry *, git_tree_entry_free);
DEFINE_AUTO(blob, git_blob *, git_blob_free);
DEFINE_AUTO(git_index, git_index *, git_index_free);

/* Extensions of a repository that do not matter to who only reads commits and the index (sparse
 * checkouts and partial clones, as CI has them); libgit2 refuses what it does not know. */
static const char *const harmless[] = {"partialclone", "worktreeconfig", "relativeworktrees",
                                       "preciousobjects"};

static bool start_library(void)
{
    if (git_libgit2_init() < 0)
        return false;
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, harmless, ARRAY_LEN(harmless));
    return true;
}

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

/* Starting the library takes 10 ms and more: it reads all certificates that there are. */
static bool may_be_within(struct arena *a, const char *folder)
{
    char *path = realpath(folder, NULL);
    if (path == NULL)
        return true;
    const char *const signs[] = {".git", "HEAD"}; /* of a work tree, of a bare repository */
    bool found = false;
    for (char *end = path + strlen(path); !found && end != NULL; end = strrchr(path, '/')) {
        *end = '\0';
        for (size_t i = 0; i < ARRAY_LEN(signs); i++)
            found = found || fs_exists(fs_join(a, *path == '\0' ? "/" : path, signs[i]));
    }
    free(path);
    return found;
}

struct repo_facts repo_read(struct arena *a, const char *folder)
{
    AUTO(repository) git_repository *repo = NULL;
    if (!may_be_within(a, folder) || !start_library() ||
        git_repository_open_ext(&repo, folder, 0, NULL) != 0)
        return from_env(a);
    return from_repository(a, repo);
}

static bool fail(struct err *e, const char *what)
{
    const git_error *last = git_error_last();
    return err_set(e, ERR_SYSTEM, "%s: %s", what, last == NULL ? "unknown" : last->message);
}

struct repo *repo_open(const char *folder, struct err *e)
{
    AUTO(repository) git_repository *git = NULL;
    int status = start_library() ? git_repository_open_ext(&git, folder, 0, NULL) : GIT_ERROR;
    if (status == GIT_ENOTFOUND || (status == 0 && git_repository_workdir(git) == NULL)) {
        err_set(e, ERR_NOT_FOUND, "no git repository holds \"%s\"", folder);
        return NULL;
    }
    if (status != 0) {
        fail(e, "could not read the git repository");
        return NULL;
    }
    struct repo *r = calloc(1, sizeof(*r));
    if (r == NULL)
        abort();
    r->git = TAKE(git);
    return r;
}

void repo_close(struct repo *r)
{
    if (r == NULL)
        return;
    git_repository_free(r->git);
    free(r);
}

const char *repo_top(const struct repo *r)
{
    return git_repository_workdir(r->git);
}

const char *repo_relative(const struct repo *r, const char *path)
{
    const char *top = repo_top(r);
    size_t n = strlen(top); /* with its slash */
    if (strncmp(path, top, n) == 0)
        return path + n;
    return strlen(path) + 1 == n && strncmp(path, top, n - 1) == 0 ? "" : NULL;
}

static const char *hex_of(struct arena *a, const git_oid *id)
{
    char hex[GIT_OID_HEXSZ + 1];
    return arena_strdup(a, git_oid_tostr(hex, sizeof(hex), id));
}

const char *repo_commit(struct arena *a, struct repo *r, const char *name)
{
    AUTO(object) git_object *named = NULL;
    AUTO(object) git_object *commit = NULL;
    if (git_revparse_single(&named, r->git, name) != 0 ||
        git_object_peel(&commit, named, GIT_OBJECT_COMMIT) != 0)
        return NULL;
    return hex_of(a, git_object_id(commit));
}

const char *repo_merge_base(struct arena *a, struct repo *r, const char *one, const char *two)
{
    git_oid x, y, base;
    if (git_oid_fromstr(&x, one) != 0 || git_oid_fromstr(&y, two) != 0 ||
        git_merge_base(&base, r->git, &x, &y) != 0)
        return NULL;
    return hex_of(a, &base);
}

struct listing {
    struct arena *arena;
    struct repo_files *files;
};

static int add_file(const char *root, const git_tree_entry *entry, void *context)
{
    const struct listing *l = context;
    struct repo_files *f = l->files;
    if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB)
        return 0;
    if (f->count == f->size) {
        f->size = f->size == 0 ? 64 : f->size * 2;
        struct repo_file *more = arena_array(l->arena, f->size, sizeof(*more));
        if (f->count > 0)
            memcpy(more, f->items, f->count * sizeof(*more));
        f->items = more;
    }
    f->items[f->count++] = (struct repo_file){
        .path = arena_printf(l->arena, "%s%s", root, git_tree_entry_name(entry)),
        .id = hex_of(l->arena, git_tree_entry_id(entry)),
    };
    return 0;
}

/* True and NULL: the commit lacks the folder. */
static bool find_tree(struct repo *r, const char *commit, const char *folder, git_tree **tree)
{
    AUTO(commit) git_commit *found = NULL;
    AUTO(tree_object) git_tree *top = NULL;
    AUTO(tree_entry) git_tree_entry *entry = NULL;
    git_oid id;
    *tree = NULL;
    if (git_oid_fromstr(&id, commit) != 0 || git_commit_lookup(&found, r->git, &id) != 0 ||
        git_commit_tree(&top, found) != 0)
        return false;
    if (folder[0] == '\0') {
        *tree = TAKE(top);
        return true;
    }
    int status = git_tree_entry_bypath(&entry, top, folder);
    if (status == GIT_ENOTFOUND || (status == 0 && git_tree_entry_type(entry) != GIT_OBJECT_TREE))
        return true;
    return status == 0 && git_tree_lookup(tree, r->git, git_tree_entry_id(entry)) == 0;
}

bool repo_files(struct arena *a, struct repo *r, const char *commit, const char *folder,
                struct repo_files *files, struct err *e)
{
    AUTO(tree_object) git_tree *tree = NULL;
    struct listing l = {.arena = a, .files = files};
    *files = (struct repo_files){0};
    if (!find_tree(r, commit, folder, &tree) ||
        (tree != NULL && git_tree_walk(tree, GIT_TREEWALK_PRE, add_file, &l) != 0))
        return fail(e, arena_printf(a, "could not read commit %.10s", commit));
    return true;
}

bool repo_content(struct arena *a, struct repo *r, const char *id, const char **bytes,
                  size_t *length, struct err *e)
{
    AUTO(blob) git_blob *blob = NULL;
    git_oid oid;
    if (git_oid_fromstr(&oid, id) != 0 || git_blob_lookup(&blob, r->git, &oid) != 0)
        return fail(e, "could not read a file of a commit");
    *length = (size_t)git_blob_rawsize(blob);
    char *copy = arena_alloc(a, *length + 1);
    if (*length > 0)
        memcpy(copy, git_blob_rawcontent(blob), *length);
    *bytes = copy;
    return true;
}

bool repo_tracks(struct repo *r, const char *path)
{
    AUTO(git_index) git_index *index = NULL;
    size_t n = strlen(path), at;
    if (git_repository_index(&index, r->git) != 0 || git_index_read(index, 0) != 0)
        return false;
    if (n == 0)
        return git_index_entrycount(index) > 0;
    if (git_index_find_prefix(&at, index, path) != 0)
        return false;
    for (; at < git_index_entrycount(index); at++) {
        const char *entry = git_index_get_byindex(index, at)->path;
        if (strncmp(entry, path, n) != 0)
            return false;
        if (entry[n] == '/' || entry[n] == '\0')
            return true;
    }
    return false;
}

bool repo_ignores(struct repo *r, const char *path)
{
    int ignored = 0;
    return git_ignore_path_is_ignored(&ignored, r->git, path) == 0 && ignored == 1;
}
