/*
 * copier.h - what the files of a copier share: rows (copy.c), sequences and large objects
 * (copy_others.c).
 */
#ifndef MIGSAFE_CORE_BACKUP_COPIER_H
#define MIGSAFE_CORE_BACKUP_COPIER_H

#include "core/backup/copy.h"
#include "core/backup/tally.h"

struct copier {
    struct pg *db;
    struct packer *packer;
    struct progress *progress;
    int64_t item_bytes; /* of text, of the item so far */
    struct tally tally;
    char *text; /* MEMBER_TEXT_BYTES of it */
    size_t used;
};

MUST_CHECK bool copy_sequences(struct copier *c, struct plan *p, const struct plan_item *item,
                               struct err *e);
MUST_CHECK bool copy_large(struct copier *c, struct plan *p, const struct plan_item *item,
                           struct err *e);
/* So much text is done. */
void copy_count(struct copier *c, size_t bytes, int64_t rows);

#endif
