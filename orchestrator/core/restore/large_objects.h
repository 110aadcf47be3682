/*
 * large_objects.h - contents of large objects, from the files that a directory archive has of them
 * (blobs.toc, or blobs_<id>.toc from PostgreSQL 17 on).
 */
#ifndef MIGSAFE_CORE_RESTORE_LARGE_OBJECTS_H
#define MIGSAFE_CORE_RESTORE_LARGE_OBJECTS_H

#include "core/restore/rows.h"

/* The objects are there already, empty; one that is not is made.  In parallel, as rows_load.
 * ERR_DAMAGED (a file; another number of objects than the manifest's), ERR_QUERY. */
MUST_CHECK bool large_objects_load(struct arena *a, const struct rows_spec *spec, struct err *e);
MUST_CHECK bool large_objects_load_within(struct arena *a, struct pg *db,
                                          const struct rows_spec *spec, struct err *e);

#endif
