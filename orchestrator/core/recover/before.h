/*
 * before.h - what is written down before Prisma is started, so that a recover can tell what it did.
 *
 * In the journal (migrate note {"part":"before"}): digests of the catalogs and of the ledgers, and
 * how many migrations were applied.  In the run's folder, migrations.json: the SQL that is
 * intended - the project's folder may be another one, or none, when the run is recovered - and
 * catalogs.txt: the catalogs themselves, to compare a restored database with.
 */
#ifndef MIGSAFE_CORE_RECOVER_BEFORE_H
#define MIGSAFE_CORE_RECOVER_BEFORE_H

#include "core/prisma/ledger.h"
#include "core/prisma/migrations.h"
#include "core/recover/judge.h"
#include "core/schema/snapshot.h"

struct before { /* one moment of a database */
    const struct snapshot *catalogs;
    const struct ledgers *ledgers;
    const struct ledger *main; /* Prisma's; NULL: none yet */
    const char *schema;        /* where it would be made */
};

/* Caller owns. */
struct json *before_json(struct arena *a, const struct before *b) RETURNS_NONNULL;
/* The same moment now against what the journal has: a pure function. */
enum recover_ledger before_compare(struct arena *a, const struct past *past,
                                   const struct before *now);
/* Has the ledger applied or failed migrations since that are not the run's, by name and checksum? A
 * pure function. */
bool before_others_migrated(const struct past *past, const struct ledger *main);

/* Written aside and fsynced.  ERR_SYSTEM. */
MUST_CHECK bool intended_write(struct arena *a, const char *run_folder,
                               const struct migration_list *list, struct err *e);
/* ERR_NOT_FOUND, ERR_DAMAGED (not those of the journal). */
MUST_CHECK bool intended_read(struct arena *a, const char *run_folder, const struct past *past,
                              struct migration_list *list, struct err *e);

MUST_CHECK bool catalogs_write(struct arena *a, const char *run_folder,
                               const struct snapshot *catalogs, struct err *e);
/* ERR_NOT_FOUND. */
MUST_CHECK bool catalogs_read(struct arena *a, const char *run_folder, struct snapshot *catalogs,
                              struct err *e);

#endif
