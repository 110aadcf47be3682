/*
 * gate_print.h - the gate's findings as text, as JSON, as annotations of GitHub.
 */
#ifndef MIGSAFE_CMD_GATE_PRINT_H
#define MIGSAFE_CMD_GATE_PRINT_H

#include "cmd/cmd.h"
#include "core/gate/gate.h"

struct gate_output {
    struct cmd_context *ctx;
    struct gate_result *result;
    const char *root;      /* of the project: files are named as seen from there */
    const char *top;       /* of the repository, without a slash at its end; NULL: none */
    const char *workspace; /* GITHUB_WORKSPACE; NULL: none */
    const char *base;      /* NULL: none */
    const char *database;  /* NULL: none */
};

/* "gate: 2 errors, 1 warning in 3 pending migrations" */
char *gate_summary(struct arena *a, const struct gate_result *result) RETURNS_NONNULL;
void gate_print_text(const struct gate_output *o);
void gate_print_json(const struct gate_output *o);
/* Workflow commands: ::error file=F,line=N,title=RULE::MESSAGE */
void gate_print_github(const struct gate_output *o);

#endif
