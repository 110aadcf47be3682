#include "core/prisma/state.h"

#include "sql/queries.h"

const char *prisma_outlook_name(enum prisma_outlook outlook)
{
    static const char *const names[] = {[OUTLOOK_UP_TO_DATE] = "up-to-date",
                                        [OUTLOOK_PENDING] = "pending",
                                        [OUTLOOK_BLOCKED] = "blocked",
                                        [OUTLOOK_UNCLEAR] = "unclear"};
    return names[outlook];
}

static void set_outlook(struct prisma_state *s, enum prisma_outlook outlook, const char *code,
                        const char *summary)
{
    s->outlook = outlook;
    s->code = code;
    s->summary = summary;
}

/* "a" or "a and 2 more" */
static const char *named(struct arena *a, const struct strlist *names)
{
    return names->count == 1
               ? arena_printf(a, "\"%s\"", names->items[0])
               : arena_printf(a, "\"%s\" and %zu more", names->items[0], names->count - 1);
}

/* What stops a deploy before or at its first migration; false: nothing. */
static bool judge_blocked(struct arena *a, struct prisma_state *s, bool needs_baseline)
{
    const struct history *h = &s->history;
    if (s->ledgers.prisma8)
        set_outlook(s, OUTLOOK_BLOCKED, NULL,
                    "the database belongs to Prisma 8, which has no \"migrate deploy\"");
    else if (h->failed.count > 0)
        set_outlook(s, OUTLOOK_BLOCKED, "P3009",
                    arena_printf(a, "a deploy would be refused: %s failed and is not resolved",
                                 named(a, &h->failed)));
    else if (needs_baseline)
        set_outlook(s, OUTLOOK_BLOCKED, "P3005",
                    "a deploy would be refused: the schema has tables but no ledger");
    else if (h->scriptless.count > 0)
        set_outlook(s, OUTLOOK_BLOCKED, "P3015",
                    arena_printf(a, "a deploy would fail: %s has no migration.sql",
                                 named(a, &h->scriptless)));
    else
        return false;
    return true;
}

static void judge(struct arena *a, struct prisma_state *s, bool ambiguous, bool needs_baseline)
{
    const struct history *h = &s->history;
    if (ambiguous)
        set_outlook(s, OUTLOOK_UNCLEAR, NULL,
                    "several schemas have a ledger: add ?schema=... to the URL");
    else if (judge_blocked(a, s, needs_baseline))
        return;
    else if (h->pending.count > 0)
        set_outlook(
            s, OUTLOOK_PENDING, NULL,
            arena_printf(a, "%s to apply",
                         str_plural(a, (int64_t)h->pending.count, "migration", "migrations")));
    else
        set_outlook(s, OUTLOOK_UP_TO_DATE, NULL, "nothing to apply");
}

static bool read_baseline(struct arena *a, const struct connection *live, struct pg *db,
                          bool *needed, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_ledger_baseline, PG_ARGS(live->schema), &rows, e))
        return err_wrap(e, "could not look for tables in schema \"%s\"", live->schema);
    *needed = pg_cell_bool(&rows, 0, "found");
    return true;
}

bool prisma_state_read(struct arena *a, const struct prisma_project *project,
                       const struct connection *live, struct pg *db, struct prisma_state *state,
                       struct err *e)
{
    bool needs_baseline = false;
    *state = (struct prisma_state){0};
    if (!migrations_read(a, project->migrations, &state->folder, e) ||
        !ledgers_read(a, db, &state->ledgers, e))
        return false;
    state->ledger = ledgers_main(&state->ledgers, live->schema, live->schema_given);
    bool ambiguous = ledgers_ambiguous(&state->ledgers, live->schema_given);
    if (state->ledger == NULL && !read_baseline(a, live, db, &needs_baseline, e))
        return false;
    state->history = history_compare(a, &state->folder, state->ledger);
    judge(a, state, ambiguous, needs_baseline);
    return true;
}
