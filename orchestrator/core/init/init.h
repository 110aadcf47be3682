/*
 * init.h - what `migsafe init` writes into a project, and the writing.
 *
 * init_plan reads the project and decides, and finds out whether all of it can be
 * written; init_write writes.  Nothing of the user's is lost: a file that is there
 * is left as it is, or, where force asks for ours anew, kept as NAME.bak; in
 * package.json, Makefile and .gitignore something is added, all else stays byte
 * for byte.  A second run has nothing to write.
 *
 * Two folders: `folder` is where the user stands when the project lies below, else the
 * project itself: settings, Makefile, deploy.sh.  CI files belong to the root of
 * the repository, which may be above it.
 */
#ifndef MIGSAFE_CORE_INIT_H
#define MIGSAFE_CORE_INIT_H

#include "core/settings/settings.h"

enum { INIT_FILES_MAX = 16 };

enum init_ci { INIT_CI_BY_FILES, INIT_CI_GITHUB, INIT_CI_GITLAB, INIT_CI_NONE };

struct init_wish {
    const struct settings *settings;
    enum init_ci ci; /* BY_FILES: .github/ or .gitlab-ci.yml in the repository */
    bool force;
};

struct init_file {
    const char *path;   /* absolute, links resolved */
    const char *shown;  /* as seen from folder */
    const char *note;   /* what it is or what is added; of a file that is left: why */
    const char *text;   /* NULL: left */
    const char *before; /* what is there now; NULL: nothing */
    const char *keep;   /* the former file is kept under this name; NULL: it is only added to */
    unsigned mode;      /* of a new file, less the umask */
};

struct init_plan {
    const char *folder;
    struct init_file files[INIT_FILES_MAX]; /* in the order of writing */
    size_t count;
    struct strlist next; /* what the user does now, a sentence each */
};

/* ERR_NOT_FOUND: no Prisma project here.  ERR_CONFIG: package.json is no JSON object.  ERR_SYSTEM:
 * something cannot be written. */
MUST_CHECK bool init_plan(struct arena *a, const struct init_wish *wish, struct init_plan *plan,
                          struct err *e);
/* Undoes what it has written when it fails. */
MUST_CHECK bool init_write(struct arena *a, const struct init_plan *plan, struct err *e);

#endif
