#include "core/backup/retention.h"

enum { WEEKLY_DAYS = 30, EMERGENCY_DAYS = 30, DAY_S = 24 * 60 * 60 };

/* How long a reason is kept. */
enum rule { BY_COUNT, BY_DAYS, FOR_EVER };

struct policy {
    enum rule rule;
    int amount;
};

struct retention retention_of(const struct settings *s)
{
    return (struct retention){.keep_last = s->keep_last,
                              .daily_days = s->backup_retention_days,
                              .weekly_days = WEEKLY_DAYS,
                              .emergency_days = EMERGENCY_DAYS,
                              .now = (int64_t)time(NULL)};
}

static struct policy policy_of(const struct retention *r, const char *reason)
{
    const struct {
        const char *reason;
        struct policy policy;
    } table[] = {
        {"hourly", {BY_COUNT, r->keep_last}},        {"pre-deploy", {BY_COUNT, r->keep_last}},
        {"post-deploy", {BY_COUNT, r->keep_last}},   {"daily", {BY_DAYS, r->daily_days}},
        {"weekly", {BY_DAYS, r->weekly_days}},       {"emergency", {BY_DAYS, r->emergency_days}},
        {"manual", {.rule = FOR_EVER, .amount = 0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (strcmp(table[i].reason, reason) == 0)
            return table[i].policy;
    return (struct policy){.rule = FOR_EVER};
}

/* What must agree for two backups to be counted together. */
enum sameness { SAME_KIND, SAME_REASON, VERIFIED };

/* Staging and production may have one name, and one folder for their backups: a newer one that
 * tells no server may be of either, and takes no place of one that does. */
static bool same_database(const struct manifest *newer, const struct manifest *mine)
{
    return strcmp(newer->database.name, mine->database.name) == 0 &&
           (mine->server == NULL || str_same(newer->server, mine->server));
}

/* How many usable backups of the same kind (and reason, or verified) are newer than item i. */
static int newer_than(const struct store *s, size_t i, enum sameness same)
{
    const struct manifest *mine = &s->items[i].manifest;
    int count = 0;
    for (size_t k = i + 1; k < s->count; k++) {
        const struct manifest *m = &s->items[k].manifest;
        if (s->items[k].damage != NULL || store_failed_by(m) != NULL || !same_database(m, mine) ||
            strcmp(m->kind, mine->kind) != 0 ||
            (same == SAME_REASON && strcmp(m->reason, mine->reason) != 0) ||
            (same == VERIFIED && store_proven_by(m) == NULL))
            continue;
        count++;
    }
    return count;
}

static struct retention_choice by_policy(struct arena *a, const struct store *s, size_t i,
                                         const struct retention *r)
{
    const struct stored *b = &s->items[i];
    const char *reason = b->manifest.reason, *kind = b->manifest.kind;
    struct policy policy = policy_of(r, reason);
    int64_t age_s = r->now - b->taken_at;
    switch (policy.rule) {
    case BY_COUNT:
        if (newer_than(s, i, SAME_REASON) < policy.amount)
            return (struct retention_choice){
                b, true,
                arena_printf(a, "one of the last %d of %s, %s", policy.amount, reason, kind)};
        return (struct retention_choice){
            b, false, arena_printf(a, "%d newer ones of %s, %s", policy.amount, reason, kind)};
    case BY_DAYS:
        return (struct retention_choice){
            b, age_s < (int64_t)policy.amount * DAY_S,
            arena_printf(a, "%s: kept for %d days", reason, policy.amount)};
    case FOR_EVER:
        break;
    }
    return (struct retention_choice){b, true, arena_printf(a, "%s: kept for ever", reason)};
}

static struct retention_choice choose(struct arena *a, const struct store *s, size_t i,
                                      const char *database, const struct retention *r)
{
    const struct stored *b = &s->items[i];
    const struct manifest *m = &b->manifest;
    if (b->damage != NULL)
        return (struct retention_choice){b, true, "damaged: look at it, remove it by hand"};
    if (database != NULL && strcmp(m->database.name, database) != 0)
        return (struct retention_choice){b, true, "another database"};
    if (m->pinned)
        return (struct retention_choice){b, true, "pinned"};
    struct retention_choice choice = by_policy(a, s, i, r);
    if (!choice.keep && newer_than(s, i, SAME_KIND) == 0)
        return (struct retention_choice){b, true, arena_printf(a, "the newest of %s", m->kind)};
    if (!choice.keep && store_proven_by(m) != NULL && newer_than(s, i, VERIFIED) == 0)
        return (struct retention_choice){b, true,
                                         arena_printf(a, "the newest verified of %s", m->kind)};
    return choice;
}

struct retention_choice *retention_decide(struct arena *a, const struct store *s,
                                          const char *database, const struct retention *r)
{
    struct retention_choice *choices = arena_array(a, s->count + 1, sizeof(*choices));
    for (size_t i = 0; i < s->count; i++)
        choices[i] = choose(a, s, i, database, r);
    return choices;
}

bool retention_apply(struct arena *a, struct retention_run *run, struct err *e)
{
    struct err later = {0};
    if (!store_read(a, run->backup_dir, &run->store, e))
        return false;
    run->choices = retention_decide(a, &run->store, run->database, &run->rules);
    if (run->dry)
        return true;
    bool ok = store_sweep(a, run->backup_dir, NULL, e);
    for (size_t i = 0; i < run->store.count; i++)
        if (!run->choices[i].keep && !store_remove(a, run->choices[i].backup, ok ? e : &later))
            ok = false;
    return ok;
}
