/*
 * copy.h - one worker of a dump: items of the plan, from its own session on the common
 * snapshot, into data files.
 */
#ifndef MIGSAFE_CORE_BACKUP_COPY_H
#define MIGSAFE_CORE_BACKUP_COPY_H

#include "core/backup/compression.h"
#include "core/backup/plan.h"
#include "core/backup/progress.h"
#include "core/connection/connection.h"

/* Settings of a session in which COPY writes the same text for the same values, wherever it runs:
 * a backup that is read back to be compared needs them too.  Not its encoding. */
MUST_CHECK bool copy_settings(struct pg *db, struct err *e);

struct copier;                       /* of one thread */
void copier_close(struct copier *c); /* accepts NULL; its session too */
DEFINE_AUTO(copier, struct copier *, copier_close);

struct copier_spec {
    const struct connection *from;
    const struct frozen *frozen; /* whose snapshot */
    const char *encoding;        /* of the database */
    struct compression compression;
    int query_deadline_ms;
    int64_t lock_timeout_ms;   /* for what the coordinator has no lock of: sequences; 0: none */
    struct progress *progress; /* or NULL */
};
/* A session that has the snapshot, with its settings as a dump needs them.  NULL: ERR_CONNECT,
 * ERR_QUERY. */
MUST_CHECK struct copier *copier_open(const struct copier_spec *spec, struct err *e);

/* ERR_QUERY 55P03: somebody asks for the table, see freeze_name_blocker; ERR_SYSTEM; ... */
MUST_CHECK bool copy_item(struct copier *c, struct plan *p, const struct plan_item *item,
                          struct err *e);

#endif
