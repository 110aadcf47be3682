#include "core/steps.h"

#include "base/clock.h"
#include "base/log.h"

struct engine {
    struct run *run;
    struct journal *journal;
    steps_told *told;
    struct steps_end *end;
};

static void undo_from(const struct engine *g, const struct step *const *steps, size_t done)
{
    while (done > 0) {
        const struct step *step = steps[--done];
        struct err e = {0};
        if (step->undo == NULL)
            continue;
        int64_t start = clock_ms();
        bool ok = step->undo(g->run, &e);
        g->told(g->run, step, ok ? "undone" : "failed", clock_ms() - start, ok ? NULL : &e);
        if (ok || g->end->undo_failed)
            continue;
        g->end->undo_failed = true;
        g->end->undo_error = e;
    }
}

/* begin, apply, done or failed.  The journal failing is the step failing. */
static bool run_step(const struct engine *g, const struct step *step, struct err *e)
{
    struct err journal_error = {0};
    int64_t start = clock_ms();
    struct json *facts = step->facts == NULL ? NULL : step->facts(g->run);
    if (!journal_write(g->journal, step->name, "begin", facts, NULL, e))
        return false;
    bool ok = step->apply(g->run, e);
    if (!journal_write(g->journal, step->name, ok ? "done" : "failed", NULL, ok ? NULL : e,
                       ok ? e : &journal_error))
        ok = false;
    const char *result = ok ? "done" : g->end->committed ? "warning" : "failed";
    g->told(g->run, step, result, clock_ms() - start, ok ? NULL : e);
    return ok;
}

bool steps_run(const struct step *const *steps, size_t count, struct run *run,
               struct journal *journal, steps_told *told, struct steps_end *end, struct err *e)
{
    struct engine g = {.run = run, .journal = journal, .told = told, .end = end};
    *end = (struct steps_end){0};
    for (size_t i = 0; i < count; i++) {
        struct err late = {0};
        log_info("step %zu of %zu: %s", i + 1, count, steps[i]->what);
        bool ok = run_step(&g, steps[i], end->committed ? &late : e);
        if (!ok && !end->committed) {
            end->failed = steps[i];
            undo_from(&g, steps, i + 1);
            return false;
        }
        end->committed = end->committed || steps[i]->commits;
    }
    return true;
}
