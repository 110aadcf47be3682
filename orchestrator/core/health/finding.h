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
    bool transient;         /* locks, long transactions: never new, never a reason to roll back */
    bool allowed;           /* acknowledged: does not count */
    const char *allowed_by; /* "--allow", "migration 2026..._x"; NULL */
    const char *file;       /* path of the file that causes it, absolute as found (gate); or NULL */
    size_t line;            /* in file, from 1; 0: none */
};

struct findings {
    struct arena *arena;
    struct finding *items;
    size_t count, size;
    const char *default_schema; /* may be left out of targets in allow; NULL: "public" */
};

struct findings findings_on(struct arena *a);
struct finding *findings_add(struct findings *f, struct finding item);
bool findings_have(const struct findings *f, const char *rule, const char *target);
/* Those of now that the baseline lacks (by rule and target) and that are not transient. */
struct findings findings_new(struct arena *a, const struct findings *now,
                             const struct findings *baseline);
size_t findings_errors(const struct findings *f);   /* errors that are not allowed */
size_t findings_warnings(const struct findings *f); /* warnings that are not allowed */
const char *finding_level_name(enum finding_level level);
/* "drop-column: public.User.legacy: column is gone: 120 values lost": for logs and errors. */
char *finding_line(struct arena *a, const struct finding *item) RETURNS_NONNULL;
/* "prisma/migrations/2026..._x/migration.sql:3"; "" when it has no file. */
char *finding_place(struct arena *a, const struct finding *item) RETURNS_NONNULL;
/* Files below a folder are named as seen from there, for people; the others keep their path. */
void findings_relative_to(struct findings *f, const char *folder);
void findings_json(const struct findings *f, struct json *array);
/* Adds those of a list that findings_json wrote; texts are copied into f's arena. */
void findings_add_json(struct findings *f, const struct json *array);
void findings_print(const struct findings *f, FILE *to);

/* Acknowledge: RULE:TARGET words of the setting (TARGET may be "*"), and the lines
 *   -- migsafe: allow drop-column "User"."legacy" -- reason
 * of migrations (blanks may come before).  Quotes and the default schema in targets do not matter.
 */
void findings_allow(struct findings *f, const struct strlist *rules, const char *by);
/* The "RULE:TARGET" words of such lines in one migration's SQL. */
struct strlist findings_allow_lines(struct arena *a, const char *sql);

#endif
