#include "steps/deploy.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/stop.h"
#include "core/backup/retention.h"
#include "core/fence/clear.h"
#include "core/report/announce.h"
#include "ext/repo.h"
#include "steps/follow.h"
#include "steps/hooks.h"
#include "steps/recover.h"
#include "steps/run.h"

#include <stdarg.h>

enum { LOOKS = 3, LOOK_PAUSE_MS = 300 };

static const struct step *const steps[] = {
    &step_preflight, &step_gate,         &step_rehearse_ahead, &step_fence,
    &step_backup,    &step_rehearse,     &step_migrate,        &step_health,
    &step_unfence,   &step_drop_standby, &step_backup_after,
};

const struct step *const *deploy_steps(size_t *count)
{
    *count = ARRAY_LEN(steps);
    return steps;
}

void run_warn(struct run *run, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    log_warning("%s", text);
    strlist_add(&run->report.warnings, arena_strdup(run->arena, text));
}

void run_warn_err(struct run *run, const struct err *e)
{
    log_err_as(LOG_WARNING, e);
    strlist_add(&run->report.warnings, arena_strdup(run->arena, e->message));
}

bool run_read_ledgers(struct run *run, struct pg *db, struct ledgers *all, struct history *history,
                      struct err *e)
{
    const struct connection *live = &run->site.live;
    if (!ledgers_read(run->arena, db, all, e))
        return false;
    *history = history_compare(run->arena, &run->folder,
                               ledgers_main(all, live->schema, live->schema_given));
    return true;
}

const char *run_next_xid(struct run *run, struct pg *db, struct err *e)
{
    return pg_value(run->arena, db, "SELECT pg_snapshot_xmax(pg_current_snapshot())", PG_NONE, e);
}

const struct migration *run_pending(const struct run *run, size_t i)
{
    return migration_find(&run->folder, run->history.pending.items[i]);
}

/* Folder and ledger: all that the fast path needs, and what every run begins with. */
static bool look(struct run *run, struct err *e)
{
    const struct settings *s = run->settings;
    if (!site_read(run->arena, s, &run->site, e) ||
        !prisma_project_find(run->arena, s->project, s->schema, &run->project, e))
        return false;
    AUTO(pg) struct pg *db = site_open_live(&run->site, NULL, e);
    if (db == NULL ||
        !prisma_state_read(run->arena, &run->project, &run->site.live, db, &run->state, e) ||
        !fence_read(run->arena, db, run->site.live.dbname, &run->left_fence, e))
        return false;
    run->folder = run->state.folder;
    run->history = run->state.history;
    return runlock_busy(run->arena, db, run->site.live.dbname, &run->other_at_work, e);
}

/* A swap of another run ends our session, or is met in its very milliseconds. */
static bool look_again(struct run *run, struct err *e)
{
    for (int i = 1; !look(run, e); i++) {
        struct err stopped = {0};
        if (e->kind != ERR_CONNECT || i == LOOKS)
            return false;
        if (!stop_sleep_ms(LOOK_PAUSE_MS, &stopped)) {
            *e = stopped;
            return false;
        }
        *e = (struct err){0};
    }
    return true;
}

static void clear_expired(const struct run *run)
{
    if (run->left_fence.run != NULL && run->left_fence.expired)
        fence_clear_expired(run->arena, &run->site, run->settings);
}

static bool nothing_to_do(const struct run *run)
{
    return run->state.outlook == OUTLOOK_UP_TO_DATE;
}

static void describe(struct run *run)
{
    struct repo_facts git = repo_read(run->arena, run->project.root);
    run->report.database = run->site.live.dbname;
    run->report.host = run->site.live.host;
    run->report.git_commit = git.commit;
    run->report.git_branch = git.branch;
    for (size_t i = 0; i < run->history.pending.count; i++) {
        const struct migration *m = run_pending(run, i);
        report_add_migration(&run->report, m->name, m->checksum);
    }
}

static struct json *begin_facts(const struct run *run, const char *digest)
{
    struct json *j = json_object();
    json_put(j, "database", run->site.live.dbname);
    json_put(j, "host", run->site.live.host);
    json_put(j, "server", runlock_server(run->lock));
    json_put(j, "pending_digest", digest);
    struct json *allow = json_put_array(j, "allow");
    for (size_t i = 0; i < run->settings->allow.count; i++)
        json_push(allow, run->settings->allow.items[i]);
    return j;
}

static void told(struct run *run, const struct step *step, const char *result, int64_t elapsed_ms,
                 const struct err *error)
{
    struct err late = {0};
    report_add_step(&run->report, step->name, result, elapsed_ms);
    if (step->commits && strcmp(result, "done") == 0 && !runlock_say_migrated(run->lock, &late))
        run_warn_err(run, &late);
    if (error != NULL && strcmp(result, "warning") == 0) {
        struct err e = *error;
        err_wrap(&e, "step \"%s\" failed after the deploy", step->name);
        run_warn_err(run, &e);
    }
}

