/*
 * gate_names.h - which table, column or type of today a name of the pending SQL means.
 *
 * The pending set renames, moves, makes and drops before it loses: what a
 * statement names is followed back to the name that it has in the database now,
 * or to "made by the pending set itself", which nothing can be lost of.  Nothing
 * is asked: a name that the pending set did not mention before stands for itself.
 */
#ifndef MIGSAFE_CORE_GATE_NAMES_H
#define MIGSAFE_CORE_GATE_NAMES_H

#include "base/str.h"

struct gate_column {
    const char *name; /* at this point of the walk */
    const char *was;  /* today; NULL: added by the pending set */
    const char *type; /* as added or changed to (gate_type.h); NULL: as today */
    bool maybe_added; /* ADD COLUMN IF NOT EXISTS: it was there already, or not */
    bool retyped;
    bool gone;
    struct strlist filled_from; /* today's names of those whose values an UPDATE wrote into it */
    struct gate_column *next;
};

struct gate_table { /* or a type */
    const char *schema, *name;
    /* Today's.  was_name NULL: made by the pending set.  was_schema NULL: one of was_path, or any
     * where that is NULL, too. */
    const char *was_schema, *was_name;
    const struct strlist *was_path;
    bool maybe_made; /* CREATE ... IF NOT EXISTS: it was there already, or not */
    bool gone;
    struct gate_column *columns;
    const struct gate_table *copy_of; /* CREATE TABLE AS from it; NULL: none */
    struct gate_table *next;
};

struct gate_schema {
    const char *name, *was;
    struct gate_schema *next;
};

struct gate_names {
    struct arena *arena;
    /* search_path; NULL: unknown, any schema. */
    const struct strlist *path;
    struct gate_table *tables, *types;
    struct gate_schema *schemas; /* the renamed ones */
};

/* schema: NULL as written without.  NULL: nothing is there under that name at this point. */
struct gate_table *gate_table_find(struct gate_names *n, const char *schema, const char *name);
struct gate_table *gate_type_find(struct gate_names *n, const char *schema, const char *name);
/* CREATE.  maybe: IF NOT EXISTS. */
void gate_table_make(struct gate_names *n, const char *schema, const char *name, bool maybe);
void gate_type_make(struct gate_names *n, const char *schema, const char *name);
/* NULL: it is not there any more, or not under that name. */
struct gate_column *gate_column_find(struct gate_names *n, struct gate_table *t, const char *name);
/* Without making it known: NULL where the pending set did not name it yet. */
struct gate_column *gate_column_known(const struct gate_table *t, const char *name);
/* As it was called today, without making it known; NULL: none, or added by the pending set. */
const char *gate_column_today(const struct gate_table *t, const char *name);
/* Added, as far as is known, by the pending set? */
bool gate_column_is_added(const struct gate_column *c);
/* ADD COLUMN; maybe: IF NOT EXISTS. */
void gate_column_add(struct gate_names *n, struct gate_table *t, const char *name, const char *type,
                     bool maybe);
void gate_schema_rename(struct gate_names *n, const char *from, const char *to);
/* Everything in it is gone. */
void gate_schema_drop(struct gate_names *n, const char *schema);
/* The name that a schema has today. */
const char *gate_schema_today(const struct gate_names *n, const char *schema);
/* From now on the names are today's: all before was history. */
void gate_names_settle(struct gate_names *n);

#endif
