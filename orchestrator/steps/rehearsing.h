/*
 * rehearsing.h - the migrations of a deploy, run and judged on a copy of its backup.
 */
#ifndef MIGSAFE_STEPS_REHEARSING_H
#define MIGSAFE_STEPS_REHEARSING_H

#include "base/clock.h"
#include "core/rehearsal/outlook.h"
#include "steps/run.h"

struct rehearse_look {
    const struct settings *settings;
    const struct site *site;
    const struct migration_list *folder;
    const struct strlist *pending;
    const struct findings *gate; /* NULL: it did not look */
    int64_t bytes, backup_ms;    /* as rehearsal_outlook_facts */
    int64_t limit_ms;
    const char *limit_name; /* the setting that says so */
};

/* What speaks for and against it here and now; db: a session of the server's role,
 * or of live's: then that role's rights are not judged. */
struct rehearsal_outlook rehearse_outlook(struct arena *a, const struct rehearse_look *l,
                                          struct pg *db);

struct rehearse_how {
    bool standby;
    int64_t limit_ms; /* 0: none */
    const char *limit_name;
};

/*
 * Makes the copies, runs Prisma, judges; fills run->rehearsal, run->rehearsed_on.  False:
 * ERR_UNSAFE when the migrations failed there or left it unhealthy; ERR_PREFLIGHT with backup_bad
 * when the backup cannot be restored; ERR_BROKEN when Prisma changed live instead; any other: it
 * could not be rehearsed, which says nothing about the migrations.
 */
MUST_CHECK bool rehearse(struct run *run, const struct rehearse_how *how, bool *backup_bad,
                         struct err *e);

#endif