/* What kept the way back from its end passes: no server, no room, another run.  The journal gets no
 * verdict then, and `recover` goes on. */
static bool left_open(const struct run *run, const struct steps_end *end)
{
    static const enum err_kind passing[] = {ERR_CONNECT, ERR_SYSTEM, ERR_BUSY, ERR_TIMEOUT};
    bool passes = false;
    for (size_t i = 0; i < ARRAY_LEN(passing); i++)
        passes = passes || end->undo_error.kind == passing[i];
    return end->undo_failed && !run->elsewhere && passes;
}

static const char *verdict_of(const struct run *run, const struct steps_end *end,
                              enum err_kind failure, enum err_kind *kind)
{
    *kind = ERR_NONE;
    if (end->committed)
        return "migrated";
    if (run->elsewhere || end->undo_failed) {
        *kind = ERR_BROKEN; /* half-migrated, maybe: whoever called must start nothing on it */
        return "broken";
    }
    *kind = failure;
    if (run->rolled_back) {
        *kind = ERR_RESTORED;
        return "restored";
    }
    if (end->failed != &step_migrate || failure == ERR_BUSY || run->hook_refused)
        return "refused";
    *kind = failure == ERR_CANCELLED ? ERR_CANCELLED : ERR_UNCHANGED;
    return "unchanged";
}

/* "a pre-deploy backup is pinned until the deploy after the next has succeeded": the newest two
 * pinned ones of this database stay pinned. */
static bool unpin_older(struct run *run, struct err *e)
{
    struct store store;
    size_t pinned = 0;
    if (!store_read(run->arena, run->settings->backup_dir, &store, e))
        return false;
    for (size_t i = store.count; i-- > 0;) {
        const struct stored *b = &store.items[i];
        bool counts = b->damage == NULL && b->manifest.pinned &&
                      strcmp(b->manifest.reason, "pre-deploy") == 0 &&
                      strcmp(b->manifest.kind, "full") == 0 &&
                      strcmp(b->manifest.database.name, run->site.live.dbname) == 0;
        if (counts && ++pinned > 2 && !store_pin(run->arena, b, false, e))
            return false;
    }
    return true;
}

/* What every good backup does: what need not be kept any more goes. */
static bool retain(struct run *run, struct err *e)
{
    struct retention_run r = {
        .backup_dir = run->settings->backup_dir,
        .database = run->site.live.dbname,
        .rules = retention_of(run->settings),
    };
    return !run->has_backup || retention_apply(run->arena, &r, e);
}

static void explain(const struct run *run, const char *verdict, const struct steps_end *end,
                    struct err *e)
{
    const char *database = run->site.live.dbname;
    if (strcmp(verdict, "restored") == 0)
        err_wrap(e, "the deploy failed and database \"%s\" was restored", database);
    else if (strcmp(verdict, "unchanged") == 0)
        err_wrap(e, "the deploy failed and database \"%s\" is unchanged", database);
    else if (strcmp(verdict, "refused") == 0)
        err_wrap(e, "the deploy was refused in step \"%s\"", end->failed ? end->failed->name : "");
    else if (end->undo_failed)
        err_detail(e, "%s",
                   arena_printf(run->arena, "%s%sThe way back failed: %s", e->detail,
                                e->detail[0] ? " " : "", end->undo_error.message));
    if (left_open(run, end))
        err_hint(e, "When the cause has passed, \"migsafe recover\" goes on with it; the next "
                    "deploy does so, too.");
}

/* An alert that does not go out is tried by the next run that ends the same way. */
static void tell_the_world(struct run *run, const struct steps_end *end, const char *digest,
                           const struct err *cause)
{
    struct err late = {0};
    bool refused = strcmp(run->report.verdict, "refused") == 0;
    if (refused && earlier_announced(&run->earlier, digest, cause))
        log_info("no alert: run %s was refused for the same reason and told it", run->earlier.last);
    else if (!announce(run->arena, run->settings, &run->report, !end->committed, &late)) {
        run_warn_err(run, &late);
        return;
    }
    if (!left_open(run, end) && !journal_write(run->journal, "announce", "done", NULL, NULL, &late))
        run_warn_err(run, &late);
}

static bool write_verdict(const struct run *run, const char *digest, const struct err *cause,
                          struct err *e)
{
    struct json *data = json_object();
    json_put(data, "verdict", run->report.verdict);
    json_put_int(data, "exit", run->report.exit_status);
    json_put(data, "pending_digest", digest);
    json_put_bool(data, "permanent", run->permanent);
    return journal_write(run->journal, "run", "verdict", data, cause, e);
}

