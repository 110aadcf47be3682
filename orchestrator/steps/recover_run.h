/*
 * recover_run.h - the struct run of a run that died, made again from journal, backup and settings.
 */
#ifndef MIGSAFE_STEPS_RECOVER_RUN_H
#define MIGSAFE_STEPS_RECOVER_RUN_H

#include "core/recover/truth.h"
#include "steps/recover.h"
#include "steps/run.h"

/* One run in recover's hands. */
struct recovery {
    struct arena *arena;
    const struct recover_spec *spec;
    struct pg *maintenance;
    const char *server;           /* its identity, or NULL */
    struct journal_run journaled; /* records: freed by recover.c */
    struct past past;
    const char *run_folder;
    struct truth_facts facts;
    struct judgement judgement;
    struct run *run; /* what the steps of a deploy work on */
    struct recovered *out;
};

/* Fills r->run, its report too; the journal is not open yet. */
void recovery_make_run(struct recovery *r);

#endif
