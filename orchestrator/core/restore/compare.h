/*
 * compare.h - is a restored database the one that was backed up?
 */
#ifndef MIGSAFE_CORE_RESTORE_COMPARE_H
#define MIGSAFE_CORE_RESTORE_COMPARE_H

#include "core/backup/manifest.h"
#include "ext/pg.h"

/* What is not as it should be: the first few in words, all of them counted. */
struct differences {
    struct arena *arena;
    struct strlist shown;
    size_t count;
};
struct differences differences_on(struct arena *a);
void differences_add(struct differences *d, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A table has that many rows; -1: it is missing. */
void differences_rows(struct differences *d, const struct manifest_table *t, int64_t rows);
/* Counts the rows of a table. */
MUST_CHECK bool differences_table(struct differences *d, struct pg *db,
                                  const struct manifest_table *t, struct err *e);
MUST_CHECK bool differences_sequences(struct differences *d, struct pg *db,
                                      const struct manifest *m, struct err *e);
/* True when there are none, else ERR_DAMAGED. */
MUST_CHECK bool differences_none(const struct differences *d, struct err *e);

/* Row counts and sequences of an open database against a manifest. */
MUST_CHECK bool restore_compare(struct arena *a, struct pg *db, const struct manifest *m,
                                struct err *e);

#endif
