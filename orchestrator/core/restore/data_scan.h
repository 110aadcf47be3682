/*
 * data_scan.h - reads data files for values that an enum of the live database lacks.
 */
#ifndef MIGSAFE_CORE_RESTORE_DATA_SCAN_H
#define MIGSAFE_CORE_RESTORE_DATA_SCAN_H

#include "core/restore/data_plan.h"

/* What a plan wanted to know, filled in: each file is read once.  Values that are not ASCII are
 * only compared where the file and we (UTF-8) write them alike.  ERR_DAMAGED, ERR_CANCELLED. */
MUST_CHECK bool data_scan(struct arena *a, const char *folder, const struct manifest *m,
                          struct data_scans *scans, struct err *e);

#endif
