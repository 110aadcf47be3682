/*
 * gate.h - what speaks against applying the pending migrations, before anything is applied.
 *
 * Three sources, one list of findings: folder, ledger and git compared
 * (gate_history.h), the pending SQL (gate_sql.h), and the database's health
 * (core/health, asked by the command only: a deploy has it as its baseline).
 * Used by `migsafe gate` and as a step of every deploy.
 *
 * The rules share their names with what is found after a migration
 * (core/health/dataloss.h): one `allow drop-column:User.legacy` acknowledges both.
 * Errors refuse (ERR_UNSAFE, exit 10); a finding that is allowed does not count.
 * docs/GATE.md lists the rules.
 */
#ifndef MIGSAFE_CORE_GATE_H
#define MIGSAFE_CORE_GATE_H

#include "core/health/finding.h"
#include "core/prisma/project.h"
#include "core/prisma/state.h"

struct gate_context {
    const struct prisma_project *project;
    const struct migration_list *folder;
    /* Without a database (no URL was given): NULL, both.  Then pending is what base lacks, or, with
     * no base either, what no commit has; and nothing can be counted. */
    const struct prisma_state *state;
    struct pg *db; /* a session in live */
    const char *default_schema;
    /* A git ref that the folder is compared with ("origin/main"); NULL: only with HEAD.  With a
     * base the database is taken for a stand-in, as a CI job has it: that a table is empty in it
     * proves nothing, and what would lose values is a warning instead of nothing; what the base has
     * is not pending, whether the stand-in has it or not. */
    const char *base;
    const struct strlist *allow; /* of the settings */
};

struct gate_result {
    struct findings findings;
    struct strlist pending; /* names, in the order of a deploy */
};

/* Findings are not errors; they come in the order of the migrations and their lines.  False:
 * ERR_NOT_FOUND (the base cannot be found: shallow clone, no such ref), ERR_SYSTEM (the base's
 * objects are missing), ERR_QUERY, ERR_CONNECT, ERR_TIMEOUT, ERR_CANCELLED.  Allow lines of pending
 * migrations and the setting are applied. */
MUST_CHECK bool gate_check(struct arena *a, const struct gate_context *c,
                           struct gate_result *result, struct err *e);

/* Acknowledges findings that were added later, as gate_check does. */
void gate_allow(struct arena *a, const struct gate_context *c, struct gate_result *result);

/* Every rule with its level, what it finds and advice, as the Markdown table of docs/GATE.md. */
void gate_list(FILE *to);

#endif
