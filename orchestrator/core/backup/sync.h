/*
 * sync.h - files brought to disk by several threads: first the system is asked to write all of
 * them, then each is waited for.  One after the other, a file system with a journal would commit
 * it for each: 13 s instead of 1 s for 5,000 small files.
 *
 *     struct sync s = {.files = files, .count = n};
 *     ok = sync_some(&s, &enough, e);       in each thread
 */
#ifndef MIGSAFE_CORE_BACKUP_SYNC_H
#define MIGSAFE_CORE_BACKUP_SYNC_H

#include "base/err.h"

#include <stdatomic.h>

struct sync_file {
    const char *path;
    bool done; /* by sync_some */
};

struct sync {
    struct sync_file *files; /* nobody writes to them any more */
    size_t count;
    _Atomic size_t asked, waited; /* how many are given to a thread; from 0 */
};

/* Until all files are given to a thread, or `enough` is true.  ERR_SYSTEM names the file;
 * ERR_CANCELLED. */
MUST_CHECK bool sync_some(struct sync *s, const atomic_bool *enough, struct err *e);

#endif
