/*
 * merge.h - the data of a dump entered into the archive that pg_dump made of the schema, so
 * that stock pg_restore restores all of it.
 */
#ifndef MIGSAFE_CORE_BACKUP_MERGE_H
#define MIGSAFE_CORE_BACKUP_MERGE_H

#include "core/backup/compression.h"
#include "core/backup/plan.h"
#include "core/schema/database.h"

struct merge_spec {
    const char *folder;       /* of the archive and the data files */
    const char *large_folder; /* an archive of large objects by pg_dump; or NULL */
    struct compression how;
    const struct plan *plan;
    const struct database_facts *as; /* the database it is of; NULL: the one that was dumped */
};

/* Renames the data files to the names that the archive gives them, moves what is in large_folder
 * beside them, and fills m->tool_version.  An archive that cannot be added to is left as it is:
 * m->not_stock says why.  ERR_CHILD: pg_dump left a table out; ERR_SYSTEM. */
MUST_CHECK bool merge_archive(struct arena *a, const struct merge_spec *spec, struct manifest *m,
                              struct err *e);

/* The list of large objects as it stands beside their files in archives up to 1.15.  Does nothing
 * when there are none. */
MUST_CHECK bool merge_list_large(struct arena *a, const char *folder, const struct plan *p,
                                 struct err *e);

#endif
