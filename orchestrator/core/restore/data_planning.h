/*
 * data_planning.h - the parts of data_plan among themselves.
 */
#ifndef MIGSAFE_CORE_RESTORE_DATA_PLANNING_H
#define MIGSAFE_CORE_RESTORE_DATA_PLANNING_H

#include "core/restore/data_plan.h"

/* A wish with its names found. */
struct wish_table {
    const struct manifest_table *from;
    struct live_table *to;
};
struct wish_column {
    const struct manifest_table *table;
    const struct manifest_column *from;
    const char *to; /* a column of the live table that `table` goes to */
};
struct wish_default {
    const struct live_table *table;
    const struct live_column *column;
    const char *expression;
    bool used;
};

/* From here on checking a foreign key once, for all rows, beats checking it row by row; and so does
 * making an index of them. */
enum { DATA_MANY_ROWS = 20000 };

struct planning {
    struct arena *arena;
    struct data_plan *plan;
    const struct data_scans *scans;
    const struct data_trials *trials;
    struct wish_table *table_maps;
    struct wish_column *column_maps;
    struct wish_default *defaults;
    size_t table_map_count, column_map_count, default_count;
    size_t blocker_size;
};

void data_block(struct planning *p, const struct data_table *t, const char *message,
                const char *hint);
/* "schema.name" as people and --map write it. */
char *data_name(struct arena *a, const char *schema, const char *name) RETURNS_NONNULL;

/* data_plan_names.c */
MUST_CHECK bool data_plan_read_wishes(struct planning *p, struct err *e);
/* data_plan_columns.c */
void data_plan_columns(struct planning *p, struct data_table *t);
/* data_plan_order.c: the order of loading, foreign keys taken off, triggers off, sequences */
void data_plan_order(struct planning *p);
/* data_plan_indexes.c: which are made again; refilled: by live table, begins empty and gets many
 * rows
 */
void data_plan_indexes(struct planning *p, const bool *refilled);
/* data_plan_suggest.c */
void data_plan_suggest(struct planning *p);

#endif
