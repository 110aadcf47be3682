#include "base/log.h"
#include "core/health/dataloss.h"
#include "steps/run.h"

static bool look(struct run *run, struct findings *now, struct err *e)
{
    struct ledgers ledgers;
    struct history history;
    AUTO(pg) struct pg *db = site_open_live(&run->site, NULL, e);
    if (db == NULL || !run_read_ledgers(run, db, &ledgers, &history, e))
        return false;
    struct health_context health = {.db = db, .history = &history, .deploy = true};
    if (!health_check(run->arena, &health, now, e))
        return false;
    struct findings only_new = findings_new(run->arena, now, &run->baseline);
    *now = only_new;
    struct dataloss_context loss = {
        .db = db,
        .before = &run->backup.manifest,
        .effects = run->effects,
        .effect_count = run->history.pending.count,
        .default_schema = run->site.live.schema,
        .fenced = false,
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

static bool unhealthy(struct arena *a, const struct findings *found, struct err *e)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct finding *f = &found->items[i];
        if (f->level != FINDING_ERROR || f->allowed)
            continue;
        size_t errors = findings_errors(found);
        err_set(e, ERR_UNHEALTHY, "%s", finding_line(a, f));
        if (errors > 1)
            err_detail(e, "This and %zu more findings are in the report.", errors - 1);
        err_hint(e, "%s If it is meant, say so: --allow '%s:%s'.", f->advice ? f->advice : "",
                 f->rule, f->target);
        return false;
    }
    return true;
}

/* Its done record is the commit point: from there on nothing is undone. */
static bool apply(struct run *run, struct err *e)
{
    struct findings now = findings_on(run->arena);
    if (!look(run, &now, e))
        return err_wrap(e, "could not check the health of the migrated database");
    now.default_schema = run->site.live.schema;
    acknowledge(run, &now);
    run->found = now;
    run->report.findings = with_gate(run, &now);
    for (size_t i = 0; i < now.count; i++)
        if (now.items[i].level == FINDING_WARNING || now.items[i].allowed)
            log_warning("%s", finding_line(run->arena, &now.items[i]));
    if (findings_errors(&now) == 0)
        return true;
    run->permanent = true;
    return unhealthy(run->arena, &now, e);
}

const struct step step_health = {
    .name = "health",
    .what = "check the database's health and what it lost",
    .apply = apply,
    .commits = true,
};
