/*
 * past.h - what the journal of a run without a verdict says that it did and meant to do.
 *
 * Journal records that recover reads (step event {data}); whoever writes one of these keeps it:
 *
 *   run begin        {database, host, live_oid?, backup?, into?}   command: deploy, restore
 *   preflight note   {baseline:[findings]}
 *   fence begin      {live, live_oid}   fence done   fence note {part:"lifted"}
 *                    fence note {part:"set", was, was_comment, set_by}
 *   backup note      {full, data, bytes}
 *   rehearse note    {part:"create"|"created", purpose:"rehearsal"|"standby", name, oid}
 *                    {part:"standby", name, oid}: proven and untouched from here on
 *                    {part:"dropped", name}   {part:"measured", ...}: core/rehearsal/rehearsal.h
 *                    {pid, start_time, boot_id, application_name}: as migrate's, on the copy
 *   migrate begin    {migrations:[{name, checksum}], live_oid, backup, fenced}
 *   migrate note     {part:"before", catalogs, ledgers, others, applied, xid}: digests, see
                    before.h; the first transaction that may be the migration's
 *   migrate note     {pid, start_time, boot_id, application_name}
 *   rollback begin   {backup, live, live_oid, in_place?, standby?}
 *   rollback note, restore note|done  {part:"create"|"created"|"restored", side, side_oid, kept}
 *                    (of `restore` told apart by side_oid, and event done: restored)
 *   swap begin       {live, live_oid, side, side_oid, kept}    swap done {..., kept_oid}
 *   restore note, rollback note, replay note  {part:"in place", transaction}: the one
 *                    transaction is about to commit; its id as pg_current_xact_id() has it
 *   health done      the commit point of a deploy
 *   recover begin    a recover goes on from here; the same records follow
 *   run verdict      ended; after "broken" recover done {decision}
 */
#ifndef MIGSAFE_CORE_RECOVER_PAST_H
#define MIGSAFE_CORE_RECOVER_PAST_H

#include "core/journal.h"

#include <sys/types.h>

enum past_stage { /* how far it came */
                  PAST_BEFORE_BACKUP,
                  PAST_BACKED_UP, /* before Prisma was started, or before a restore's swap */
                  PAST_MIGRATING, /* Prisma was started; no commit point, no rollback */
                  PAST_ROLLING_BACK,
                  PAST_SWAPPING, /* swap begin without done */
                  PAST_SWAPPED,
                  PAST_IN_PLACE, /* the one transaction was about to commit */
                  PAST_COMMITTED,
};

struct past_database { /* a side database of this run */
    const char *name, *oid;
    bool proven;
};

struct past_migration {
    const char *name, *checksum;
};

struct past {
    const char *run, *command, *database, *host, *started_at;
    const char *last_at; /* of the last record of what the run, or a recover of it, did */
    const char *last_step, *last_event;
    bool is_restore; /* command: restore, or replay; else deploy */
    bool is_replay;
    const char *into;              /* of a restore into a new database; else NULL */
    const char *decision;          /* of a person */
    const char *verdict;           /* "broken" when a decision is waited for; else NULL */
    enum past_stage stage;         /* of the run, whatever its verdict */
    bool migrate_begun;            /* also where Prisma was not started any more */
    const char *live_oid;          /* NULL: not written down yet */
    const char *backup;            /* the full one's id, or NULL */
    bool fence_set;                /* a fence was set, and not lifted since */
    const char *fence_was;         /* the setting that the database had of its own; NULL: none */
    const char *fence_was_comment; /* NULL: none */
    const char *fence_set_by;      /* the transaction that set it; NULL: not known */
    struct past_migration *migrations; /* intended */
    size_t migration_count;
    const char *catalogs, *ledgers, *other_ledgers; /* digests before Prisma; NULL: not known */
    int64_t applied;                                /* migrations before; -1: not known */
    const char *xid; /* the first transaction that may be the migration's; NULL: not known */
    pid_t child;     /* 0: none */
    int64_t child_start;
    const char *child_boot, *application_name;
    struct past_database side, standby; /* name NULL: none */
    const char *kept;
    const char *transaction; /* of PAST_IN_PLACE */
    bool in_place;           /* its way back was to be in place */
};

/* A pure function; texts live in the arena. */
struct past past_of(struct arena *a, const struct journal_run *r);
const char *past_stage_name(enum past_stage stage);

#endif
