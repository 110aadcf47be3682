/*
 * data_live.h - the live catalog, as far as a restore of data goes by it.
 *
 * A handful of queries whatever the number of tables.  What is of extensions, of the
 * system or temporary is left out.  A plain value: tests build one without a server.
 */
#ifndef MIGSAFE_CORE_RESTORE_DATA_LIVE_H
#define MIGSAFE_CORE_RESTORE_DATA_LIVE_H

#include "core/backup/manifest.h"
#include "ext/pg.h"

struct live_enum {
    const char *oid;
    const char *const *labels;
    size_t label_count;
};

struct live_column {
    const char *name;
    const char *type, *base; /* as format_type writes it; base: without modifier ("bpchar") */
    char category;           /* pg_type.typcategory */
    bool not_null, generated;
    char identity;                  /* 'a' always, 'd' by default, '\0' none */
    const char *expression;         /* of its default; NULL: none */
    const struct live_enum *labels; /* NULL: no enum */
    const char *fields;             /* of a composite type, as the manifest has them; or NULL */
};

/* A unique key that ON CONFLICT can go by. */
struct live_key {
    bool primary;
    const char **columns;
    size_t column_count;
};

struct live_trigger {
    const char *name;
    char enabled; /* 'O', 'A', 'R' */
    bool copy;    /* a partition's, of its parent's */
};

/* One that can be dropped and made again with nothing lost: sql/data_indexes.sql. */
struct live_index {
    struct live_table *table;
    const char *oid, *schema, *name, *definition;
    const char *constraint; /* of a primary or unique key: its definition; else NULL */
    const char *tablespace; /* NULL: the database's */
    const char *comment, *constraint_comment; /* or NULL */
};

struct live_table {
    const char *oid, *schema, *name;
    char kind;    /* 'r' table, 'p' partitioned; 'v', 'm', 'f': only in the way of a name */
    bool secured; /* row security applies to our role */
    bool owned, insertable;
    bool undeletable;        /* a publication of deletes has it, and it no replica identity */
    struct live_table *root; /* of a partition: the table that rows go through; else NULL */
    struct live_column *columns;
    size_t column_count;
    struct live_key *keys; /* the primary one first */
    size_t key_count;
    struct live_trigger *triggers;
    size_t trigger_count;
    int64_t indexes;
    struct live_index *remakable;
    size_t remakable_count;
    int64_t rows; /* -1: not counted */
};

struct live_foreign_key {
    const char *name, *definition, *comment;
    struct live_table *child, *parent;
    const char *index; /* oid of the parent's that it leans on */
    bool validated;
};

struct live_sequence {
    const char *schema, *name;
    bool descending;
    int64_t least, most;
    struct live_table *table; /* that it belongs to, or NULL */
    const char *column;
};

struct live_type { /* one that the backup names and the database has */
    const char *name, *base;
    char category;
    bool is_enum;
};

struct live_cast {
    const char *source, *target;
};

struct live {
    const char *database, *oid, *role, *zone, *encoding;
    int64_t locks;             /* that the server has room for */
    struct live_table *tables; /* by schema and name, as bytes */
    size_t table_count;
    struct live_foreign_key *foreign_keys;
    size_t foreign_key_count;
    struct live_sequence *sequences;
    size_t sequence_count;
    struct live_type *types;
    size_t type_count;
    struct live_cast *casts;
    size_t cast_count;
};

/* m: whose types are looked up.  ERR_QUERY, ERR_CONNECT, ERR_CANCELLED. */
MUST_CHECK bool live_read(struct arena *a, struct pg *db, const struct manifest *m,
                          struct live *live, struct err *e);
/* Counts the rows of these tables, many in one query (of a partition: its own). */
MUST_CHECK bool live_count(struct arena *a, struct pg *db, struct live_table *const *tables,
                           size_t count, struct err *e);

/* Backups of before the own engine (without `compression`) do not say which columns were generated,
 * and have no values of them: taken to be those that are now. */
void live_mark_generated(const struct live *live, struct manifest *m);

struct live_table *live_find(const struct live *live, const char *schema, const char *name);
struct live_column *live_column_find(const struct live_table *t, const char *name);
bool live_has_label(const struct live_enum *labels, const char *label);

#endif
