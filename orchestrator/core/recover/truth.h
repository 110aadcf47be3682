/*
 * truth.h - what server and disk say of a run without a verdict, for judge.h.
 *
 * Only reads.  What costs (the backup's sums, the count of all rows) is looked at
 * only where the judgement can depend on it.
 */
#ifndef MIGSAFE_CORE_RECOVER_TRUTH_H
#define MIGSAFE_CORE_RECOVER_TRUTH_H

#include "core/backup/store.h"
#include "core/fence/fence.h"
#include "core/recover/judge.h"
#include "core/recover/wrote.h"
#include "core/settings/settings.h"
#include "core/site.h"

struct truth_spec {
    const struct site *site;
    const struct settings *settings;
    struct pg *maintenance;
    const struct past *past;
    const char *run_folder;
};

struct truth_facts { /* what the judgement was made of, and what acts need */
    struct truth truth;
    const char *live_oid; /* of the database that has the live name now; NULL: none */
    struct database_facts live;
    struct stored backup;           /* id NULL: none */
    const char *backup_damage;      /* why it is not good, or NULL */
    struct migration_list intended; /* with their SQL; empty: not written down */
    struct strlist failed;          /* migrations that the ledger calls failed */
    struct fence_mark fence;
    struct wrote wrote;
    int64_t age_ms; /* of the last record; -1: cannot be known */
};

/* ERR_CONNECT and whatever reading fails with; a database that is missing is a fact. */
MUST_CHECK bool truth_read(struct arena *a, const struct truth_spec *spec,
                           struct truth_facts *facts, struct err *e);
/* What of it people should know: whole sentences. */
char *truth_text(struct arena *a, const struct past *past, const struct truth_facts *facts)
    RETURNS_NONNULL;

#endif
