/*
 * gate_rules.h - the rules of gate_sql.h, and what its parts have found so far.
 *
 * Findings are kept with the place of their statement until all are there, and
 * then told in the order of the files.
 */
#ifndef MIGSAFE_CORE_GATE_RULES_H
#define MIGSAFE_CORE_GATE_RULES_H

#include "core/health/finding.h"

enum gate_rule {
    GATE_DROP_TABLE,
    GATE_DROP_COLUMN,
    GATE_RENAMED_COLUMN,
    GATE_ROWS_LOST,
    GATE_GLOBAL_EFFECT,
    GATE_CONCURRENTLY,
    GATE_DOES_NOT_PARSE,
};

struct gate_place {
    size_t file; /* of the pending ones, from 0 */
    size_t line; /* of the statement, from 1 */
};

struct gate_said {
    struct gate_place at;
    enum gate_rule rule;
    enum finding_level level;
    const char *target, *message;
};

struct gate_sayings {
    struct arena *arena;
    struct gate_said *items;
    size_t count, size;
};

void gate_say(struct gate_sayings *s, struct gate_said said);
const char *gate_rule_name(enum gate_rule rule);
const char *gate_rule_advice(struct arena *a, enum gate_rule rule, const char *target);

#endif
