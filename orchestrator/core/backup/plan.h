/*
 * plan.h - what a dump copies, and in which pieces: what pg_dump would dump.
 *
 * Ordinary tables and partitions (never partitioned tables themselves), unlogged ones too
 * but on a standby, configuration tables of extensions with their condition, no foreign
 * and no temporary tables.  Tables above split_size are split by ranges of pages (ctid) so
 * that several workers copy one; the pieces are ordered largest first.
 *
 * Names come twice: UTF-8 for the manifest and for people, the encoding of the database for
 * statements and for the archive.
 */
#ifndef MIGSAFE_CORE_BACKUP_PLAN_H
#define MIGSAFE_CORE_BACKUP_PLAN_H

#include "core/backup/datafile.h"
#include "core/backup/freeze.h"
#include "core/backup/manifest.h"

/* In the encoding of the database; quoted as pg_dump does. */
struct plan_name {
    const char *oid, *schema, *name, *owner, *quoted;
};

struct plan_table {
    struct plan_name in;
    const char *columns;          /* "a, b" without generated ones; NULL: none */
    const char *copy;             /* what is copied of it: "t (a, b)", "(SELECT ...)" */
    const char *root;             /* quoted: load through it; or NULL */
    const char *condition;        /* "WHERE ..."; or NULL */
    const char *refers_to;        /* oids of tables, of one of an extension; or NULL */
    int64_t data_id;              /* of its entry in the archive, when it has one */
    const char *generated_counts; /* "count(c)" of generated columns that may be NULL; or NULL */
    bool of_extension;
    bool has_nulls; /* a column in the data file may be NULL */
    bool is_heap;
    bool is_empty; /* nothing is asked of it */
    int64_t heap_bytes, toast_bytes;
    const char *label;         /* for people */
    struct manifest_table *to; /* filled by the copy */
    int64_t *nulls;            /* by column of the data file; under the lock of the file, */
    uint64_t content;          /* these too */
    int parts_left;
    struct datafile file;
};

struct plan_sequence {
    struct plan_name in;
    bool of_extension;
    struct manifest_sequence *to;
};

enum plan_work { PLAN_ROWS, PLAN_SEQUENCES, PLAN_LARGE };

struct plan_item {
    enum plan_work work;
    size_t from, to;              /* ROWS: `from` is the table; others: these, `to` not included */
    int64_t first_page, end_page; /* of a part; end_page -1: all that follow */
    bool whole;
    int64_t weight; /* bytes, about */
};

struct plan_large {
    uint32_t oid;
    struct datafile file;
};

struct plan {
    struct plan_table *tables;
    size_t count;
    struct plan_sequence *sequences;
    size_t sequence_count;
    struct plan_large *large;
    size_t large_count;
    struct plan_item *items; /* largest first */
    size_t item_count;
    int64_t weight; /* of all items */
};

struct plan_spec {
    const struct frozen *frozen;
    int jobs;
    int64_t split_size;
    bool copy_large;             /* or only count them */
    bool can_split;              /* the server reads ranges of ctid: PostgreSQL 14 and later */
    const char *folder, *suffix; /* of data files */
};

/* db: the frozen session.  Fills m->tables, m->configuration_tables and m->sequences but for what
 * the copy finds out, and m->large_objects. */
MUST_CHECK bool plan_make(struct arena *a, struct pg *db, const struct plan_spec *spec,
                          struct manifest *m, struct plan *p, struct err *e);
/* Closes files. */
void plan_release(struct plan *p);

#endif
