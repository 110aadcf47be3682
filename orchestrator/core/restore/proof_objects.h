/*
 * proof_objects.h - the parts of a proof that are not tables: large objects, and the session that
 * reads as the backup did.
 */
#ifndef MIGSAFE_CORE_RESTORE_PROOF_OBJECTS_H
#define MIGSAFE_CORE_RESTORE_PROOF_OBJECTS_H

#include "core/backup/store.h"
#include "ext/pg.h"

/* The same text for the same values as in the backup. */
MUST_CHECK bool proof_session(struct pg *db, const struct manifest *m, struct err *e);

/* Every large object of the backup against the one in db, piece by piece.  *damage: what differs
 * first, or NULL. */
MUST_CHECK bool proof_large_objects(struct arena *a, struct pg *db, const struct stored *s,
                                    const char **damage, struct err *e);

#endif
