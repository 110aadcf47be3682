/*
 * state.h - where a project and a database stand towards each other, read in one go.
 *
 * For status, preflight and the gate: the folder, all ledgers, the one that
 * counts, both compared, and what a deploy would do now.  Two or three queries,
 * no node.
 */
#ifndef MIGSAFE_CORE_PRISMA_STATE_H
#define MIGSAFE_CORE_PRISMA_STATE_H

#include "core/connection/connection.h"
#include "core/prisma/history.h"
#include "core/prisma/project.h"

enum prisma_outlook {
    OUTLOOK_UP_TO_DATE,
    OUTLOOK_PENDING, /* a deploy applies what is pending */
    OUTLOOK_BLOCKED, /* a deploy fails: failed rows, a pending folder without script, no baseline,
                        Prisma 8 */
    OUTLOOK_UNCLEAR, /* several ledgers, and the URL does not say which */
};

struct prisma_state {
    struct migration_list folder;
    struct ledgers ledgers;
    const struct ledger *ledger; /* the one that counts; NULL: none */
    struct history history;
    enum prisma_outlook outlook;
    const char *code;    /* "P3009", "P3015", "P3005" where Prisma would say so; else NULL */
    const char *summary; /* one line for people */
};

/* db: a session in live.  Errors of migrations_read and ledgers_read. */
MUST_CHECK bool prisma_state_read(struct arena *a, const struct prisma_project *project,
                                  const struct connection *live, struct pg *db,
                                  struct prisma_state *state, struct err *e);
const char *prisma_outlook_name(enum prisma_outlook outlook); /* "up-to-date" */

#endif
