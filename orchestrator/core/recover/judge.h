/*
 * judge.h - what to do about a run without a verdict: the table of docs/RECOVER.md as a pure
 * function.
 *
 * The journal says what was meant, server and disk say what is true, by oid.
 */
#ifndef MIGSAFE_CORE_RECOVER_JUDGE_H
#define MIGSAFE_CORE_RECOVER_JUDGE_H

#include "core/recover/past.h"

enum recover_live { LIVE_IS_OLD, LIVE_IS_SIDE, LIVE_IS_OTHER, LIVE_IS_MISSING };

/* What stands in live against what stood there before Prisma was started. */
enum recover_ledger {
    LEDGER_AS_BEFORE, /* every ledger and the catalogs as they were */
    LEDGER_COMPLETE,  /* the journaled migrations all applied, none failed, nothing else */
    LEDGER_BETWEEN,
};

enum recover_transaction { TRANSACTION_UNKNOWN, TRANSACTION_COMMITTED, TRANSACTION_ABORTED };

struct truth {
    enum recover_live live; /* by oid */
    enum recover_ledger ledger;
    enum recover_transaction transaction; /* of PAST_IN_PLACE */
    bool backup_good;                     /* is there, its files verified */
    bool fence_stands;    /* this run's mark is on live, and nothing was seen written by others */
    bool others_wrote;    /* since the snapshot, or it cannot be known */
    bool others_migrated; /* the ledger tells of migrations since that are not the run's */
    bool within_limit;    /* the last record is younger than recover-limit */
    bool side_there, standby_there; /* by oid */
};

enum recover_action {
    RECOVER_CLEAN,     /* leftovers only */
    RECOVER_FORWARD,   /* health, and by it to the end or back */
    RECOVER_COMMITTED, /* to the end: nothing is judged any more */
    RECOVER_BACK,      /* roll back: a new side database, or the standby */
    RECOVER_SWAP,      /* the proven side database is there: go on with the swap */
    RECOVER_RESTORED,  /* live is the restored one: finish */
    RECOVER_NOTHING,   /* a person must decide: nothing is touched */
};

struct judgement {
    enum recover_action action;
    const char *verdict; /* "refused", "unchanged", "migrated", "restored", "broken"; of FORWARD
                            and BACK when they succeed */
    bool may_go_back;    /* of FORWARD: when it is unhealthy; else that is "broken" */
    const char *why;     /* one sentence */
};

struct judgement recover_judge(const struct past *past, const struct truth *truth);
const char *recover_action_name(enum recover_action action); /* for the journal and people */

#endif
