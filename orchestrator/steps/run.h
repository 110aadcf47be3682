/*
 * run.h - what the steps of one deploy share.
 *
 * Filled from top to bottom as the run goes on; a step reads what the steps
 * before it left.  Everything lives in the run's arena.
 */
#ifndef MIGSAFE_STEPS_RUN_H
#define MIGSAFE_STEPS_RUN_H

#include "core/backup/backup.h"
#include "core/backup/progress.h"
#include "core/fence/breach.h"
#include "core/fence/watchdog.h"
#include "core/health/health.h"
#include "core/prisma/deploy.h"
#include "core/prisma/effects.h"
#include "core/prisma/state.h"
#include "core/rehearsal/rehearsal.h"
#include "core/report/report.h"
#include "core/restore/rollback.h"
#include "core/runlock.h"
#include "core/schema/snapshot.h"
#include "core/settings/settings.h"
#include "core/site.h"
#include "core/steps.h"
#include "steps/earlier.h"

struct run {
    bool recovering; /* an earlier run, made again from its journal: steps/recover.h */
    struct arena *arena;
    const struct settings *settings;
    const char *id;                  /* 20261120_194609_ab12 */
    const char *application_name;    /* "migsafe:<id>": Prisma's sessions */
    const struct progress *progress; /* hears it, besides the journal; or NULL */
    struct site site;
    struct prisma_project project;
    struct prisma_state state;
    struct migration_list folder; /* of state */
    struct history
        history; /* of state: as the lock was taken: its pending is what this run intends */
    struct runlock *lock;
    struct journal *journal;
    struct earlier earlier;       /* as the lock was taken */
    bool other_at_work;           /* as it was looked last: another run holds the lock */
    struct fence_mark left_fence; /* one of another run that stood when we came; run NULL: none */

    /* preflight */
    struct database_facts facts;
    struct findings baseline;
    struct effects *effects; /* one per pending migration */
    /* gate */
    struct findings gate; /* what it found, allowed or only warned of when the run goes on */
    /* fence */
    int64_t written_before; /* rows, by the counters of preflight */
    bool fenced;            /* it stands: lifted by undo, by the verdict, by recover */
    int64_t fenced_at_ms;
    struct fence_mark fence_mark;
    const char *fence_set_by; /* the transaction that set it */
    struct fence_watchdog *watchdog;
    struct fence_watch *fence_watch;
    struct strlist fence_writes; /* what others wrote though it stood */
    /* backup */
    struct backup_done backup;
    struct stored stored; /* the full one, read back */
    bool has_backup;
    /* rehearse */
    struct rehearsal rehearsal;
    const char *rehearsed_on, *rehearsed_on_oid; /* the copy, while it is there; or NULL */
    /* migrate */
    bool in_place;     /* no swap is possible here: the way back is one transaction in live */
    bool hook_refused; /* a pre-migrate hook: Prisma was not started */
    struct snapshot schema_before;
    const char *xid_before; /* the first transaction that may be the migration's */
    struct ledgers ledgers_before;
    bool changed;   /* something of the migration is in live: there must be a way back */
    bool permanent; /* the same migrations would fail again */
    bool elsewhere; /* Prisma worked on another database: nothing here can be judged */
    /* health */
    struct findings found;
    /* the way back */
    /* of a recover: a database of the run that is restored and proven, to be swapped in */
    const char *proven_side, *proven_side_oid;
    bool rolled_back;
    struct rollback_result rollback;

    struct run_report report;
};

/* "Retry" of a step's wording: a warning goes to the log and into the report. */
void run_warn(struct run *run, const char *fmt, ...) PRINTF_LIKE(2, 3);
void run_warn_err(struct run *run, const struct err *e);
/* The ledger that Prisma uses and the history against it, as live has them now. */
MUST_CHECK bool run_read_ledgers(struct run *run, struct pg *db, struct ledgers *all,
                                 struct history *history, struct err *e);
/* The transaction that would begin next, 64 bits as text. */
MUST_CHECK const char *run_next_xid(struct run *run, struct pg *db, struct err *e);
/* The pending migration number i of this run. */
const struct migration *run_pending(const struct run *run, size_t i);
/* A backup of live as this run takes them; kinds as BACKUP_FULL | BACKUP_DATA. */
struct backup_spec run_backup_spec(const struct run *run, const char *reason, unsigned kinds);

extern const struct step step_preflight, step_gate, step_rehearse_ahead, step_fence, step_backup,
    step_rehearse, step_migrate, step_health, step_unfence, step_drop_standby, step_backup_after;

#endif
