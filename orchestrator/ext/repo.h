/*
 * repo.h - what git says of a folder.  The only header that knows libgit2.
 *
 * Reads only.  Whose the checkout is does not matter: in a container it often
 * belongs to another user, and nothing of a repository is run by reading it.
 */
#ifndef MIGSAFE_EXT_REPO_H
#define MIGSAFE_EXT_REPO_H

#include "base/arena.h"
#include "base/err.h"

struct repo_facts {
    const char *commit; /* 40 hex digits; NULL: no repository, or no commit yet */
    const char *branch; /* NULL: detached, or unknown */
    bool dirty;         /* tracked files differ from the commit */
};

/* Of the repository that holds folder; without one from GIT_COMMIT, GITHUB_SHA or CI_COMMIT_SHA
 * (and GIT_BRANCH, GITHUB_REF_NAME, CI_COMMIT_REF_NAME).  Never fails: what is unknown is NULL. */
struct repo_facts repo_read(struct arena *a, const char *folder);

struct repo; /* a repository with a work tree, open */

/* The one that holds folder, which need not be its top; worktrees and submodules are their own.
 * NULL: ERR_NOT_FOUND, there is none with a work tree; ERR_SYSTEM, it cannot be read. */
MUST_CHECK struct repo *repo_open(const char *folder, struct err *e);
void repo_close(struct repo *r); /* accepts NULL */
DEFINE_AUTO(repo, struct repo *, repo_close);

/* path as it is called in commits, relative to the top of the work tree; "" is the top itself.
 * NULL: it lies elsewhere.  path: absolute, links resolved. */
const char *repo_relative(const struct repo *r, const char *path);
const char *repo_top(const struct repo *r); /* absolute; ends with a slash */

/* The commit that a name means ("HEAD", a branch, a tag, "origin/main", an id or its beginning), as
 * 40 hex digits; NULL: none, or it is not here. */
const char *repo_commit(struct arena *a, struct repo *r, const char *name);
/* The best common ancestor of two commits; NULL: none is here (a shallow clone, other histories) */
const char *repo_merge_base(struct arena *a, struct repo *r, const char *one, const char *two);

struct repo_file {
    const char *path; /* relative to the folder that was asked for */
    const char *id;   /* of its content */
};
struct repo_files {
    struct repo_file *items;
    size_t count, size;
};

/* The files of a commit below a folder (relative to the top), in git's order; none when the commit
 * lacks the folder.  ERR_SYSTEM: objects are missing here. */
MUST_CHECK bool repo_files(struct arena *a, struct repo *r, const char *commit, const char *folder,
                           struct repo_files *files, struct err *e);
/* A file's bytes as committed, NUL-terminated. */
MUST_CHECK bool repo_content(struct arena *a, struct repo *r, const char *id, const char **bytes,
                             size_t *length, struct err *e);
/* Is anything at or below path (relative to the top) in the index? */
bool repo_tracks(struct repo *r, const char *path);
/* Do the rules of .gitignore leave it out? */
bool repo_ignores(struct repo *r, const char *path);

#endif
