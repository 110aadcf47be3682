/*
 * analyze.h - statistics of a restored database, which no dump has: ANALYZE by several sessions.
 */
#ifndef MIGSAFE_CORE_RESTORE_ANALYZE_H
#define MIGSAFE_CORE_RESTORE_ANALYZE_H

#include "core/connection/connection.h"

MUST_CHECK bool analyze_parallel(struct arena *a, const struct connection *to, int jobs,
                                 struct err *e);

#endif
