/*
 * emergency.h - the backup before something is changed within the live database.
 */
#ifndef MIGSAFE_CMD_EMERGENCY_H
#define MIGSAFE_CMD_EMERGENCY_H

#include "cmd/cmd.h"
#include "core/backup/backup.h"
#include "core/backup/store.h"

/* Full and data, reason emergency, the full one's files verified: without it nothing is begun. */
MUST_CHECK bool emergency_backup(struct cmd_context *ctx, const struct connection *live,
                                 const char *run, const char *label, struct stored *saved,
                                 struct err *e);

#endif
