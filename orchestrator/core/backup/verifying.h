/*
 * verifying.h - what the files of a verification share: reading (verify.c) and judging
 * (verify_judge.c).
 */
#ifndef MIGSAFE_CORE_BACKUP_VERIFYING_H
#define MIGSAFE_CORE_BACKUP_VERIFYING_H

#include "core/backup/text_count.h"
#include "core/backup/verify.h"

#include <pthread.h>

/* A file, and what is counted in its text when it is a table's. */
struct checked {
    const struct manifest_file *file;
    const struct manifest_table *table; /* NULL: none */
    const char *label;
    const char *sum_damage, *text_damage; /* the first of each */
    struct text_count sum;
};

/* One piece of work: the sum of a file, or the text of a part of it. */
struct part {
    struct checked *of;
    bool text;
    int64_t from, to;
    int64_t cost;
};

struct verify {
    struct arena *arena; /* under the mutex while threads run */
    const struct verify_spec *spec;
    struct verify_result *result;
    struct checked *files;
    size_t file_count;
    struct part *parts;
    size_t part_count;
    _Atomic size_t next;
    pthread_mutex_t mutex;
};

/* What was read, against the manifest; then lists that are read whole. */
MUST_CHECK bool verify_judge(struct verify *v, struct err *e);

#endif
