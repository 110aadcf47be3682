/*
 * gate_count.h - what losses come to in the database: which tables and columns, and how many rows
 * and values they hold now.
 *
 * Every table is counted once, within some seconds; a larger one, a locked one or
 * one that this role may not read whole is estimated from the statistics.
 */
#ifndef MIGSAFE_CORE_GATE_COUNT_H
#define MIGSAFE_CORE_GATE_COUNT_H

#include "core/gate/gate_judge.h"

/* The session must not be in a transaction.  ERR_QUERY, ERR_CONNECT, ERR_TIMEOUT, ERR_CANCELLED. */
MUST_CHECK bool gate_count(struct arena *a, struct pg *db, const struct gate_walk *w,
                           struct gate_victims *victims, struct err *e);

#endif
