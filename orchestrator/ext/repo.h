/*
 * repo.h - what git says of a folder.  The only header that knows libgit2.
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

#endif
