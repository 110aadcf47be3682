#include "steps/leftover.h"

/* Between two looks at Prisma's sessions (core/prisma/watch.c), and some more. */
static const int64_t LOOK_MS = 250;

static bool is_intended(const struct run *run, const char *name)
{
    return strlist_has(&run->history.pending, name);
}

static bool all_applied(const struct run *run, const struct history *now)
{
    for (size_t i = 0; i < run->history.pending.count; i++)
        if (!strlist_has(&now->applied, run->history.pending.items[i]))
            return false;
    return now->failed.count == 0;
}

static bool any_applied(const struct run *run, const struct history *now)
{
    for (size_t i = 0; i < run->history.pending.count; i++)
        if (strlist_has(&now->applied, run->history.pending.items[i]))
            return true;
    return false;
}

enum seen { SEEN_OTHER, SEEN_FIRST, SEEN_MORE };

/* The server shows the statement it ran (pg_stat_activity.query, cut at track_activity_query_size):
 * the file from its beginning on, or a statement of it.  Comments may stand before the first. */
static enum seen what_was_seen(struct arena *a, const struct migration *m, const struct effects *f,
                               const char *seen)
{
    const char *file = str_trim(a, m->sql);
    const char *first = f->first_statement == NULL ? NULL : strstr(file, f->first_statement);
    if (seen == NULL || first == NULL)
        return SEEN_OTHER;
    size_t to_its_end = (size_t)(first - file) + strlen(f->first_statement);
    char *part = str_trim(a, seen);
    for (size_t n = strlen(part); n > 0 && part[n - 1] == ';'; n--)
        part[n - 1] = '\0';
    if (strcmp(part, f->first_statement) == 0)
        return SEEN_FIRST;
    if (!str_starts(file, part) || strlen(part) < to_its_end)
        return SEEN_OTHER;
    return strlen(part) == to_its_end ? SEEN_FIRST : SEEN_MORE;
}

/* The statement whose wait ended in the failure: the last wait seen, as long as lock_timeout lets
 * one be.  Looks are some 150 ms apart: where lock_timeout is not much more, a later statement's
 * wait may have been missed, and nothing is known. */
static const char *last_waiting(const struct run *run, const struct prisma_outcome *outcome)
{
    int64_t limit = run->settings->lock_timeout_ms;
    bool long_enough = limit >= 3 * LOOK_MS && outcome->last.waited_ms + 2 * LOOK_MS >= limit;
    return outcome->failure.lock_timeout && outcome->last.pid != 0 && long_enough
               ? outcome->last.waiting_statement
               : NULL;
}

static const char *why_nothing_stayed(struct run *run, const char *name,
                                      const struct prisma_outcome *outcome)
{
    const struct migration *m = migration_find(&run->folder, name);
    if (m == NULL || m->sql == NULL)
        return NULL;
    struct effects f = effects_of(run->arena, m->sql);
    if (!f.parsed)
        return NULL;
    if (f.statements == 1 && !f.concurrently && !f.may_commit)
        return "the migration is one statement";
    if (!f.any_rows && !f.own_transaction)
        return "no statement of it writes rows, and the catalogs are as before";
    /* More of the file than its first statement in one simple query is one transaction. */
    enum seen seen = what_was_seen(run->arena, m, &f, last_waiting(run, outcome));
    if (seen == SEEN_MORE && !f.own_transaction)
        return "the file was sent as one transaction";
    bool proves = seen == SEEN_FIRST && !effects_of(run->arena, f.first_statement).may_commit;
    return proves ? "its first statement failed" : NULL;
}

static const char *failed_now(const struct run *run, const struct history *now)
{
    for (size_t i = 0; i < now->failed.count; i++)
        if (is_intended(run, now->failed.items[i]))
            return now->failed.items[i];
    return NULL;
}

static bool read_now(struct run *run, struct ledgers *ledgers, struct history *history,
                     struct snapshot *schema, struct err *e)
{
    AUTO(pg) struct pg *db = site_open_live(&run->site, NULL, e);
    return db != NULL && run_read_ledgers(run, db, ledgers, history, e) &&
           snapshot_take(run->arena, db, schema, e);
}

bool leftover_judge(struct run *run, const struct prisma_outcome *outcome,
                    struct leftover_facts *facts, struct err *e)
{
    struct ledgers ledgers;
    struct snapshot schema;
    *facts = (struct leftover_facts){.left = LEFT_UNKNOWN, .why = "something may have stayed"};
    if (!read_now(run, &ledgers, &facts->now, &schema, e))
        return err_wrap(e, "could not see what the migration left behind");

    bool same_schema = snapshot_equal(&run->schema_before, &schema);
    const struct ledger *main =
        ledgers_main(&ledgers, run->site.live.schema, run->site.live.schema_given);
    facts->failed = failed_now(run, &facts->now);
    facts->ledger_schema = main == NULL ? NULL : main->schema;
    if (all_applied(run, &facts->now)) {
        facts->left = LEFT_COMPLETE;
        facts->why = "every migration is applied";
    } else if (same_schema && ledgers_equal(&run->ledgers_before, &ledgers)) {
        facts->left = LEFT_NOTHING;
        facts->why = "ledger and catalogs are as before";
    } else if (same_schema && facts->failed != NULL && !any_applied(run, &facts->now)) {
        const char *why = why_nothing_stayed(run, facts->failed, outcome);
        facts->left = why == NULL ? LEFT_UNKNOWN : LEFT_ROW_ONLY;
        facts->why = why == NULL ? "rows may have been written before it failed" : why;
    }
    return true;
}
