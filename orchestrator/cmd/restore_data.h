/*
 * restore_data.h - `migsafe restore DATA_ID`: the rows of a backup into the tables as they are now.
 */
#ifndef MIGSAFE_CMD_RESTORE_DATA_H
#define MIGSAFE_CMD_RESTORE_DATA_H

#include "cmd/cmd.h"
#include "core/restore/data_apply.h"

struct restore_data_options {
    bool data_only; /* also of a full backup */
    bool replace, accept_loss, triggers, other_database, side;
    const char *merge; /* "skip", "update"; or NULL */
    struct strlist maps, defaults;
    bool dry_run, yes;
    struct progress *progress; /* or NULL */
};

struct restore_data_options restore_data_options(struct arena *a);
/* Is it for restore_data(), by the kind in the id or by --data-only?  ERR_USAGE: options of the one
 * kind given with a backup of the other. */
MUST_CHECK bool restore_data_asked(struct arena *a, const char *id,
                                   const struct restore_data_options *o, bool *asked,
                                   struct err *e);

MUST_CHECK bool restore_data(struct cmd_context *ctx, const struct site *site, const char *id,
                             const char *run, const struct restore_data_options *o, struct err *e);

#endif
