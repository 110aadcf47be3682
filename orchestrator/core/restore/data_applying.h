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
/* The file's text into `target`. */
MUST_CHECK bool data_copy(struct applying *x, const struct data_table *t, const char *target,
                          int64_t *rows, struct err *e);
/* data_keys.c */
MUST_CHECK bool data_triggers_off(struct applying *x, struct err *e);
MUST_CHECK bool data_triggers_on(struct applying *x, struct err *e);
MUST_CHECK bool data_keys_off(struct applying *x, struct err *e);
MUST_CHECK bool data_keys_on(struct applying *x, struct err *e);
MUST_CHECK bool data_sequences(struct applying *x, struct err *e);

#endif
