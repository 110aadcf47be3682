/*
 * gate_git.h - what git has of the migrations folder: in HEAD, where this branch
 * left its base, and at the tip of the base.
 *
 * A branch is compared with the commit where it left its base, so that what
 * others have done there since is not taken for a deletion here; where no such
 * commit is to be had (a shallow clone), with the tip.
 */
#ifndef MIGSAFE_CORE_GATE_GIT_H
#define MIGSAFE_CORE_GATE_GIT_H

#include "core/prisma/project.h"
#include "ext/repo.h"

struct gate_git {
    struct repo *repo;
    const char *missing; /* why there is nothing to compare with; NULL: there is */
    const char *folder;  /* of the migrations, relative to the top of the repository */
    const char *name;    /* what is compared with: "HEAD", "origin/main" */
    bool by_tip;         /* with the tip of the base, as no common commit is here */
    /* Migrations that have a script there: path is their name. */
    struct repo_files head, then, tip; /* then and tip are head without a base */
};

/* base: a branch, a tag, a commit; "main" is also looked for as "origin/main".  NULL: none.
 * ERR_NOT_FOUND: the base, with a hint; ERR_SYSTEM: objects are missing in the clone. */
MUST_CHECK bool gate_git_read(struct arena *a, const struct prisma_project *project,
                              const char *base, struct gate_git *git, struct err *e);
void gate_git_close(struct gate_git *git); /* after a failed read too */

/* The id of a migration's script; NULL: it is not there. */
const char *gate_git_script(const struct repo_files *scripts, const char *name);
/* Can that base be found here?  For defaults that the surroundings name. */
bool gate_git_knows(struct arena *a, const struct prisma_project *project, const char *base);

#endif
