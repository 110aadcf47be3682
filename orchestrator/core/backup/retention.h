/*
 * retention.h - which backups are kept, and why: a pure function.
 *
 * hourly, pre-deploy, post-deploy: the last N of each reason and kind.  daily: its
 * days; weekly and emergency: 30 days.  manual, and reasons that a newer migsafe
 * invented: for ever.  A pinned one, the newest usable and the newest verified one
 * of each kind are never removed; one that failed its last
 * verification is never counted; a damaged one is never counted and never removed
 * by itself (a person must look).  0 days or backups: only these remain.  Databases of
 * one name on several servers are counted apart, where the manifests tell the server; one that
 * tells none takes no place of one that does.
 */
#ifndef MIGSAFE_CORE_BACKUP_RETENTION_H
#define MIGSAFE_CORE_BACKUP_RETENTION_H

#include "core/backup/store.h"
#include "core/settings/settings.h"

struct retention {
    int keep_last;
    int daily_days, weekly_days, emergency_days;
    int64_t now; /* seconds since 1970 */
};

/* What the settings say, now. */
struct retention retention_of(const struct settings *s);

struct retention_choice {
    const struct stored *backup;
    bool keep;
    const char *why; /* "one of the last 10 of pre-deploy, full" */
};

/* One choice per backup of the store, in its order; only backups of `database` (its name on the
 * server) are judged, others are kept ("another database").  NULL: each among those of its own. */
struct retention_choice *retention_decide(struct arena *a, const struct store *s,
                                          const char *database, const struct retention *r);

struct retention_run {
    const char *backup_dir, *database;
    struct retention rules;
    bool dry;
    /* What came of it: */
    struct store store;
    struct retention_choice *choices; /* NULL: the store could not be read */
};

/* What `prune` and every good backup do: decide, and remove unless dry; also what killed processes
 * left.  Goes on after a failure and returns the first. */
MUST_CHECK bool retention_apply(struct arena *a, struct retention_run *run, struct err *e);

#endif
