/*
 * measure.h - what a migration did to a database: from looks before it, while it ran, and after.
 *
 *     struct measure m;
 *     measure_begin(a, &copy, &m, e);
 *     ... Prisma runs ...
 *     measure_end(a, &m, &rehearsal, e);      also after a failure, as far as it came
 */
#ifndef MIGSAFE_CORE_REHEARSAL_MEASURE_H
#define MIGSAFE_CORE_REHEARSAL_MEASURE_H

#include "core/prisma/ledger.h"
#include "core/rehearsal/rehearsal.h"
#include "core/rehearsal/sampler.h"

struct measured_relation {
    int64_t oid, file, bytes;
    const char *name, *bare;
    bool is_index;
};

struct measured_relations {
    struct measured_relation *items; /* by oid */
    size_t count;
};

struct measure {
    const struct connection *where;
    struct measured_relations before;
    const char *lsn; /* NULL: this role may not ask */
    struct sampler *sampler;
};

/* ERR_QUERY, ERR_CONNECT, ERR_SYSTEM.  After it measure_end or measure_abandon must follow. */
MUST_CHECK bool measure_begin(struct arena *a, const struct connection *where, struct measure *m,
                              struct err *e);
MUST_CHECK bool measure_end(struct arena *a, struct measure *m, struct rehearsal *r, struct err *e);
void measure_abandon(struct arena *a, struct measure *m);

/* The part of it that asks nobody: locks of relations that were there before, the longest of each
 * level, and what they mean for others. */
void measure_locks(struct arena *a, const struct measured_relations *before,
                   const struct sampled *seen, struct rehearsal *r);
/* Seconds of the migrations of a ledger whose names are wanted. */
void measure_migrations(struct arena *a, const struct ledger *ledger, const struct strlist *wanted,
                        struct rehearsal *r);

#endif
