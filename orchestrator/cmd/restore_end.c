#include "cmd/restore_end.h"

#include "base/log.h"
#include "core/report/announce.h"

void restore_warn(struct arena *a, struct run_report *report, const struct err *e)
{
    log_err_as(LOG_WARNING, e);
    strlist_add(&report->warnings, arena_strdup(a, e->message));
}

static void write_report(struct arena *a, const struct restore_end *end)
{
    struct err late = {0};
    if (!report_write(a, end->settings->state_dir, end->report, &late))
        log_err_as(LOG_WARNING, &late);
}

void restore_end(struct arena *a, const struct restore_end *end, const struct err *error)
{
    struct err late = {0};
    const char *verdict = end->restored ? "restored" : "unchanged";
    int exit_status = error == NULL ? 0 : err_exit_status(error->kind);
    const struct hook_run hooks = {
        .settings = end->settings, .report = end->report, .journal = end->journal};
    struct json *facts = json_object();
    json_put(facts, "verdict", verdict);
    json_put_int(facts, "exit", exit_status);
    if (!journal_write(end->journal, "run", "verdict", facts, error, &late))
        restore_warn(a, end->report, &late);
    report_end(end->report, verdict, exit_status, error);
    if (!announce(a, end->settings, end->report, error != NULL, &late))
        restore_warn(a, end->report, &late);
    write_report(a, end);
    if (end->no_hooks || hooks_run(a, &hooks, HOOK_END, &late))
        return;
    restore_warn(a, end->report, &late);
    write_report(a, end);
}
