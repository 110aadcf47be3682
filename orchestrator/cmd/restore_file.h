/*
 * restore_file.h - `migsafe restore FILE`: where a dump made by others differs from a backup.
 */
#ifndef MIGSAFE_CMD_RESTORE_FILE_H
#define MIGSAFE_CMD_RESTORE_FILE_H

#include "cmd/cmd.h"
#include "core/restore/foreign.h"

struct restore_file {
    bool data_only; /* set before: its rows alone are wanted, for tables of another */
    struct foreign dump;
    struct foreign_counts counts;
    struct foreign_restore spec;
    struct database_facts like; /* what the restored database shall be */
};

/* Is the operand a file, "-" among them?  A backup's id always wins, and so does the path of a
 * backup in the backup folder: *id is then its id. */
bool restore_is_file(struct arena *a, const char *backup_dir, const char *operand, const char **id);

/* asks: a confirmation will be needed, which cannot be read where the dump is: from the terminal
 * then, ERR_USAGE where there is none. */
MUST_CHECK bool restore_file_open(struct cmd_context *ctx, const char *operand, bool asks,
                                  struct restore_file *f, struct err *e);

/* What a new database shall be like: live, or where there is none, what the server gives. */
MUST_CHECK bool restore_file_like(struct arena *a, struct pg *maintenance, const char *live,
                                  const char *name, struct database_facts *like, struct err *e);
struct source restore_file_source(const struct cmd_context *ctx, const struct site *site,
                                  struct restore_file *f);

#endif
