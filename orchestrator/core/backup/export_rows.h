/*
 * export_rows.h - what data files hold, as SQL: tables as COPY or INSERT, large objects.
 */
#ifndef MIGSAFE_CORE_BACKUP_EXPORT_ROWS_H
#define MIGSAFE_CORE_BACKUP_EXPORT_ROWS_H

#include "core/backup/store.h"
#include "ext/pack.h"

struct export_rows {
    const struct stored *backup;
    const char *file;     /* of the backup; NULL: no rows */
    const char *label;    /* "file \"x\" (table ...)" */
    const char *target;   /* "public.t (a, b)", as SQL */
    const char *encoding; /* of the rows, where the session's is another; or NULL */
    bool no_columns;
    bool inserts;
    bool overriding; /* INSERT ... OVERRIDING SYSTEM VALUE: for identity columns */
};
MUST_CHECK bool export_rows(struct arena *a, const struct export_rows *rows, struct pack *to,
                            struct err *e);

/* The contents, piece by piece; they must exist unless `create`. */
MUST_CHECK bool export_large_objects(struct arena *a, const struct stored *backup, bool create,
                                     struct pack *to, struct err *e);

MUST_CHECK bool export_text(struct pack *to, const char *text, struct err *e);

#endif
