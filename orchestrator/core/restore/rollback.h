/*
 * rollback.h - the whole way back, used by a deploy's undo and by `restore`.
 *
 * side database -> restore_full -> database_apply from the manifest -> ANALYZE ->
 * swap -> what others wrote since the snapshot counted in the kept database.
 * Until the swap nothing of live is touched; when it fails the side database is
 * dropped and live is as it was.
 */
#ifndef MIGSAFE_CORE_RESTORE_ROLLBACK_H
#define MIGSAFE_CORE_RESTORE_ROLLBACK_H

#include "core/backup/store.h"
#include "core/connection/connection.h"
#include "core/restore/swap.h"

struct rollback_spec {
    const struct connection *server; /* the role that restores and swaps */
    const char *maintenance_database;
    const char *pg_bin;
    const struct stored *backup; /* full */
    const char *live, *live_oid;
    const char *run;
    int jobs;
    /* Called between the parts with "created", "restored", "swap", "swapped" and a JSON object of
     * facts (names, oids): the journal.  False stops before that part. */
    bool (*note)(void *context, const char *part, const struct json *facts, struct err *e);
    void *context;
};

struct lost_writes {
    const char *schema, *table;
    int64_t rows_now, rows_then;        /* in kept, in the manifest */
    int64_t written;                    /* rows of kept whose version is newer than the snapshot */
    int64_t inserted, updated, deleted; /* counters since the snapshot; -1 unknown */
};

struct rollback_result {
    const char *kept, *kept_oid;
    int64_t kept_bytes;
    struct swap_result swap;
    struct lost_writes
        *lost; /* tables with a difference only; the migration's own writes included */
    size_t lost_count;
    int64_t elapsed_ms;
};

MUST_CHECK bool rollback(struct arena *a, const struct rollback_spec *spec,
                         struct rollback_result *result, struct err *e);
void rollback_json(const struct rollback_result *r, struct json *to);

#endif