static void conclude(struct run *run, const struct steps_end *end, const char *digest,
                     struct err *e)
{
    enum err_kind kind;
    struct err late = {0};
    const char *verdict = verdict_of(run, end, e->kind, &kind);
    int exit_status = err_exit_status(kind);
    struct err cause = *e;
    explain(run, verdict, end, e);
    e->kind = kind;
    stop_shield(true);
    if ((end->committed && !unpin_older(run, &late)) || !retain(run, &late))
        run_warn_err(run, &late);
    if (left_open(run, end))
        run->report.next = REPORT_GOES_ON;
    report_end(&run->report, verdict, exit_status, end->committed ? NULL : &cause);
    if (!left_open(run, end) && !write_verdict(run, digest, end->committed ? NULL : &cause, &late))
        run_warn_err(run, &late);
    tell_the_world(run, end, digest, &cause);
    if (!report_write(run->arena, run->settings->state_dir, &run->report, &late))
        run_warn_err(run, &late);
    run_hooks_end(run);
    stop_shield(false);
}

static bool go(struct run *run, struct err *e)
{
    struct steps_end end;
    const char *digest = history_pending_digest(run->arena, &run->history, &run->folder);
    AUTO(journal)
    struct journal *journal = journal_open(run->settings->state_dir, run->id, "deploy", e);
    if (journal == NULL ||
        !journal_write(journal, "run", "begin", begin_facts(run, digest), NULL, e))
        return false;
    run->journal = journal;
    describe(run);
    for (size_t i = 0; i < run->site.live.warnings.count; i++)
        run_warn(run, "%s", run->site.live.warnings.items[i]);
    log_info("run %s: %s to apply to %s", run->id,
             str_plural(run->arena, (int64_t)run->history.pending.count, "migration", "migrations"),
             connection_label(run->arena, &run->site.live));
    const struct steps_plan plan = {
        .steps = steps, .count = ARRAY_LEN(steps), .journal = journal, .told = told};
    bool ok = steps_run(&plan, run, &end, e);
    conclude(run, &end, digest, e);
    return ok;
}

/* Under the lock everything is read again: another run may have done the work meanwhile. */
static bool go_locked(struct run *run, const struct deploy_options *options, struct err *e)
{
    const char *state_dir = run->settings->state_dir;
    const struct earlier_of of = {run->site.live.dbname, runlock_server(run->lock)};
    if (!recover_first(run->arena, run->settings, &run->site, run->lock, e) ||
        !earlier_read(run->arena, state_dir, &of, &run->earlier, e) ||
        !earlier_refuse_broken(&run->earlier, e) || !look_again(run, e))
        return false;
    if (nothing_to_do(run)) {
        report_end(&run->report, "nothing-to-do", 0, NULL);
        return true;
    }
    const char *digest = history_pending_digest(run->arena, &run->history, &run->folder);
    if (!options->again && !earlier_refuse_repetition(&run->earlier, digest, e))
        return false;
    return go(run, e);
}

static bool complete(void *context, bool *is, struct err *e)
{
    struct run *run = context;
    if (!look_again(run, e))
        return false;
    *is = nothing_to_do(run);
    return true;
}

/* Under the lock, unless another run does the work meanwhile. */
static bool work_alone(struct run *run, const struct deploy_options *options, struct err *e)
{
    struct runlock *taken;
    struct follow follow = {
        .state_dir = run->settings->state_dir, .complete = complete, .context = run};
    const struct runlock_claim claim = follow_claim(&follow, run->id, "deploy");
    if (!runlock_await(run->arena, &run->site, run->settings, &claim, &taken, e))
        return false;
    AUTO(runlock) struct runlock *lock = taken;
    run->lock = lock;
    if (lock != NULL)
        return go_locked(run, options, e);
    report_end(&run->report, "nothing-to-do", 0, NULL);
    return true;
}

static bool work(struct run *run, const struct deploy_options *options, struct err *e)
{
    struct earlier earlier;
    if (!look_again(run, e))
        return false;
    const struct earlier_of of = {.database = run->site.live.dbname};
    if (!earlier_read(run->arena, run->settings->state_dir, &of, &earlier, e))
        return false;
    if (nothing_to_do(run) && !run->other_at_work && earlier.unfinished == NULL &&
        earlier.broken == NULL) {
        clear_expired(run);
        report_end(&run->report, "nothing-to-do", 0, NULL);
        return true;
    }
    return work_alone(run, options, e);
}

bool deploy(struct arena *a, const struct settings *s, const struct deploy_options *options,
            struct run_report *report, struct err *e)
{
    const char *id = arena_printf(a, "%s_%s", clock_stamp(a), random_hex(a, 4));
    struct run run = {
        .arena = a,
        .settings = s,
        .id = id,
        .application_name = arena_printf(a, "migsafe:%s", id),
        .progress = options->progress,
        .baseline = findings_on(a),
        .gate = findings_on(a),
        .found = findings_on(a),
        .report = report_new(a, id, "deploy"),
    };
    bool ok = work(&run, options, e);
    *report = run.report;
    return ok;
}
