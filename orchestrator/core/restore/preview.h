/*
 * preview.h - what a restore would change: rows of every table now and in the backup, tables and
 * columns that would be gone.
 */
#ifndef MIGSAFE_CORE_RESTORE_PREVIEW_H
#define MIGSAFE_CORE_RESTORE_PREVIEW_H

#include "core/backup/manifest.h"
#include "ext/pg.h"

struct preview_table {
    const char *schema, *name;
    int64_t rows_now;  /* -1: no such table in live */
    int64_t rows_then; /* -1: none in the backup */
};

/* All tables of both.  ERR_QUERY (a table that this role may not read), ERR_CANCELLED. */
MUST_CHECK bool restore_preview(struct arena *a, struct pg *live, const struct manifest *m,
                                struct preview_table **items, size_t *count, struct err *e);
/* What live has in tables of the backup and the backup lacks: "column public.t.extra", and tables:
 * "table public.fresh". */
MUST_CHECK bool restore_preview_gone(struct arena *a, struct pg *live, const struct manifest *m,
                                     struct strlist *gone, struct err *e);

#endif
