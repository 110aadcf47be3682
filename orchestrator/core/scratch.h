/*
 * scratch.h - files and folders in the state folder for as long as a command runs.
 *
 * Named "<what>_<random>", private, locked by who made them, so that scratch_sweep knows
 * what killed processes left.
 */
#ifndef MIGSAFE_CORE_SCRATCH_H
#define MIGSAFE_CORE_SCRATCH_H

#include "base/fs.h"

struct scratch {
    const char *path; /* NULL: none */
    int fd;           /* holds the lock until it is closed */
};

/* what: "export", "drill", "import", "restore".  Sweeps first. */
MUST_CHECK bool scratch_folder(struct arena *a, const char *state_dir, const char *what,
                               struct scratch *s, struct err *e);
MUST_CHECK bool scratch_file(struct arena *a, const char *state_dir, const char *what,
                             struct scratch *s, struct err *e);
/* Accepts one that was never made, or only in part. */
void scratch_remove(const struct scratch *s);
/* Removes what is so named, not new, and locked by nobody. */
void scratch_sweep(struct arena *a, const char *state_dir);

#endif
