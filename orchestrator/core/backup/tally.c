#include "core/backup/tally.h"

#include "ext/hash.h"

/* Most rows have no backslash at all.  A NULL is the field \N alone: the letters \N within a value
 * are \\N, so whatever follows a backslash is passed over with it. */
static void count_nulls(struct tally *t, const char *row, size_t n)
{
    const char *end = row + n, *field = row; /* the field that is known to start there */
    size_t column = 0;
    for (const char *p = memchr(row, '\\', n); p != NULL && p + 1 < end;) {
        bool starts = p == row || p[-1] == '\t';
        if (starts && p[1] == 'N' && (p + 2 == end || p[2] == '\t' || p[2] == '\n')) {
            for (; field < p; field++)
                column += *field == '\t';
            t->nulls[column < TALLY_COLUMNS ? column : 0]++;
        }
        p += 2;
        p = p < end ? memchr(p, '\\', (size_t)(end - p)) : NULL;
    }
}

void tally_row(struct tally *t, const char *row, size_t n, bool has_nulls)
{
    t->rows++;
    t->text_bytes += (int64_t)n;
    t->content += hash_of(row, n);
    if (has_nulls)
        count_nulls(t, row, n);
}
