/*
 * sequences.h - sequences as the backup has them.
 */
#ifndef MIGSAFE_CORE_RESTORE_SEQUENCES_H
#define MIGSAFE_CORE_RESTORE_SEQUENCES_H

#include "core/backup/manifest.h"
#include "core/backup/toc.h"
#include "ext/pg.h"

/* By the archive, which also has those of extensions; by the manifest where the archive has none of
 * it (toc may be NULL).  ERR_QUERY names the sequence. */
MUST_CHECK bool sequences_set(struct arena *a, struct pg *db, const struct manifest *m,
                              const struct toc *toc, struct err *e);
/* "SELECT pg_catalog.setval('\"s\".\"n\"', 5, true);\n" */
char *sequence_command(struct arena *a, const struct manifest_sequence *s) RETURNS_NONNULL;

#endif
