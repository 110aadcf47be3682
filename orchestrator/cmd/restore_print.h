/*
 * restore_print.h - what `migsafe restore` says, as text and as JSON.
 */
#ifndef MIGSAFE_CMD_RESTORE_PRINT_H
#define MIGSAFE_CMD_RESTORE_PRINT_H

#include "cmd/cmd.h"
#include "core/restore/preview.h"
#include "core/restore/rollback.h"

/* The backup in one line: kind, reason, age, rows, size. */
char *restore_backup_line(struct arena *a, const struct stored *backup) RETURNS_NONNULL;

struct restore_plan {
    const struct stored *backup;
    const char *onto; /* live, or NULL */
    const char *into; /* a new database, or NULL */
    const char *kept; /* what its name would look like; NULL with into */
    const struct preview_table *tables;
    size_t table_count;
};
void restore_print_plan(struct cmd_context *ctx, const struct restore_plan *plan);

void restore_print_done(struct cmd_context *ctx, const struct stored *backup, const char *live,
                        const char *run, const struct rollback_result *r);
void restore_print_into(struct cmd_context *ctx, const struct stored *backup, const char *into,
                        const char *run, int64_t elapsed_ms);

#endif
