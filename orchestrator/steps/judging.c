#include "steps/judging.h"

#include "core/health/dataloss.h"
#include "steps/fencing.h"

static bool look(struct run *run, const struct judging *j, struct findings *now, struct err *e)
{
    const struct session_use use = {.application_name = "migsafe"};
    struct ledgers ledgers;
    struct history history;
    AUTO(pg) struct pg *db = connection_open(j->where, &use, e);
    if (db == NULL || !run_read_ledgers(run, db, &ledgers, &history, e))
        return false;
    if (j->measure)
        fencing_measure(run, db);
    /* Of a recover the ledger is judged already, and the folder may be another one by now. */
    struct health_context health = {
        .db = db, .history = run->recovering ? NULL : &history, .deploy = true};
    if (!health_check(run->arena, &health, now, e))
        return false;
    struct findings only_new = findings_new(run->arena, now, j->baseline);
    *now = only_new;
    struct dataloss_context loss = {
        .db = db,
        .before = &run->backup.manifest,
        .effects = run->effects,
        .effect_count = run->history.pending.count,
        .default_schema = run->site.live.schema,
        .fenced = j->alone || (j->measure && fencing_unbroken(run)),
    };
    return dataloss_check(run->arena, &loss, now, e);
}

static void acknowledge(struct run *run, struct findings *found)
{
    findings_allow(found, &run->settings->allow, "--allow");
    for (size_t i = 0; i < run->history.pending.count; i++) {
        const struct migration *m = run_pending(run, i);
        if (m->sql == NULL)
            continue;
        struct strlist rules = findings_allow_lines(run->arena, m->sql);
        findings_allow(found, &rules, arena_printf(run->arena, "migration %s", m->name));
    }
}

/* What the gate said stays in the report, unless health has measured the same now. */
static struct findings with_gate(const struct run *run, const struct findings *now)
{
    struct findings all = findings_on(run->arena);
    for (size_t i = 0; i < run->gate.count; i++) {
        const struct finding *item = &run->gate.items[i];
        if (!findings_have(now, item->rule, item->target))
            findings_add(&all, *item);
    }
    for (size_t i = 0; i < now->count; i++)
        findings_add(&all, now->items[i]);
    return all;
}

bool judged_unhealthy(struct arena *a, const struct findings *found, enum err_kind kind,
                      struct err *e)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct finding *f = &found->items[i];
        if (f->level != FINDING_ERROR || f->allowed)
            continue;
        size_t errors = findings_errors(found);
        err_set(e, kind, "%s", finding_line(a, f));
        if (errors > 1)
            err_detail(e, "This and %zu more findings are in the report.", errors - 1);
        err_hint(e, "%s For this deploy only: --allow '%s:%s'.", f->advice ? f->advice : "",
                 f->rule, f->target);
        return false;
    }
    return true;
}

bool judge_health(struct run *run, const struct judging *j, struct findings *now, struct err *e)
{
    if (!look(run, j, now, e))
        return false;
    now->default_schema = run->site.live.schema;
    acknowledge(run, now);
    run->report.findings = with_gate(run, now);
    return true;
}
