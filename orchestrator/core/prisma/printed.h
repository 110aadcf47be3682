/*
 * printed.h - what a run of `prisma migrate deploy` printed, taken apart.
 *
 * Prisma has no machine-readable output for deploy; these are the forms of the
 * CLIs 5, 6 and 7 with their native engine and with the JavaScript engine of 6
 * (which prints neither P-codes nor SQLSTATEs for SQL errors).
 */
#ifndef MIGSAFE_CORE_PRISMA_PRINTED_H
#define MIGSAFE_CORE_PRISMA_PRINTED_H

#include "base/str.h"

struct printed {
    const char *code;      /* "P3018", or "" */
    const char *sqlstate;  /* "55P03", or "" */
    const char *migration; /* "Migration name: x", or P3009's `x`, or "" */
    const char *applying;  /* the last "Applying migration `x`", or "" */
    const char *message;   /* the first error in one line; "" when there is none */
    const char *database;  /* of its "Datasource ..." line; NULL when it named none */
    const char *location;  /* "localhost:5432" of the same line; NULL */
    bool success;          /* its success line is there */
};

/* out and err as captured: colours and all; NULL counts as "". */
struct printed printed_read(struct arena *a, const char *out, const char *err);

/* Without ANSI sequences and carriage returns. */
char *printed_plain(struct arena *a, const char *text) RETURNS_NONNULL;

#endif
