/*
 * restore_data_side.h - `migsafe restore DATA_ID --side`: into a copy of live, which is swapped in.
 */
#ifndef MIGSAFE_CMD_RESTORE_DATA_SIDE_H
#define MIGSAFE_CMD_RESTORE_DATA_SIDE_H

#include "cmd/cmd.h"
#include "core/journal.h"
#include "core/restore/data_apply.h"
#include "core/restore/rollback.h"
#include "core/runlock.h"
#include "core/site.h"

struct restore_data_side {
    struct cmd_context *ctx;
    const struct site *site;
    const char *run;
    struct journal *journal;
    struct runlock *lock;
    const struct stored *saved; /* the emergency backup */
    struct data_apply_spec apply;
    struct data_applied *done;
    struct rollback_result result;
    bool swap_begun;
};

/* Is a swap possible here?  ERR_PREFLIGHT. */
MUST_CHECK bool restore_data_side_look(struct cmd_context *ctx, const struct site *site,
                                       struct err *e);
/* done->committed: it was swapped in; done->unknown: nobody knows. */
MUST_CHECK bool restore_data_side(struct restore_data_side *s, struct err *e);

#endif
