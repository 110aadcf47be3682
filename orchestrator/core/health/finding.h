/*
 * finding.h - something a check says about the database: data, not an error.
 */
#ifndef MIGSAFE_CORE_HEALTH_FINDING_H
#define MIGSAFE_CORE_HEALTH_FINDING_H

#include "base/str.h"
#include "ext/json.h"

enum finding_level { FINDING_WARNING, FINDING_ERROR };

struct finding {
    const char *rule; /* "invalid-index": stable, used in allow and JSON */
    enum finding_level level;
    const char *target;     /* "public.Order_total_idx", "public.User.email": what it is about */
    const char *message;    /* one line */
    const char *advice;     /* a sentence */
    bool allowed;           /* acknowledged: does not count */
    const char *allowed_by; /* "--allow", "migration 2026..._x"; NULL */
};

struct findings {
    struct arena *arena;
    struct finding *items;
    size_t count, size;
};

struct findings findings_on(struct arena *a);
struct finding *findings_add(struct findings *f, struct finding item);
bool findings_have(const struct findings *f, const char *rule, const char *target);
/* Those of now that the baseline lacks (by rule and target). */
struct findings findings_new(struct arena *a, const struct findings *now,
                             const struct findings *baseline);
size_t findings_errors(const struct findings *f); /* errors that are not allowed */
void findings_json(const struct findings *f, struct json *array);
void findings_print(const struct findings *f, FILE *to);

/* Acknowledge: RULE:TARGET words of the setting (TARGET may be "*"), and the lines
 *   -- migsafe: allow drop-column "User"."legacy" -- reason
 * of migrations.  Quotes and "public." in targets do not matter. */
void findings_allow(struct findings *f, const struct strlist *rules, const char *by);
/* The "RULE:TARGET" words of such lines in one migration's SQL. */
struct strlist findings_allow_lines(struct arena *a, const char *sql);

#endif
