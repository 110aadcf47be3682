/*
 * The gate comes after preflight, when the way back is known to work and nothing
 * is changed yet, and before the backup, so that a refusal is quick.
 */
#include "base/log.h"
#include "steps/gating.h"

enum { NAMED_MAX = 3 };

static void tell(const struct run *run, const struct findings *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *item = &f->items[i];
        const char *place = finding_place(run->arena, item);
        const char *line =
            arena_printf(run->arena, "%s%s%s%s", finding_line(run->arena, item),
                         place[0] == '\0' ? "" : " (", place, place[0] == '\0' ? "" : ")");
        if (item->allowed)
            log_info("allowed by %s: %s", item->allowed_by, line);
        else if (item->level == FINDING_WARNING)
            log_warning("%s", line);
    }
}

static bool refuse(const struct run *run, const struct findings *f, struct err *e)
{
    struct str named = str_on(run->arena);
    const struct finding *first = NULL;
    size_t shown = 0;
    for (size_t i = 0; i < f->count && shown < NAMED_MAX; i++) {
        const struct finding *item = &f->items[i];
        if (item->level != FINDING_ERROR || item->allowed)
            continue;
        str_item(&named, "; ", finding_line(run->arena, item));
        first = first == NULL ? item : first;
        shown++;
    }
    if (first == NULL)
        return true;
    err_set(e, ERR_UNSAFE, "%s", named.text);
    if (findings_errors(f) > shown)
        err_detail(e, "These and %zu more findings are in the report.", findings_errors(f) - shown);
    err_hint(e, "%s For this deploy only: --allow '%s:%s'.", first->advice ? first->advice : "",
             first->rule, first->target);
    return false;
}

/* A gate that only warns does not refuse because it could not look. */
static bool could_not(struct run *run, struct err *e)
{
    err_wrap(e, "the gate could not look at the pending migrations");
    if (strcmp(run->settings->gate, "warn") != 0 || e->kind == ERR_CANCELLED)
        return false;
    run_warn_err(run, e);
    *e = (struct err){0};
    return true;
}

static bool apply(struct run *run, struct err *e)
{
    struct gate_result result;
    if (strcmp(run->settings->gate, "off") == 0) {
        log_info("the gate is off");
        return true;
    }
    const struct gating g = {.arena = run->arena,
                             .settings = run->settings,
                             .site = &run->site,
                             .project = &run->project,
                             .state = &run->state};
    if (!gate_pending(&g, &result, e))
        return could_not(run, e);
    run->gate = result.findings;
    run->report.findings = run->gate;
    tell(run, &run->gate);
    return refuse(run, &run->gate, e);
}

const struct step step_gate = {
    .name = "gate",
    .what = "see what speaks against the pending migrations",
    .apply = apply,
};
