#include "steps/recover_end.h"

#include "base/clock.h"
#include "base/stop.h"
#include "core/report/announce.h"
#include "steps/hooks.h"

static enum err_kind kind_of(const struct recovery *r)
{
    const char *verdict = r->out->verdict;
    if (strcmp(verdict, "migrated") == 0)
        return ERR_NONE;
    if (strcmp(verdict, "restored") == 0)
        return r->past.is_restore ? ERR_NONE : ERR_RESTORED;
    return strcmp(verdict, "broken") == 0 ? ERR_BROKEN : ERR_UNCHANGED;
}

/* The error of the record that failed first, where one did. */
static const char *journaled_error(const struct recovery *r)
{
    for (const struct json *j = json_first(r->journaled.records); j != NULL; j = json_next(j))
        if (strcmp(json_str(j, "event", ""), "failed") == 0 && json_find(j, "error") != NULL)
            return arena_strdup(r->arena, json_str(json_find(j, "error"), "message", ""));
    return NULL;
}

static const char *outcome(const struct recovery *r)
{
    const char *verdict = r->out->verdict, *database = r->run->report.database;
    if (strcmp(verdict, "restored") == 0)
        return arena_printf(r->arena, "database \"%s\" was restored", database);
    if (strcmp(verdict, "broken") == 0)
        return arena_printf(r->arena, "what database \"%s\" is to be, a person must decide",
                            database);
    return arena_printf(r->arena, "database \"%s\" is as it was", database);
}

static void explain(struct recovery *r, const struct err *cause)
{
    struct err *e = &r->out->error;
    const struct past *p = &r->past;
    const char *failed = cause->kind != ERR_NONE ? cause->message : journaled_error(r);
    err_set(e, kind_of(r), "run %s was interrupted in step \"%s\": %s", p->run, p->last_step,
            outcome(r));
    if (strcmp(r->out->verdict, "broken") == 0)
        recovery_tell_broken(r);
    if (failed != NULL)
        err_detail(e, "%s",
                   arena_printf(r->arena, "%s%sBefore that: %s.", e->detail,
                                e->detail[0] ? " " : "", failed));
}

void recovery_tell_broken(struct recovery *r)
{
    struct arena *a = r->arena;
    struct recovered *o = r->out;
    const struct past *p = &r->past;
    const char *first = r->facts.failed.count > 0 ? r->facts.failed.items[0] : NULL;
    o->ways = strlist_on(a);
    strlist_printf(&o->ways, "It is right as it is now: migsafe recover %s --keep", p->run);
    if (p->is_restore && p->backup != NULL)
        strlist_printf(&o->ways,
                       "The backup is right: migsafe recover %s --keep, then migsafe "
                       "restore %s --yes",
                       p->run, p->backup);
    else if (r->facts.backup.id != NULL)
        strlist_printf(&o->ways,
                       "Backup %s of %s is right: migsafe recover %s --restore (what is there now "
                       "is kept beside)",
                       p->backup, r->facts.backup.manifest.started_at, p->run);
    else
        strlist_printf(&o->ways, "The run has no usable backup; others: migsafe list");
    if (first != NULL)
        strlist_printf(&o->ways,
                       "To keep it, finish or undo by hand what the ledger calls failed, then: "
                       "prisma migrate resolve --applied %s (or --rolled-back)",
                       first);
    const char *facts = truth_text(a, p, &r->facts);
    err_detail(&o->error, "%s%s%s", o->why, facts[0] ? " " : "", facts);
    err_hint(&o->error, "Nothing was touched. %s", strlist_join(&o->ways, ". "));
}

/* What earlier.c reads of it. */
static struct json *verdict_facts(const struct recovery *r)
{
    const struct json *begin = journal_first(r->journaled.records, "run", "begin");
    struct json *j = json_object();
    json_put(j, "verdict", r->out->verdict);
    json_put_int(j, "exit", r->out->exit_status);
    json_put(j, "pending_digest", json_str(json_find(begin, "data"), "pending_digest", ""));
    json_put_bool(j, "permanent", r->run->permanent);
    json_put_bool(j, "recovered", true);
    return j;
}

static void tell_the_world(struct recovery *r)
{
    struct err late = {0};
    struct run *run = r->run;
    if (!announce(r->arena, run->settings, &run->report, r->out->exit_status != 0, &late) ||
        !journal_write(run->journal, "announce", "done", NULL, NULL, &late))
        run_warn_err(run, &late);
}

static void set_times(struct recovery *r)
{
    int64_t from = clock_parse_rfc3339(r->past.started_at == NULL ? "" : r->past.started_at);
    int64_t to = clock_parse_rfc3339(r->run->report.finished_at);
    r->run->report.elapsed_ms = from < 0 || to < from ? 0 : (to - from) * 1000;
}

void recovery_end(struct recovery *r, const struct err *cause)
{
    struct err late = {0};
    struct run *run = r->run;
    struct recovered *o = r->out;
    o->exit_status = err_exit_status(kind_of(r));
    if (kind_of(r) != ERR_NONE)
        explain(r, cause);
    const struct err *error = o->error.kind == ERR_NONE ? NULL : &o->error;
    stop_shield(true);
    if (o->ways.count > 0)
        run->report.next = strlist_join(&o->ways, ". ");
    report_end(&run->report, o->verdict, o->exit_status, error);
    set_times(r);
    if (!journal_write(run->journal, "run", "verdict", verdict_facts(r), error, &late))
        run_warn_err(run, &late);
    tell_the_world(r);
    if (!report_write(r->arena, run->settings->state_dir, &run->report, &late))
        run_warn_err(run, &late);
    if (r->past.into == NULL)
        run_hooks_end(run);
    stop_shield(false);
}
