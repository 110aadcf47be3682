#include "core/steps.h"

#include "base/clock.h"
#include "base/log.h"

static void undo_from(const struct steps_plan *plan, size_t done, struct run *run,
                      struct steps_end *end)
{
    while (done > 0) {
        const struct step *step = plan->steps[--done];
        struct err e = {0};
        if (step->undo == NULL)
            continue;
        int64_t start = clock_ms();
        bool ok = step->undo(run, &e);
        plan->told(run, step, ok ? "undone" : "undo failed", clock_ms() - start, ok ? NULL : &e);
        if (ok || end->undo_failed)
            continue;
        end->undo_failed = true;
        end->undo_error = e;
    }
}

/* begin, apply, done or failed.  The journal failing is the step failing. */
static bool run_step(const struct steps_plan *plan, const struct step *step, struct run *run,
                     bool committed, struct err *e)
{
    struct err journal_error = {0};
    int64_t start = clock_ms();
    struct json *facts = step->facts == NULL ? NULL : step->facts(run);
    if (!journal_write(plan->journal, step->name, "begin", facts, NULL, e))
        return false;
    bool ok = step->apply(run, e);
    if (!journal_write(plan->journal, step->name, ok ? "done" : "failed", NULL, ok ? NULL : e,
                       ok ? e : &journal_error))
        ok = false;
    const char *result = ok ? "done" : committed ? "warning" : "failed";
    plan->told(run, step, result, clock_ms() - start, ok ? NULL : e);
    return ok;
}

bool steps_run(const struct steps_plan *plan, struct run *run, struct steps_end *end, struct err *e)
{
    *end = (struct steps_end){0};
    for (size_t i = 0; i < plan->count; i++) {
        struct err late = {0};
        const struct step *step = plan->steps[i];
        log_info("step %zu of %zu: %s", i + 1, plan->count, step->what);
        bool ok = run_step(plan, step, run, end->committed, end->committed ? &late : e);
        if (!ok && !end->committed) {
            end->failed = step;
            undo_from(plan, i + 1, run, end);
            return false;
        }
        end->committed = end->committed || step->commits;
    }
    return true;
}
