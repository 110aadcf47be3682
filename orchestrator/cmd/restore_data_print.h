/*
 * restore_data_print.h - what a data restore would do and has done, as text and as JSON.
 */
#ifndef MIGSAFE_CMD_RESTORE_DATA_PRINT_H
#define MIGSAFE_CMD_RESTORE_DATA_PRINT_H

#include "cmd/cmd.h"
#include "core/backup/store.h"
#include "core/restore/data_apply.h"
#include "core/restore/rollback.h"

void restore_data_print_plan(struct cmd_context *ctx, FILE *to, const struct stored *backup,
                             const struct data_plan *plan);
struct json *restore_data_plan_json(struct cmd_context *ctx, const struct stored *backup,
                                    const struct data_plan *plan) RETURNS_NONNULL;

struct restore_data_result {
    const struct stored *backup;
    const struct data_plan *plan;
    const struct data_applied *done;
    const char *run, *emergency;           /* id of the backup taken before */
    const struct rollback_result *swapped; /* with --side; else NULL */
    int64_t elapsed_ms;
};
void restore_data_print_done(struct cmd_context *ctx, const struct restore_data_result *r);

#endif
