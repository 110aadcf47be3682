/*
 * prisma_at.h - one run of Prisma of a deploy: on live, or on a copy of it.
 */
#ifndef MIGSAFE_STEPS_PRISMA_AT_H
#define MIGSAFE_STEPS_PRISMA_AT_H

#include "steps/run.h"

struct prisma_place {
    const struct connection *where;
    const char *url;
    const char *application_name;
    const char *options; /* more session options, or NULL */
    int64_t timeout_ms;
    bool (*started)(void *context, pid_t pid, struct err *e); /* journals the child */
    void (*tick)(void *context);                              /* while it runs; or NULL */
    void *context;
};

/* With the lock timeout of the settings, and watched.  As prisma_deploy. */
MUST_CHECK bool prisma_at(struct run *run, const struct prisma_place *at,
                          struct prisma_outcome *outcome, struct err *e);
/* Why it failed, as an error; returns false. */
bool prisma_at_failed(const struct prisma_outcome *outcome, int attempt, struct err *e);
/* Success by its own words, and yet the ledger lacks a migration: a failure. */
void prisma_at_disproved(const struct run *run, const struct history *now,
                         struct prisma_outcome *outcome);
/* {pid, start_time, boot_id, application_name}: for the journal. */
struct json *prisma_at_child(struct run *run, pid_t pid, const char *application_name)
    RETURNS_NONNULL;

#endif
