#include "steps/fencing.h"

#include "base/log.h"
#include "sql/queries.h"

enum { NAMED_MAX = 5 };

static bool warn_overrides(struct run *run, struct pg *live, struct err *e)
{
    struct pg_rows rows;
    const char *last = NULL;
    if (!pg_query(run->arena, live, sql_fence_overrides, PG_NONE, &rows, e))
        return err_wrap(e, "could not look for roles that a fence does not hold");
    for (size_t i = 0; i < rows.count; i++) {
        const char *role = pg_cell(&rows, i, "role");
        if (!str_same(role, last))
            run_warn(run,
                     "role \"%s\" has a default_transaction_read_only of its own: a fence does not "
                     "hold it",
                     role);
        last = role;
    }
    return true;
}

struct others {
    int64_t sessions, unreadable, writers;
};

static bool read_others(struct run *run, struct pg *live, struct others *o, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(run->arena, live, sql_fence_others, PG_NONE, &rows, e))
        return err_wrap(e, "could not see who else is in the database");
    *o = (struct others){.sessions = pg_cell_int(&rows, 0, "sessions"),
                         .unreadable = pg_cell_int(&rows, 0, "unreadable"),
                         .writers = pg_cell_int(&rows, 0, "writers")};
    return true;
}

bool fencing_look_ahead(struct run *run, struct pg *live, struct err *e)
{
    struct others o;
    if (strcmp(run->settings->fence, "off") == 0)
        return true;
    if (!warn_overrides(run, live, e) || !read_others(run, live, &o, e) ||
        !fence_count(live, &run->written_before, e))
        return false;
    if (o.unreadable > 0)
        run_warn(run,
                 "this role may not see what %s of others do: they count as writing; grant it "
                 "pg_monitor",
                 str_plural(run->arena, o.unreadable, "session", "sessions"));
    return true;
}

static bool judge_others(struct run *run, struct pg *live, const char **why, bool *wanted,
                         struct err *e)
{
    struct others o;
    int64_t written;
    if (!read_others(run, live, &o, e) || !fence_count(live, &written, e))
        return false;
    *wanted =
        o.sessions > 0 && (o.writers > 0 || o.unreadable > 0 || written != run->written_before);
    *why = o.sessions == 0    ? "nobody else is connected"
           : !*wanted         ? "nobody else is seen to write"
           : o.writers > 0    ? "others write"
           : o.unreadable > 0 ? "others are connected, and what they do cannot be seen"
                              : "others have written since preflight";
    return true;
}

bool fencing_wanted(struct run *run, struct pg *live, bool *wanted, const char **why, struct err *e)
{
    const char *setting = run->settings->fence;
    *wanted = strcmp(setting, "on") == 0;
    *why = *wanted ? "asked for" : "switched off";
    return strcmp(setting, "auto") != 0 || judge_others(run, live, why, wanted, e);
}

/* --- what others wrote ------------------------------------------------------------------------ */

static bool look(struct run *run, struct pg *live, struct strlist *writes, struct err *e)
{
    struct fence_mark mark;
    if (run->fence_watch == NULL)
        return err_set(e, ERR_INTERNAL, "nothing was counted");
    if (!fence_breaches(run->fence_watch, live, writes, e) ||
        !fence_read(run->arena, live, run->site.live.dbname, &mark, e))
        return false;
    if (!str_same(mark.run, run->id))
        strlist_add(writes, "the fence was taken off by someone else, or its mark in the comment "
                            "of the database was overwritten");
    return true;
}

static void tell(struct run *run)
{
    struct strlist named = strlist_on(run->arena);
    for (size_t i = 0; i < run->fence_writes.count && i < NAMED_MAX; i++)
        strlist_add(&named, run->fence_writes.items[i]);
    if (run->fence_writes.count > named.count)
        strlist_printf(&named, "and %zu more", run->fence_writes.count - named.count);
    run_warn(run, "others wrote though the fence stood, so the run counts as unfenced: %s",
             strlist_join(&named, "; "));
}

void fencing_measure(struct run *run, struct pg *live)
{
    struct err e = {0};
    struct strlist writes = strlist_on(run->arena);
    if (!run->fenced)
        return;
    if (!look(run, live, &writes, &e))
        strlist_printf(&writes, "it could not be measured: %s", e.message);
    bool first = run->fence_writes.count == 0;
    run->fence_writes = writes;
    if (first && writes.count > 0)
        tell(run);
}

bool fencing_unbroken(const struct run *run)
{
    return run->fenced && run->fence_writes.count == 0;
}

static void restart(struct run *run, const struct fence_own *own)
{
    struct err e = {0};
    AUTO(pg) struct pg *live = site_open_live(&run->site, NULL, &e);
    if (live == NULL || !fence_watch_restart(run->fence_watch, live, own, &e))
        log_err_as(LOG_WARNING, &e);
}

void fencing_hooks_ran(struct run *run)
{
    if (run->fenced && run->fence_watch != NULL)
        restart(run, &(struct fence_own){.anything = true});
}

void fencing_prisma_starts(struct run *run)
{
    struct err e = {0};
    if (!run->fenced)
        return;
    AUTO(pg) struct pg *live = site_open_live(&run->site, NULL, &e);
    if (live != NULL)
        fencing_measure(run, live);
    if (run->fence_watch != NULL)
        fence_watch_pause(run->fence_watch);
}

static struct fence_own own_writes(const struct run *run)
{
    struct fence_own own = {.nothing = true, .sql = strlist_on(run->arena)};
    for (size_t i = 0; i < run->history.pending.count; i++) {
        const struct migration *m = run_pending(run, i);
        const struct effects *f = &run->effects[i];
        own.anything = own.anything || !f->parsed || f->anything;
        own.nothing = own.nothing && f->parsed && !f->any_rows;
        if (m->sql != NULL)
            strlist_add(&own.sql, m->sql);
    }
    return own;
}

/* When it fails the watch stays paused, and the verdict says so. */
void fencing_prisma_ended(struct run *run)
{
    const struct fence_own own = own_writes(run);
    if (run->fenced && run->fence_watch != NULL)
        restart(run, &own);
}
