/*
 * gate_judge.h - losses, counted or not, to findings.  Pure.
 */
#ifndef MIGSAFE_CORE_GATE_JUDGE_H
#define MIGSAFE_CORE_GATE_JUDGE_H

#include "core/gate/gate_walk.h"

enum gate_count_kind {
    GATE_COUNTED,
    GATE_ESTIMATED,
    GATE_UNKNOWN, /* some; or, without a database, perhaps none */
};

/* One table that loses its rows, or one column its values. */
struct gate_victim {
    const struct gate_loss *loss;
    enum gate_rule rule;                 /* drop-table, drop-column or rows-lost */
    const char *schema, *table, *column; /* as they are called today */
    const char *type;                    /* of the column; NULL: unknown */
    bool named;                          /* by the statement; else it goes with the one named */
    bool holder;                         /* partitioned: its rows are those of its partitions */
    enum gate_count_kind kind;
    int64_t lost;
};

struct gate_victims {
    struct arena *arena;
    struct gate_victim *items;
    size_t count, size;
};

struct gate_judging {
    const struct gate_walk *walk;
    const char *default_schema;
    bool has_database, stand_in;
};

void gate_victims_add(struct gate_victims *v, struct gate_victim item);
/* Those of all losses when no database can say which they are. */
void gate_victims_unasked(const struct gate_walk *w, struct gate_victims *v);
void gate_judge(const struct gate_victims *v, const struct gate_judging *j,
                struct gate_sayings *said);

#endif
