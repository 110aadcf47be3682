/*
 * history.h - folder and ledger compared: a pure function.
 *
 * pending is computed as apply_migrations.rs does: on disk, minus the names with
 * a row that is not rolled back.  `prisma migrate status` is never asked: it
 * calls edited and rolled-back histories "up to date".
 */
#ifndef MIGSAFE_CORE_PRISMA_HISTORY_H
#define MIGSAFE_CORE_PRISMA_HISTORY_H

#include "core/prisma/ledger.h"
#include "core/prisma/migrations.h"
#include "ext/json.h"

struct history {
    struct strlist applied;      /* names, in the order in which they were applied */
    struct strlist pending;      /* what a deploy would apply, in its order */
    struct strlist failed;       /* rows that block a deploy (P3009) */
    struct strlist rolled_back;  /* rolled back and not applied since: pending again, or gone */
    struct strlist edited;       /* applied, but the file is another one now */
    struct strlist missing;      /* applied, but no such folder, or no script in it any more */
    struct strlist out_of_order; /* pending, but before the last applied in the folder's order */
    struct strlist scriptless;   /* pending, but without migration.sql */
};

/* ledger: NULL when there is none. */
struct history history_compare(struct arena *a, const struct migration_list *folder,
                               const struct ledger *ledger);
/* Names of all lists that call for a look: failed, edited, missing, out of order, scriptless. */
bool history_is_clean(const struct history *h);
void history_json(const struct history *h, struct json *to); /* "applied":[...], ... */
/* SHA-256 over names and checksums of the pending migrations: the restart loop knows them by it. */
char *history_pending_digest(struct arena *a, const struct history *h,
                             const struct migration_list *folder) RETURNS_NONNULL;

#endif
