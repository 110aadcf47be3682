/*
 * blobs.h - the large objects of a backup: their lists (blobs.toc, blobs_<id>.toc) and files.
 */
#ifndef MIGSAFE_CORE_BACKUP_BLOBS_H
#define MIGSAFE_CORE_BACKUP_BLOBS_H

#include "core/backup/store.h"

struct blob {
    const char *oid;
    const char *file; /* as the manifest has it */
};
/* All lists of the backup, in their order.  ERR_DAMAGED: a line that is none, a file that the
 * manifest does not name. */
MUST_CHECK bool blobs_list(struct arena *a, const struct stored *s, struct blob **items,
                           size_t *count, struct err *e);

struct blob_reader;
void blob_close(struct blob_reader *r); /* accepts NULL */
DEFINE_AUTO(blob_reader, struct blob_reader *, blob_close);
MUST_CHECK struct blob_reader *blob_open(struct arena *a, const struct stored *s,
                                         const struct blob *blob, struct err *e);
/* At most max bytes of it; *n 0 is the end. */
MUST_CHECK bool blob_read(struct blob_reader *r, char *bytes, size_t max, size_t *n, struct err *e);

#endif
