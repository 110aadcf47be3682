/*
 * git.h - real git repositories for unit tests: git(a, dir, "init -q") runs it there.
 */
#ifndef MIGSAFE_TESTS_GIT_H
#define MIGSAFE_TESTS_GIT_H

#include "base/proc.h"
#include "base/str.h"

/* What it printed; NULL: it failed.  Nothing of the machine's own settings counts. */
UNUSED static char *git(struct arena *a, const char *dir, const char *line)
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
    return proc_run(a, &spec, &r, &e) && r.exit_status == 0 ? str_trim(a, r.out) : NULL;
}

#endif
