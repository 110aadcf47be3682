/*
 * data_plan.h - how the data of a backup fits into a database whose schema may have changed.
 *
 * A pure function of the manifest, the live catalog, what the user wants, and what was
 * read in the data files: no server, no files.  What cannot be done is no error but a
 * blocker of the plan, with what to do about it; all of them at once, for people read
 * this in a bad hour.
 *
 * The first plan says what else must be known (rows of live tables, values of enum
 * columns); the second one which tables are staged (their values are tried, data_trial.h);
 * with all that in its inputs the third one is complete.
 */
#ifndef MIGSAFE_CORE_RESTORE_DATA_PLAN_H
#define MIGSAFE_CORE_RESTORE_DATA_PLAN_H

#include "base/str.h"
#include "core/restore/data_live.h"

enum data_mode { DATA_EMPTY, DATA_REPLACE, DATA_SKIP, DATA_UPDATE };

struct data_wishes {
    enum data_mode mode;
    bool accept_loss, triggers; /* triggers: let the users' own fire */
    bool side;                  /* carried out in a copy: by several sessions, in any order */
    struct strlist maps;        /* "old=new", tables and columns */
    struct strlist defaults;    /* "table.column=expression" */
};

/* A column of a data file, to be looked through for values that an enum lacks. */
struct data_scan {
    const struct manifest_table *table;
    size_t column; /* of table->columns */
    const struct live_enum *labels;
    int64_t strange;    /* values that are no label */
    const char *values; /* the first of them: "OLD (12), older (1)" */
};

struct data_scans {
    struct data_scan *items;
    size_t count;
};

/* What came of computing the values of one column of a staged table, and what they go into. */
struct data_trial {
    const struct manifest_table *table;
    const char *column; /* of the live table */
    const char
        *refused;    /* why they cannot go there: the row, the value, the server's words; or NULL */
    int64_t changed; /* values that would not be the same any more */
    const char *example; /* one of them: "1.25 -> 1.3" */
};

struct data_trials {
    struct data_trial *items;
    size_t count;
};

enum data_fate {
    DATA_SAME,
    DATA_RETYPED,     /* another type that takes the text as it is */
    DATA_CAST,        /* another type: through a staging table */
    DATA_LABELS_GONE, /* an enum that lacks values of the backup */
    DATA_NULLS,       /* may not be NULL any more, and has NULLs in the backup */
    DATA_GONE,        /* not in the database any more */
    DATA_COMPUTED,    /* generated now: the backup's values are not needed */
    DATA_NEW_DEFAULT, /* the others are not in the backup */
    DATA_NEW_NULL,
    DATA_NEW_IDENTITY,
    DATA_NEW_GENERATED,
    DATA_NEW_FILLED,   /* by --default */
    DATA_NEW_REQUIRED, /* a blocker */
};

struct data_column {
    const struct manifest_column *from; /* NULL: new */
    const struct live_column *to;       /* NULL: gone */
    enum data_fate fate;
    bool renamed;
    int field;           /* place in the data file, from 0; -1: not in it */
    int64_t lost;        /* values of the backup that will be nowhere */
    int64_t nulls;       /* DATA_NULLS: how many */
    int64_t changed;     /* DATA_CAST: values that the cast changes; they count as lost */
    const char *example; /* one of them */
    bool replaced;       /* DATA_CAST: `filler` is computed for every row instead of the cast */
    const char *values;  /* DATA_LABELS_GONE: which */
    const char *filler;  /* SQL in place of what is not there; NULL: none */
    const char *staging; /* type in the staging table */
    const char *cast;    /* SQL of the cast with %s for the value; NULL: none needed */
    /* Where casting back tells whether a value changed, else NULL: to the new type with its length,
     * and from there to the old one. */
    const char *there, *back;
};

struct data_table {
    const struct manifest_table *from;
    struct live_table *to;   /* NULL: gone */
    struct live_table *into; /* that rows go through: the root of a partition, else `to` */
    bool renamed;
    bool again;                  /* `to` has an earlier source: nothing to delete any more */
    const char *staged;          /* why it goes through a staging table; NULL: it does not */
    struct data_column *columns; /* of the file in its order, then the new ones */
    size_t column_count;
    int64_t deleted; /* rows of live */
    bool truncated;  /* by TRUNCATE: many rows, so that their indexes need not be gone through, or
                      * DELETE is refused */
    int64_t lost;    /* values in it; rows when it is gone */
    bool ledger;     /* Prisma's own: never touched */
};

struct data_blocker {
    const char *table, *message, *hint; /* table: "schema.name", or NULL */
};

struct data_plan {
    const struct manifest *manifest;
    const struct live *live;
    const struct data_wishes *wishes;
    struct data_table *tables; /* of the backup, in the order of loading; those not loaded last */
    size_t table_count, loaded;
    const struct live_table **untouched; /* in live only */
    size_t untouched_count;
    const struct live_foreign_key **taken_off; /* and added again after the load */
    size_t taken_off_count;
    const struct live_index **remade; /* dropped before the load, made again after it */
    size_t remade_count;
    struct live_table **quiet; /* whose triggers are off meanwhile */
    size_t quiet_count;
    const struct live_sequence **sequences; /* to be set behind what is loaded */
    size_t sequence_count;
    struct data_blocker *blockers;
    size_t blocker_count;
    struct strlist suggestions; /* whole options: --map 'a=b' */
    struct strlist notes;       /* whole sentences */
    struct data_scans wanted;   /* not known yet: to be read, then planned again */
    int64_t rows, deleted, lost_rows, lost_values;
};

/* What a plan is made of. */
struct data_inputs {
    const struct manifest *manifest;
    const struct live *live;
    const struct data_wishes *wishes;
    const struct data_scans *scans;   /* what was read of what an earlier plan wanted; or NULL */
    const struct data_trials *trials; /* of the staged tables of an earlier plan; or NULL */
};

/* ERR_USAGE: a wish that names nothing. */
MUST_CHECK bool data_plan_make(struct arena *a, const struct data_inputs *from,
                               struct data_plan *plan, struct err *e);

/* Nothing is in the way: ERR_PREFLIGHT (a blocker; the first in the message), ERR_UNSAFE (values
 * would be lost, and that was not accepted). */
MUST_CHECK bool data_plan_check(struct arena *a, const struct data_plan *plan, struct err *e);
/* What it would do but for numbers: two plans with the same one do the same. */
char *data_plan_digest(struct arena *a, const struct data_plan *plan) RETURNS_NONNULL;
/* Of it, where rows go and what becomes of their values, whatever is in the tables now. */
char *data_plan_mapping(struct arena *a, const struct data_plan *plan) RETURNS_NONNULL;

/* The live tables that rows are deleted from or merged with: whose rows must be counted. */
struct live_table **data_plan_targets(struct arena *a, const struct data_plan *plan, size_t *count)
    RETURNS_NONNULL;

/* There is something to do: rows in the backup, or in the table. */
bool data_is_busy(const struct data_table *t);
bool data_fate_is_new(enum data_fate fate);
/* Its values are computed by SQL over the staging table, which may fail. */
bool data_is_computed(const struct data_column *c);
const char *data_fate_name(enum data_fate fate); /* "same", "retyped", ... */

#endif
