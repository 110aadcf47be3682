/*
 * deploy.h - one run of `prisma migrate deploy`, and the end of its sessions.
 *
 * The CLI runs in its own process group with its URL in the environment (every
 * variable that the datasource names), application_name "migsafe:<run>" and
 * lock_timeout in the URL's options.  It inherits no PG*, no MIGSAFE_*, no DEBUG.
 * While it runs its sessions are watched: that one appeared in live at all, and
 * who blocks them.
 *
 * lock_timeout also ends its wait for Prisma's own advisory lock: call
 * prisma_lock_wait before.  Killing the CLI does not stop its SQL: call
 * prisma_sessions_end and see them gone before judging the database.
 */
#ifndef MIGSAFE_CORE_PRISMA_DEPLOY_H
#define MIGSAFE_CORE_PRISMA_DEPLOY_H

#include "core/connection/connection.h"
#include "core/prisma/failure.h"
#include "core/prisma/project.h"
#include "core/prisma/watch.h"

#include <sys/types.h>

struct prisma_deploy_spec {
    const struct prisma_project *project;
    const struct connection *live;
    const char *url;              /* as the project has it; rewritten for the run */
    const char *application_name; /* "migsafe:<run>"; at most 63 bytes */
    const char *options;          /* more session options ("-c x=y": the fence's), or NULL */
    int64_t lock_timeout_ms;      /* 0: none */
    int64_t timeout_ms;
    /* A session in the maintenance database with a short query_deadline_ms, used for nothing else
     * meanwhile; NULL: nothing is watched.  When it is lost the watch ends, not the run. */
    struct pg *watch;
    /* The child has a pid: journal it.  False: it is not run. */
    bool (*started)(void *context, pid_t pid, struct err *e);
    /* Called about every 100 ms while it runs; or NULL. */
    void (*tick)(void *context);
    void *context;
};

struct prisma_outcome {
    struct failure failure;
    struct prisma_end end;         /* what it printed is there on failure of prisma_deploy too */
    bool session_seen;             /* a session with our application_name was in live */
    bool elsewhere;                /* it printed another host or database than ours */
    const char *printed_target;    /* "app at \"host:port\"" as it printed; NULL: it named none */
    struct prisma_blocker blocker; /* the longest wait; pid 0: none seen */
    struct prisma_blocker last;    /* the last one: what was waited for when it failed by that */
    int64_t elapsed_ms;
};

/* False only when it could not be run at all (ERR_CHILD, ERR_SYSTEM), or ERR_CANCELLED, or a
 * started callback's error; a failing migration is an outcome, and so is the time limit. */
MUST_CHECK bool prisma_deploy(struct arena *a, const struct prisma_deploy_spec *spec,
                              struct prisma_outcome *outcome, struct err *e);

/* Ends every session of this application_name in database and waits until they are gone.
 * database NULL: in all, and those with a longer name ("migsafe:<run> swap") too.
 * ERR_TIMEOUT after 10 s, ERR_PREFLIGHT (may not end them: grant pg_signal_backend). */
MUST_CHECK bool prisma_sessions_end(struct arena *a, struct pg *maintenance, const char *database,
                                    const char *application_name, struct err *e);

/* Who holds Prisma's advisory lock 72707369 in database: pid, application, client; NULL: nobody. */
MUST_CHECK bool prisma_lock_holder(struct arena *a, struct pg *maintenance, const char *database,
                                   const char **who, struct err *e);
/* Waits until nobody holds it.  ERR_BUSY after wait_ms (0: one look), naming who does; a foreign
 * holder is never ended. */
MUST_CHECK bool prisma_lock_wait(struct arena *a, struct pg *maintenance, const char *database,
                                 int64_t wait_ms, struct err *e);

/* Does what Prisma printed (core/prisma/printed.h; NULL where it named none) mean another database
 * than live?  It prints the host before the path of the URL, also when `?host=` says another. */
bool prisma_is_elsewhere(const struct connection *live, const char *url, const char *database,
                         const char *location);

#endif
