#include "core/gate/gate_git.h"

#include "base/fs.h"

void gate_git_close(struct gate_git *git)
{
    repo_close(git->repo);
    git->repo = NULL;
}

const char *gate_git_script(const struct repo_files *scripts, const char *name)
{
    for (size_t i = 0; i < scripts->count; i++)
        if (strcmp(scripts->items[i].path, name) == 0)
            return scripts->items[i].id;
    return NULL;
}

static const char *find_base(struct arena *a, struct repo *repo, const char *base,
                             const char **name)
{
    *name = base;
    const char *commit = repo_commit(a, repo, base);
    if (commit != NULL)
        return commit;
    *name = arena_printf(a, "origin/%s", base);
    return repo_commit(a, repo, *name);
}

static bool no_base(const char *base, const char *why, struct err *e)
{
    err_set(e, ERR_NOT_FOUND, "base \"%s\" is not to be found: %s", base, why);
    err_hint(e, "Fetch it, with its history: \"git fetch --unshallow origin\", or \"fetch-depth: "
                "0\" for actions/checkout, \"GIT_DEPTH: 0\" in GitLab.");
    return false;
}

/* Only what is NAME/migration.sql, called NAME. */
static bool read_scripts(struct arena *a, const struct gate_git *git, const char *commit,
                         struct repo_files *scripts, struct err *e)
{
    static const char file[] = "/migration.sql";
    size_t kept = 0;
    if (!repo_files(a, git->repo, commit, git->folder, scripts, e))
        return false;
    for (size_t i = 0; i < scripts->count; i++) {
        const struct repo_file *item = &scripts->items[i];
        const char *slash = strchr(item->path, '/');
        if (slash == NULL || strcmp(slash, file) != 0)
            continue;
        const char *name = arena_strndup(a, item->path, (size_t)(slash - item->path));
        scripts->items[kept++] = (struct repo_file){.path = name, .id = item->id};
    }
    scripts->count = kept;
    return true;
}

static bool read_base(struct arena *a, struct gate_git *git, const char *base, const char *head,
                      struct err *e)
{
    const char *tip = find_base(a, git->repo, base, &git->name);
    if (tip == NULL)
        return no_base(base, "no such branch, tag or commit is in this clone", e);
    const char *common = repo_merge_base(a, git->repo, head, tip);
    git->by_tip = common == NULL;
    return read_scripts(a, git, common == NULL ? tip : common, &git->then, e) &&
           read_scripts(a, git, tip, &git->tip, e);
}

/* A repository around the project that knows nothing of it: of somebody's home folder, say. */
static bool is_foreign(struct arena *a, struct repo *repo, const char *head, const char *root)
{
    struct repo_files files;
    struct err ignored = {0};
    const char *path = repo_relative(repo, root);
    if (path == NULL || path[0] == '\0' || repo_tracks(repo, path))
        return false;
    return head == NULL || !repo_files(a, repo, head, path, &files, &ignored) || files.count == 0;
}

static const char *missing(struct arena *a, struct gate_git *git, const char *head,
                           const char *root)
{
    if (git->folder == NULL)
        return "the migrations lie outside of the repository's work tree";
    if (is_foreign(a, git->repo, head, fs_absolute(a, root)))
        return arena_printf(a, "the repository around it (%s) has none of its files",
                            repo_top(git->repo));
    return head == NULL ? "the repository has no commit yet" : NULL;
}

bool gate_git_read(struct arena *a, const struct prisma_project *project, const char *base,
                   struct gate_git *git, struct err *e)
{
    const char *migrations = fs_absolute(a, project->migrations);
    struct err why = {0};
    *git = (struct gate_git){.name = "HEAD"};
    git->repo = repo_open(migrations, &why);
    const char *head = git->repo == NULL ? NULL : repo_commit(a, git->repo, "HEAD");
    if (git->repo == NULL) {
        git->missing = why.kind == ERR_NOT_FOUND ? "the project is in no git repository"
                                                 : arena_strdup(a, why.message);
    } else {
        git->folder = repo_relative(git->repo, migrations);
        git->missing = missing(a, git, head, project->root);
    }
    if (git->missing == NULL && !read_scripts(a, git, head, &git->head, &why))
        git->missing = arena_strdup(a, why.message);
    if (git->missing != NULL)
        return base == NULL || no_base(base, git->missing, e);
    git->then = git->tip = git->head;
    return base == NULL || read_base(a, git, base, head, e);
}

bool gate_git_knows(struct arena *a, const struct prisma_project *project, const char *base)
{
    const char *name;
    struct err ignored = {0};
    AUTO(repo) struct repo *repo = repo_open(fs_absolute(a, project->migrations), &ignored);
    return repo != NULL && find_base(a, repo, base, &name) != NULL;
}
