/*
 * rollback.h - the whole way back, used by a deploy's undo and by `restore`.
 *
 * side database -> restore_full (with ANALYZE) -> database_apply from the manifest
 * -> swap -> what others wrote since the snapshot counted in the kept database, and
 * written to a file that `migsafe replay` brings back.
 * Another source fills it in its own way; without a manifest nothing is counted.
 * Until the swap nothing of live is touched; when it fails the side database is
 * dropped (a standby stays) and live is as it was.
 */
#ifndef MIGSAFE_CORE_RESTORE_ROLLBACK_H
#define MIGSAFE_CORE_RESTORE_ROLLBACK_H

#include "core/backup/store.h"
#include "core/connection/connection.h"
#include "core/fence/fence.h"
#include "core/restore/lost.h"
#include "core/restore/lost_rows.h"
#include "core/restore/source.h"
#include "core/restore/swap.h"

struct rollback_spec {
    const struct connection *server; /* the role that restores and swaps */
    const char *maintenance_database;
    const char *pg_bin;
    const struct stored *backup;       /* full */
    const struct source *source;       /* what fills the side database; NULL: the backup */
    const struct lost_rows_wish *lost; /* where lost writes go, of a backup; NULL: nowhere */
    const char *live, *live_oid;
    const char *run;
    /* The run's own fence, should live's comment not tell of it any more; NULL: there is none. */
    const struct fence_mark *fence;
    /* This run's side database, when an interrupted process had restored and proven it (its note
     * "restored" is there): swapped in as it is.  NULL: a new one is made, an old one dropped. */
    const char *proven_side_oid;
    /* Its name, when it is a standby: then it is not dropped when the swap fails.  NULL: that of a
     * restore's. */
    const char *proven_side;
    int jobs;
    struct progress *progress; /* of a backup's restore; or NULL */
    /* Called between the parts with a JSON object of facts (names, oids): the journal.  "create"
     * before a database is made, "created", "restored" (and proven), "swap" before it, "swapped".
     * False stops there. */
    bool (*note)(void *context, const char *part, const struct json *facts, struct err *e);
    void *context;
};

struct rollback_result {
    bool swapped; /* live is the restored one, even where rollback() then failed in its last note */
    bool side_left; /* not swapped, and its side database could not be dropped */
    const char *kept, *kept_oid;
    int64_t kept_bytes;    /* -1: unknown */
    int64_t swapped_at_ms; /* of the monotonic clock */
    struct swap_result swap;
    struct lost_writes
        *lost; /* tables with a difference only; the migration's own writes included */
    size_t lost_count;
    const char *lost_note; /* why not everything could be counted, or NULL */
    struct lost_rows rows;
    int64_t elapsed_ms;
};

MUST_CHECK bool rollback(struct arena *a, const struct rollback_spec *spec,
                         struct rollback_result *result, struct err *e);
void rollback_json(const struct rollback_result *r, struct json *to);

#endif
