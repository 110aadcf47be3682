/*
 * numbers.h - numbers that others took since the backup are not given a second time.
 *
 * The rows that others wrote between backup and swap come back by `migsafe replay` under
 * their own keys.  Where a sequence makes these keys, and the restored database went on from
 * where the backup has it, rows written since the swap would have them already.  So before the
 * swap the sequence of a table that the migration cannot have written to goes on from where it
 * stands in live, and a little further, for what is taken until the swap.  A gap, as any
 * transaction that is rolled back leaves one.
 *
 * Without writes of others nothing is touched: the database is what it was.
 */
#ifndef MIGSAFE_CORE_RESTORE_NUMBERS_H
#define MIGSAFE_CORE_RESTORE_NUMBERS_H

#include "core/backup/manifest.h"
#include "core/connection/connection.h"
#include "core/prisma/effects.h"

struct numbers_spec {
    const struct connection *server; /* the role that reads live and sets in side */
    const char *live, *side;
    const struct manifest *before;
    const struct effects *effects; /* of the migrations */
    size_t effect_count;
    const char *default_schema;
};

/* *moved: how many sequences.  What it cannot do is no reason not to go back: a warning. */
MUST_CHECK bool numbers_go_on(struct arena *a, const struct numbers_spec *spec, int *moved,
                              struct err *e);

#endif
