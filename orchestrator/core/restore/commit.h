/*
 * commit.h - the COMMIT of a long transaction: not cancelled halfway, and when the connection is
 * lost meanwhile the server is asked what became of it.
 */
#ifndef MIGSAFE_CORE_RESTORE_COMMIT_H
#define MIGSAFE_CORE_RESTORE_COMMIT_H

#include "core/connection/connection.h"

enum commit_outcome { COMMIT_NOT, COMMIT_DONE, COMMIT_UNKNOWN };

struct commit_spec {
    struct pg *db;
    const struct connection *to; /* where db is */
    /* Right before, with the transaction's id: the journal.  False: nothing is committed.  Or NULL.
     */
    bool (*committing)(void *context, const char *transaction, struct err *e);
    void *context;
};

/* On disk when it is done, whatever synchronous_commit says.  False unless it is: ERR_CONNECT when
 * that is not known either. */
MUST_CHECK bool commit_transaction(struct arena *a, const struct commit_spec *spec,
                                   enum commit_outcome *outcome, struct err *e);

#endif
