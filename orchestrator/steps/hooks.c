#include "steps/hooks.h"

bool run_hooks(struct run *run, enum hook_point point, const char *reason, struct err *e)
{
    const struct hook_run hooks = {
        .settings = run->settings,
        .report = &run->report,
        .journal = run->journal,
        .reason = reason,
        .fenced = run->fenced,
    };
    return hooks_run(run->arena, &hooks, point, e);
}

void run_hooks_or_warn(struct run *run, enum hook_point point, const char *reason)
{
    struct err e = {0};
    if (!run_hooks(run, point, reason, &e))
        run_warn_err(run, &e);
}

void run_hooks_end(struct run *run)
{
    struct err late = {0};
    size_t before = run->report.warnings.count;
    run_hooks_or_warn(run, HOOK_END, NULL);
    if (run->report.warnings.count > before &&
        !report_write(run->arena, run->settings->state_dir, &run->report, &late))
        run_warn_err(run, &late);
}
