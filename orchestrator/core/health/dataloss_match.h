/*
 * dataloss_match.h - the pure inside of dataloss: which table and column of now
 * is which of before, what to count for it, and what the counts mean.
 *
 * dataloss_match pairs and says what to measure, the measures are filled in
 * (dataloss.c), dataloss_judge makes the findings.
 *
 * How a renamed column is told from a lost one.  By the migrations' own words, where they are seen;
 * else by its place.  An ALTER TABLE ... RENAME keeps
 * the column's place, an ADD COLUMN gets the last one, a DROP COLUMN leaves a hole:
 *   - a new column between two that were neighbours of the lost one is that one;
 *   - at the end of a table, where holes leave it open, the values decide: a new
 *     column of the same type that holds as many counts as the lost one.  Values
 *     that only are the DEFAULT of the ADD COLUMN do not count, nor does a column
 *     that computes its own;
 *   - a column of the same name after one that it stood before was dropped and
 *     added again.
 */
#ifndef MIGSAFE_CORE_HEALTH_DATALOSS_MATCH_H
#define MIGSAFE_CORE_HEALTH_DATALOSS_MATCH_H

#include "core/health/dataloss.h"

enum live_want {
    WANT_NOTHING,
    WANT_ANY,    /* is there one that is not NULL?  0 or more */
    WANT_VALUES, /* how many are neither NULL nor the missing value? */
};

struct live_column {
    const char *name, *type;
    int place; /* attnum */
    bool dropped;
    bool nullable;
    bool computed;       /* by a volatile DEFAULT or GENERATED: filled by itself, row by row */
    const char *missing; /* what rows from before its ADD COLUMN have; NULL: none */
    enum live_want want;
    bool sparse; /* few values are expected: count, do not look for the first */
    int64_t values;
    bool added; /* not there before, and no renamed one */
    bool taken; /* it holds the values of a lost column */
};

struct live_table {
    const char *schema, *name;
    bool partitioned;
    struct live_column *columns; /* by place, with the dropped ones */
    size_t column_count;
    bool is_new; /* not in the manifest */
    bool wanted; /* count its rows */
    int64_t expected_rows, rows;
    bool taken; /* it is a table of before under a new name */
    bool touched;
};

/* What is done to the rows of one is done to the other's: a partition by its parent, a child by a
 * foreign key with CASCADE or SET NULL. */
struct live_edge {
    struct live_table *from, *to;
};

struct live_catalog {
    struct live_table *tables; /* by schema, then name, in byte order */
    size_t count;
    struct live_edge *edges;
    size_t edge_count;
};

struct column_match {
    const struct manifest_column *was;
    struct live_column *is; /* NULL: lost, or dropped and added again */
    bool renamed;           /* by the migrations' own words */
    bool recreated;
};

struct table_match {
    const struct manifest_table *was;
    struct live_table *is;        /* NULL: gone, or renamed */
    struct column_match *columns; /* as many as was has; NULL without is */
    bool renamed;                 /* by the migrations' own words */
    bool blamed;                  /* the migration touches it, or a fence kept others out */
};

struct dataloss_matches {
    struct table_match *items;
    size_t count;
};

/* NULL: there is none. */
struct live_table *live_table_find(const struct live_catalog *now, const char *schema,
                                   const char *name);
struct dataloss_matches dataloss_match(struct arena *a, const struct dataloss_context *c,
                                       struct live_catalog *now);
/* Has it every column of the gone table?  Then it may be that one, under a new name. */
bool live_table_fits(struct live_table *t, const struct manifest_table *was);
void dataloss_judge(struct arena *a, const struct dataloss_matches *matches,
                    struct live_catalog *now, struct findings *found);

#endif
