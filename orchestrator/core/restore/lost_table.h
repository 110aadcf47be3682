/*
 * lost_table.h - the parts of lost_rows among themselves: one table in the backup, in kept, in
 * live.
 *
 * lost_plan pairs them, lost_compare finds the differences (a temporary table of the
 * kept database), lost_sql writes the statements.
 *
 * Texts are compared, not values: a data file holds what the types' output functions wrote,
 * and the session that reads kept has the settings of the one that wrote it.
 */
#ifndef MIGSAFE_CORE_RESTORE_LOST_TABLE_H
#define MIGSAFE_CORE_RESTORE_LOST_TABLE_H

#include "core/restore/lost_rows.h"

struct lost_column {
    const char *name;                /* in live; of the backup's data file, in its order */
    const char *kept;                /* in kept; NULL: it lacks it, or has it with another type */
    const char *type;                /* in live */
    const char *bare;                /* the type of a domain; NULL: no domain */
    const char *operator;            /* of the primary key's index; NULL: not in it */
    int key;                         /* place in the primary key, from 1; 0: not in it */
    bool required, identity, always; /* always: an identity that no UPDATE may set */
};

/* A foreign key of live, or a unique one: columns in pairs. */
struct lost_pair {
    const char *child, *parent, *operator; /* of a unique key only child */
};
struct lost_link {
    const char *child_oid, *parent_oid;
    const char *child, *parent; /* quoted */
    struct lost_pair *pairs;
    size_t count;
    bool of_parts;
    bool acts; /* on rows that refer to a deleted one */
};

struct lost_table {
    const struct manifest_table *was;
    const char *live_oid, *kept_oid;
    const char *kept; /* quoted */
    struct lost_column *columns;
    size_t count, keys;
    bool of_migration;       /* it may have written to it */
    bool no_inserts;         /* a column that live needs is not known in kept */
    struct strlist triggers; /* that fire */
    int number;              /* of its temporary table */
    const char *note;
    int64_t found[2][3]; /* by part (others, migration), then inserts, updates, deletes */
};

struct lost_plan {
    struct lost_table **tables; /* referenced ones before those that refer to them */
    size_t count;
    struct lost_link *links, *uniques;
    size_t link_count, unique_count;
    struct strlist notes; /* of tables that cannot be compared */
};

enum { LOST_OTHERS, LOST_MIGRATION };
enum { LOST_INSERT, LOST_UPDATE, LOST_DELETE };

MUST_CHECK bool lost_plan(struct arena *a, const struct lost_rows_spec *spec, struct pg *kept,
                          struct pg *live, struct lost_plan *plan, struct err *e);
/* Fills t->found and the temporary table of that name, columns op, part, (then, now,) o1.., n1.. */
MUST_CHECK bool lost_compare(struct arena *a, const struct lost_rows_spec *spec, struct pg *kept,
                             struct lost_table *t, struct err *e);
/* What lost_compare made: with a primary key o and n of every column but those unknown in kept,
 * without one only n. */
bool lost_has(const struct lost_table *t, size_t column, char side);
#define LOST_FOUND "pg_temp.migsafe_found"

char *lost_temp(struct arena *a, const struct lost_table *t) RETURNS_NONNULL;
char *lost_sql_temp(struct arena *a, const struct lost_table *t) RETURNS_NONNULL; /* CREATE .. */
char *lost_sql_state(struct arena *a, const struct lost_table *t, int part) RETURNS_NONNULL;
/* NULL: nothing to do. */
char *lost_sql_delete(struct arena *a, const struct lost_plan *p, const struct lost_table *t,
                      int part);
char *lost_sql_update(struct arena *a, const struct lost_plan *p, const struct lost_table *t,
                      int part);
char *lost_sql_insert(struct arena *a, const struct lost_plan *p, const struct lost_table *t,
                      int part);
/* Quoted, on one line whatever is in it. */
char *lost_ident(struct arena *a, const char *name) RETURNS_NONNULL;
char *lost_ident2(struct arena *a, const char *schema, const char *name) RETURNS_NONNULL;
char *lost_literal(struct arena *a, const char *text) RETURNS_NONNULL;
/* A text for a comment or a literal of one line. */
char *lost_line(struct arena *a, const char *text) RETURNS_NONNULL;

#endif
