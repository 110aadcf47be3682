#include "core/restore/commit.h"

#include "base/stop.h"

/* The connection was lost while the server committed: did it? */
static enum commit_outcome ask(struct arena *a, const struct connection *to,
                               const char *transaction)
{
    enum { TRIES = 10, PAUSE_MS = 1000 };
    const struct session_use use = {.query_deadline_ms = 10000};
    for (int i = 0; i < TRIES; i++) {
        struct err ignored = {0};
        AUTO(pg) struct pg *db = connection_open(to, &use, &ignored);
        const char *status = db == NULL ? NULL
                                        : pg_value(a, db, "SELECT txid_status($1::bigint)",
                                                   PG_ARGS(transaction), &ignored);
        if (status != NULL && strcmp(status, "committed") == 0)
            return COMMIT_DONE;
        if (status != NULL && strcmp(status, "aborted") == 0)
            return COMMIT_NOT;
        if (!stop_sleep_ms(PAUSE_MS, &ignored))
            break;
    }
    return COMMIT_UNKNOWN;
}

static bool lost(struct arena *a, const struct commit_spec *spec, const char *transaction,
                 enum commit_outcome *outcome, struct err *e)
{
    *outcome = ask(a, spec->to, transaction);
    if (*outcome == COMMIT_NOT)
        return err_set(e, ERR_QUERY, "the server went away before it committed");
    return *outcome == COMMIT_DONE ||
           err_wrap(e, "it is unknown whether the restore was committed");
}

bool commit_transaction(struct arena *a, const struct commit_spec *spec,
                        enum commit_outcome *outcome, struct err *e)
{
    *outcome = COMMIT_NOT;
    const char *transaction = pg_value(a, spec->db, "SELECT txid_current()", PG_NONE, e);
    if (transaction == NULL || !stop_check(e) ||
        (spec->committing != NULL && !spec->committing(spec->context, transaction, e)) ||
        !pg_exec(spec->db, "SET LOCAL synchronous_commit = on", e))
        return false;
    /* A request to stop must not come between a COMMIT and the news of it. */
    stop_shield(true);
    bool ok = pg_exec(spec->db, "COMMIT", e);
    if (ok)
        *outcome = COMMIT_DONE;
    else if (e->kind == ERR_CONNECT)
        ok = lost(a, spec, transaction, outcome, e);
    stop_shield(false);
    return ok;
}
