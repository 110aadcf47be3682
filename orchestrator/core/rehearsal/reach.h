/*
 * reach.h - would this SQL reach past the copy that it is rehearsed on?
 *
 * A rehearsal must leave everything but the copy alone.  Roles, tablespaces and
 * the server's settings are shared by all databases; a statement that names a
 * database names production; dblink, http and foreign tables leave the server.
 * Read by words, also in the bodies of DO and in texts that are executed: more is
 * found than is meant, never less where the words are written out.  What the
 * gate's parser finds (rule global-effect) counts besides.
 */
#ifndef MIGSAFE_CORE_REHEARSAL_REACH_H
#define MIGSAFE_CORE_REHEARSAL_REACH_H

#include "base/arena.h"

/* "CREATE ROLE": the words that reach past it; NULL: none.  Comments do not count. */
const char *reach_of(struct arena *a, const char *sql);

#endif
