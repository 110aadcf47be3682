/*
 * gate_walk.h - the pure inside of gate_sql: pending scripts to what they would lose, without a
 * server.
 *
 * Every script is walked statement by statement.  What could lose values becomes a
 * struct gate_loss, which is counted (gate_count.h) and judged (gate_judge.h)
 * afterwards; what needs no counting is said at once.
 *
 * What is inside DO blocks, functions and strings that are executed is not seen.
 */
#ifndef MIGSAFE_CORE_GATE_WALK_H
#define MIGSAFE_CORE_GATE_WALK_H

#include "core/gate/gate_names.h"
#include "core/gate/gate_rules.h"
#include "core/gate/gate_sql.h"
#include "ext/sql.h"

enum gate_reach {
    GATE_OF_TABLE,     /* table and column */
    GATE_OF_SCHEMA,    /* DROP SCHEMA name CASCADE */
    GATE_OF_TYPE,      /* DROP TYPE or DOMAIN schema.name CASCADE: columns of it */
    GATE_OF_COLLATION, /* and of these */
    GATE_OF_EXTENSION, /* name */
    GATE_OF_ROLE,      /* DROP OWNED BY name; NULL: the one that migrates */
};

/* Whose rows go with those of the table. */
enum gate_along {
    GATE_ALONE,
    GATE_PARTITIONS,
    GATE_HEIRS,    /* and partitions */
    GATE_TRUNCATE, /* and all that refers to it: TRUNCATE ... CASCADE */
    GATE_DELETE,   /* and what refers to it ON DELETE CASCADE */
};

struct gate_loss {
    enum gate_rule rule; /* drop-table, drop-column or rows-lost */
    enum gate_reach reach;
    enum gate_along along;
    struct gate_place at;
    const char *how;    /* "TRUNCATE", "DELETE without WHERE" */
    const char *schema; /* names of today; NULL: one of path, or any where that is NULL, too */
    const struct strlist *path;
    const char *name, *column;
    bool maybe_made;                   /* nothing is known to be there today */
    struct gate_table *table;          /* as it is after the walk; NULL: none */
    const struct gate_column *is;      /* its column */
    const struct gate_column *carried; /* to this one an UPDATE wrote the values */
    struct strlist except;             /* "schema.table", "schema.table.column": not lost */
    bool returned;                     /* rows: put back from a copy afterwards */
    bool moved;                        /* of a type: columns were given another one before */
};

struct gate_walk {
    struct arena *arena;
    struct gate_names names;
    struct strlist default_path;
    const char *own_database; /* NULL: unknown */
    enum gate_sending sending;
    struct gate_place at;
    bool in_block;     /* between BEGIN and COMMIT */
    bool path_of_file; /* SET LOCAL search_path: ends with the file */
    bool history;      /* earlier migrations: nothing is lost or said */
    size_t statements; /* of this file */
    struct gate_loss *losses;
    size_t loss_count, loss_size;
    struct gate_sayings said;
    struct gate_lonely { /* statements of this file that allow no transaction */
        struct gate_place at;
        const char *words, *target;
        bool in_block;
        bool is_index; /* CREATE INDEX: Prisma is known to take such a file apart */
    } * lonely;
    size_t lonely_count, lonely_size;
};

/* own_database: NULL where there is none. */
struct gate_walk gate_walk_new(struct arena *a, const struct gate_sql_context *c,
                               const char *own_database);
/* All pending scripts in their order.  Those that do not parse are said and passed over;
 * server_version as in pg_server_version, 0: unknown. */
void gate_walk_all(struct gate_walk *w, const struct gate_sql_context *c, int server_version);

/* The parts, one statement each.  They look at what they know and pass over all else. */
void gate_look_losses(struct gate_walk *w, const struct sql_statement *s);
/* After gate_look_losses. */
void gate_look_copies(struct gate_walk *w, const struct sql_statement *s);
void gate_look_effects(struct gate_walk *w, const struct sql_statement *s);
void gate_look_alone(struct gate_walk *w, const struct sql_statement *s);
/* At the end of a file, when its statements are counted. */
void gate_say_alone(struct gate_walk *w);

#endif
