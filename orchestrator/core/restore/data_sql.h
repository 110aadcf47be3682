/*
 * data_sql.h - the statements of a plan.
 */
#ifndef MIGSAFE_CORE_RESTORE_DATA_SQL_H
#define MIGSAFE_CORE_RESTORE_DATA_SQL_H

#include "core/restore/data_plan.h"

/* "schema"."name" */
char *data_sql_table(struct arena *a, const struct live_table *t) RETURNS_NONNULL;

/* All locks that the plan needs, strong enough from the start, in the order of the tables' names:
 * two restores, or a restore and a migration that goes by names, cannot wait for each other. */
char *data_sql_lock(struct arena *a, const struct data_plan *plan) RETURNS_NONNULL;

/* An array parameter: the oids of the tables that are locked. */
char *data_sql_locked(struct arena *a, const struct data_plan *plan) RETURNS_NONNULL;

/* "(a, b)": of the live table, for the fields that go into it as they are. */
char *data_sql_columns(struct arena *a, const struct data_table *t) RETURNS_NONNULL;

/*
 * The staging table has every field of the file under its name in the backup, in the old
 * type where that is still there, and a number for each row.
 */
char *data_sql_stage(struct arena *a, const struct data_table *t) RETURNS_NONNULL;
extern const char data_stage_name[]; /* with its schema */
char *data_sql_insert(struct arena *a, const struct data_plan *plan, const struct data_table *t)
    RETURNS_NONNULL;
/* What goes into the column, as SQL over the staging table "s". */
char *data_sql_value(struct arena *a, const struct data_column *c) RETURNS_NONNULL;
/* Computes the values of a column, of rows from..to (to 0: all), and says in the first column how
 * many are too long. */
char *data_sql_try(struct arena *a, const struct data_column *c, int64_t from, int64_t to)
    RETURNS_NONNULL;
/* How many values of a column the cast changes (changed), and one of them (example); or NULL. */
char *data_sql_changed(struct arena *a, const struct data_column *c);

#endif
