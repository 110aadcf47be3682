/*
 * tally.h - what a table's rows come to, counted while they pass by as COPY text.
 */
#ifndef MIGSAFE_CORE_BACKUP_TALLY_H
#define MIGSAFE_CORE_BACKUP_TALLY_H

#include "base/base.h"

enum { TALLY_COLUMNS = 1600 }; /* no table of PostgreSQL has more */

struct tally {
    int64_t rows, text_bytes;
    uint64_t content;             /* the sum of XXH3-64 of each row's text with its line end */
    int64_t nulls[TALLY_COLUMNS]; /* by the position in the text */
};

/* has_nulls: the table has columns that may be NULL; else they are not looked for. */
void tally_row(struct tally *t, const char *row, size_t n, bool has_nulls);

#endif
