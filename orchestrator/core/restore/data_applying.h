/*
 * data_applying.h - the parts of data_apply among themselves.
 */
#ifndef MIGSAFE_CORE_RESTORE_DATA_APPLYING_H
#define MIGSAFE_CORE_RESTORE_DATA_APPLYING_H

#include "core/restore/data_apply.h"

struct applying {
    struct arena *arena;
    const struct data_apply_spec *spec;
    struct pg *db;
    const struct data_plan *plan; /* made again under the locks */
    struct data_applied *done;
};

MUST_CHECK bool data_session(struct pg *db, const struct manifest *m, struct err *e);
/* data_load.c: a table of the backup into the one that it goes to. */
MUST_CHECK bool data_load(struct applying *x, const struct data_table *t, struct data_loaded *done,
                          struct err *e);
/* The file's text into `target`. */
MUST_CHECK bool data_copy(struct applying *x, const struct data_table *t, const char *target,
                          int64_t *rows, struct err *e);
/* data_parallel.c: all tables and the indexes after them, by several sessions; committed. */
MUST_CHECK bool data_load_parallel(struct applying *x, struct err *e);
/* Triggers of users find what they name without a schema where the application finds it. */
MUST_CHECK bool data_set_path(struct applying *x, struct err *e);
/* data_keys.c */
MUST_CHECK bool data_triggers_off(struct applying *x, struct err *e);
MUST_CHECK bool data_triggers_on(struct applying *x, struct err *e);
MUST_CHECK bool data_keys_off(struct applying *x, struct err *e);
MUST_CHECK bool data_keys_on(struct applying *x, struct err *e);
MUST_CHECK bool data_indexes_off(struct applying *x, struct err *e);
MUST_CHECK bool data_indexes_on(struct applying *x, struct err *e);
MUST_CHECK bool data_sequences(struct applying *x, struct err *e);

#endif
