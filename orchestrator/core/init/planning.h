/*
 * planning.h - what the files of this folder share while a plan is made.
 */
#ifndef MIGSAFE_CORE_INIT_PLANNING_H
#define MIGSAFE_CORE_INIT_PLANNING_H

#include "core/init/init.h"
#include "core/prisma/project.h"

struct planning {
    struct arena *arena;
    const struct init_wish *wish;
    struct init_plan *plan;
    struct prisma_project project;
    const char *top; /* root of the git repository that holds plan->folder; NULL: none */
};

/* A file of ours, whole: written when it is not there, or anew where force asks for it. */
MUST_CHECK bool plan_whole(struct planning *p, const char *path, const char *note, const char *text,
                           unsigned mode, struct err *e);
/* A file of the user's: `text` is what becomes of `before` (NULL: a new file). */
MUST_CHECK bool plan_changed(struct planning *p, const char *path, const char *note,
                             const char *before, const char *text, struct err *e);
void plan_leave(struct planning *p, const char *path, const char *why);
/* The file's text in the arena, or *text NULL when there is none.  ERR_SYSTEM: not a file.
 * ERR_CONFIG: with a NUL in it. */
MUST_CHECK bool plan_read(struct planning *p, const char *path, char **text, struct err *e);
void plan_next(struct planning *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* What the user does before anything else: plan_next.c. */
void plan_first_steps(struct planning *p);

/* CI files: plan_ci.c. */
MUST_CHECK bool plan_ci(struct planning *p, struct err *e);

#endif
