/*
 * restore_inplace.h - `migsafe restore ID --in-place`: what it asks, saves first and says.
 */
#ifndef MIGSAFE_CMD_RESTORE_INPLACE_H
#define MIGSAFE_CMD_RESTORE_INPLACE_H

#include "cmd/cmd.h"
#include "cmd/restore_print.h"
#include "core/restore/inplace.h"
#include "core/site.h"

struct restore_inplace {
    struct inplace_spec spec;
    struct inplace_plan plan;
    struct connection live; /* the role that restores, in the live database */
    struct stored saved;    /* the emergency backup, its files verified */
};

/* j: of the site and the settings; looks whether it can be. */
MUST_CHECK bool restore_inplace_look(struct cmd_context *ctx, const struct site *site,
                                     const struct stored *backup, struct restore_inplace *in,
                                     struct err *e);
/* Full and data, verified: without it nothing is begun. */
MUST_CHECK bool restore_inplace_save(struct cmd_context *ctx, const struct site *site,
                                     const char *run, struct restore_inplace *in, struct err *e);
/* What cmd_confirm asks. */
char *restore_inplace_question(struct arena *a, const char *live, const char *what) RETURNS_NONNULL;
/* One line of what it would drop and make. */
char *restore_inplace_line(struct arena *a, const struct inplace_plan *plan) RETURNS_NONNULL;

struct restore_inplace_done {
    const char *live, *run;
    int64_t elapsed_ms;
};
void restore_inplace_print(struct cmd_context *ctx, const struct restore_what *what,
                           const struct restore_inplace *in,
                           const struct restore_inplace_done *done);

#endif
