/*
 * backup_find.h - the backup that an operand names: an id, or "latest".
 */
#ifndef MIGSAFE_CMD_BACKUP_FIND_H
#define MIGSAFE_CMD_BACKUP_FIND_H

#include "cmd/cmd.h"
#include "core/backup/store.h"

/* "latest": the newest full backup of the configured database that is not damaged.  ERR_NOT_FOUND,
 * ERR_DAMAGED. */
MUST_CHECK bool backup_find(struct cmd_context *ctx, const char *operand, struct stored *found,
                            struct err *e);
/* Warns where it was taken on another server than the one of `db`: staging and production may share
 * a name and a folder; a new machine has the backups of the old one. */
void backup_warn_elsewhere(struct arena *a, struct pg *db, const struct stored *backup);

#endif
