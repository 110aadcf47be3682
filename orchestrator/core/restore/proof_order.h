/*
 * proof_order.h - what a table's rows sum up to with the columns in the order of another table.
 *
 * Partitions may have their columns in orders of their own; after a restore through their root
 * nobody knows any more which row was in which of them.
 */
#ifndef MIGSAFE_CORE_RESTORE_PROOF_ORDER_H
#define MIGSAFE_CORE_RESTORE_PROOF_ORDER_H

#include "core/backup/store.h"

/* From the file of the backup, whose own sum has been found good.  ERR_DAMAGED: `like` has other
 * columns, a row has other fields. */
MUST_CHECK bool proof_content_as(const struct stored *backup, const struct manifest_table *t,
                                 const struct manifest_table *like, uint64_t *content,
                                 struct err *e);

#endif
