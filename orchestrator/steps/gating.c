#include "steps/gating.h"

/* Counting is waited for that long, a lock in its way not at all long. */
enum { QUERY_DEADLINE_MS = 10 * 60 * 1000, LOCK_WAIT_MS = 5000 };

bool gate_pending(const struct gating *g, struct gate_result *result, struct err *e)
{
    const struct session_use use = {.lock_timeout_ms = LOCK_WAIT_MS,
                                    .query_deadline_ms = QUERY_DEADLINE_MS};
    AUTO(pg) struct pg *db = connection_open(&g->site->live, &use, e);
    const struct gate_context c = {
        .project = g->project,
        .folder = &g->state->folder,
        .state = g->state,
        .db = db,
        .default_schema = g->site->live.schema,
        .allow = &g->settings->allow,
    };
    if (db == NULL || !gate_check(g->arena, &c, result, e))
        return false;
    for (size_t i = 0; i < result->findings.count; i++)
        if (strcmp(g->settings->gate, "warn") == 0)
            result->findings.items[i].level = FINDING_WARNING;
    findings_relative_to(&result->findings, g->project->root);
    return true;
}
