/*
 * text_count.h - COPY text counted as it comes: rows, NULLs of each column, content.
 *
 * Pieces may end anywhere, also within a row: nothing of the text is kept.  A line of
 * \. is the end mark; only line ends may follow it.
 */
#ifndef MIGSAFE_CORE_BACKUP_TEXT_COUNT_H
#define MIGSAFE_CORE_BACKUP_TEXT_COUNT_H

#include "base/err.h"
#include "ext/hash.h"

struct text_count {
    size_t columns; /* fields that each row is to have */
    bool any_width; /* rows may have more or fewer: NULLs are not known then */
    /* What came of it: */
    int64_t rows, bytes; /* without the end mark */
    int64_t *nulls;      /* of each column */
    uint64_t content;    /* the sum of the hashes of the rows with their line ends */
    bool odd_width;      /* any_width: a row had more or fewer */
    bool ended;          /* the end mark has come */
    /* The row that is being read: */
    struct hash *hash; /* of what came of it in earlier pieces */
    bool within;
    size_t field;
    int64_t field_bytes, row_bytes;
    char head[2]; /* how the field begins */
};

struct text_count text_count_on(struct arena *a, size_t columns);
/* ERR_DAMAGED: a row of another width, something behind the end mark. */
MUST_CHECK bool text_count_add(struct text_count *c, const char *text, size_t n, struct err *e);
/* ERR_DAMAGED: it ends within a row. */
MUST_CHECK bool text_count_end(const struct text_count *c, struct err *e);

#endif
