#include "steps/prisma_at.h"

#include "base/proc.h"

enum { WATCH_DEADLINE_MS = 2000 };

bool prisma_at(struct run *run, const struct prisma_place *at, struct prisma_outcome *outcome,
               struct err *e)
{
    const struct settings *s = run->settings;
    /* A server that hangs must not keep the watch from seeing Prisma's time limit. */
    const struct session_use use = {.application_name = "migsafe watch",
                                    .query_deadline_ms = WATCH_DEADLINE_MS};
    AUTO(pg)
    struct pg *watch =
        connection_open_maintenance(&run->site.server, s->maintenance_database, &use, e);
    if (watch == NULL)
        return false;
    struct prisma_deploy_spec spec = {
        .project = &run->project,
        .live = at->where,
        .url = at->url,
        .application_name = at->application_name,
        .lock_timeout_ms = s->lock_timeout_ms,
        .timeout_ms = at->timeout_ms,
        .watch = watch,
        .started = at->started,
        .tick = at->tick,
        .context = at->context,
        .options = at->options,
    };
    return prisma_deploy(run->arena, &spec, outcome, e);
}

bool prisma_at_failed(const struct prisma_outcome *outcome, int attempt, struct err *e)
{
    const struct failure *f = &outcome->failure;
    const struct prisma_blocker *b = &outcome->blocker;
    err_set(e, outcome->end.timed_out ? ERR_TIMEOUT : ERR_QUERY, "%s", f->message);
    snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", f->sqlstate);
    if (f->lock_timeout && b->pid != 0)
        err_detail(e, "Session %d (%s) was in the way with: %s", b->pid,
                   b->application ? b->application : "no application name",
                   b->query ? b->query : "(no statement)");
    else if (f->migration[0] != '\0')
        err_detail(e, "Migration \"%s\", attempt %d.", f->migration, attempt);
    return false;
}

void prisma_at_disproved(const struct run *run, const struct history *now,
                         struct prisma_outcome *outcome)
{
    struct failure *f = &outcome->failure;
    f->class = FAILURE_UNKNOWN;
    f->message = "Prisma reports success, but its ledger does not say so of every migration";
    for (size_t i = 0; i < run->history.pending.count && f->migration[0] == '\0'; i++)
        if (!strlist_has(&now->applied, run->history.pending.items[i]))
            f->migration = run->history.pending.items[i];
}

struct json *prisma_at_child(struct run *run, pid_t pid, const char *application_name)
{
    struct json *facts = json_object();
    json_put_int(facts, "pid", pid);
    json_put_int(facts, "start_time", proc_start_time(pid));
    json_put(facts, "boot_id", proc_boot_id(run->arena));
    json_put(facts, "application_name", application_name);
    return facts;
}
