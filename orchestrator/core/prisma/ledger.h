/*
 * ledger.h - `_prisma_migrations`, as the server has it, in every schema.
 */
#ifndef MIGSAFE_CORE_PRISMA_LEDGER_H
#define MIGSAFE_CORE_PRISMA_LEDGER_H

#include "base/str.h"
#include "ext/pg.h"

struct ledger_row {
    const char *id, *checksum, *name;
    /* "2026-11-20T19:46:09.123456Z"; NULL where SQL has NULL */
    const char *started_at, *finished_at, *rolled_back_at;
    const char *logs; /* at most 8,000 characters; NULL where SQL has NULL */
    int applied_steps;
};

enum ledger_state { LEDGER_APPLIED, LEDGER_FAILED, LEDGER_ROLLED_BACK };
/* finished, not rolled back: applied.  Neither: failed or still running (P3009).  Rolled back,
 * whatever else: unapplied, Prisma will run it again. */
enum ledger_state ledger_row_state(const struct ledger_row *row);

struct ledger {
    const char *schema;
    struct ledger_row *rows; /* by started_at */
    size_t count;
};

struct ledgers {
    struct ledger *items; /* one per schema that has the table */
    size_t count;
    bool prisma8; /* Prisma 8 has been here: schema prisma_contract, no `migrate deploy` */
};

/* ERR_QUERY when a ledger may not be read (42501, the hint names the grant). */
MUST_CHECK bool ledgers_read(struct arena *a, struct pg *db, struct ledgers *all, struct err *e);
/* The one that Prisma will use: of the connection's schema; NULL when that has none.  When it was
 * not given in the URL and public has none, the only other one. */
const struct ledger *ledgers_main(const struct ledgers *all, const char *schema, bool schema_given);
/* True when ledgers_main cannot know: no schema in the URL, none in public, several elsewhere. */
bool ledgers_ambiguous(const struct ledgers *all, bool schema_given);
/* The same schemas with the same rows in the same states; logs do not count. */
bool ledgers_equal(const struct ledgers *a, const struct ledgers *b);

/* Marks the failed rows of one migration as `migrate resolve --rolled-back` would.  ERR_NOT_FOUND:
 * it has none. */
MUST_CHECK bool ledger_mark_rolled_back(struct pg *db, const char *schema, const char *name,
                                        struct err *e);

#endif
