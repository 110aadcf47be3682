/*
 * Up to `attempts` runs of Prisma.  After each the database is looked at, not the
 * exit status alone: success is exit 0 and the success line and the ledger
 * complete.  What may follow a failure is decided by its class (why) together
 * with what stayed behind (leftover.h): see next_move.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/stop.h"
#include "core/recover/before.h"
#include "steps/fencing.h"
#include "steps/hooks.h"
#include "steps/leftover.h"
#include "steps/prisma_at.h"
#include "steps/rollback.h"

enum { WRITERS_DEADLINE_MS = 2000 };

enum move { MOVE_DONE, MOVE_RETRY, MOVE_MARK_AND_RETRY, MOVE_GIVE_UP };

struct attempt {
    int number;
    struct prisma_outcome outcome;
    struct leftover_facts left;
};

struct watching { /* what a run of Prisma calls back for */
    struct run *run;
    struct pg *others; /* a session to look for writers that the fence does not hold; or NULL */
};

static void look_for_writers(void *context)
{
    const struct watching *w = context;
    if (w->others != NULL)
        fence_watch_look(w->run->fence_watch, w->others);
}

static bool journal_child(void *context, pid_t pid, struct err *e)
{
    struct run *run = ((struct watching *)context)->run;
    struct json *facts = prisma_at_child(run, pid, run->application_name);
    return journal_write(run->journal, "migrate", "note", facts, NULL, e);
}

/* Prisma waits for its advisory lock only as long as our lock_timeout lets it: so we wait first. */
static bool wait_for_lock(struct run *run, struct err *e)
{
    const struct settings *s = run->settings;
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, s, NULL, e);
    return m != NULL &&
           prisma_lock_wait(run->arena, m, run->site.live.dbname, s->wait_for_other_ms, e);
}

static bool run_prisma(struct run *run, struct prisma_outcome *outcome, struct err *e)
{
    const struct settings *s = run->settings;
    const struct session_use use = {.application_name = "migsafe watch",
                                    .query_deadline_ms = WRITERS_DEADLINE_MS};
    AUTO(pg)
    struct pg *others =
        run->fence_watch != NULL
            ? connection_open_maintenance(&run->site.server, s->maintenance_database, &use, e)
            : NULL;
    if (run->fence_watch != NULL && others == NULL)
        return false;
    struct watching w = {.run = run, .others = others};
    const struct prisma_place live = {
        .where = &run->site.live,
        .url = run->site.url,
        .application_name = run->application_name,
        .timeout_ms = run->settings->migrate_timeout_ms,
        .started = journal_child,
        .tick = look_for_writers,
        .context = &w,
        .options = run->fenced && !fence_was_on(&run->fence_mark) ? FENCE_EXEMPT : NULL,
    };
    return prisma_at(run, &live, outcome, e);
}

/* Killing the CLI does not stop its SQL (docs/PRISMA.md): nothing is judged before it is quiet. */
static bool settle(struct run *run, struct err *e)
{
    AUTO(pg) struct pg *m = site_open_maintenance(&run->site, run->settings, NULL, e);
    return m != NULL &&
           prisma_sessions_end(run->arena, m, run->site.live.dbname, run->application_name, e) &&
           prisma_lock_wait(run->arena, m, run->site.live.dbname, run->settings->wait_for_other_ms,
                            e);
}

/* Success claimed, nothing applied here, no session of it seen here: it migrated something else. */
static bool worked_elsewhere(const struct attempt *t)
{
    const struct prisma_outcome *o = &t->outcome;
    return o->elsewhere ||
           (o->failure.class == FAILURE_NONE && !o->session_seen && t->left.left == LEFT_NOTHING);
}

static enum move next_move(const struct run *run, const struct attempt *t)
{
    enum failure_class class = t->outcome.failure.class;
    bool again = t->number < run->settings->attempts;
    switch (t->left.left) {
    case LEFT_COMPLETE:
        return class == FAILURE_NONE ? MOVE_DONE : MOVE_GIVE_UP;
    case LEFT_NOTHING:
        return again && (class == FAILURE_BEFORE || class == FAILURE_TRANSIENT) ? MOVE_RETRY
                                                                                : MOVE_GIVE_UP;
    case LEFT_ROW_ONLY:
        return again && class == FAILURE_TRANSIENT ? MOVE_MARK_AND_RETRY : MOVE_GIVE_UP;
    case LEFT_UNKNOWN:
        break;
    }
    return MOVE_GIVE_UP;
}

static bool journal_attempt(struct run *run, const struct attempt *t, enum move move, struct err *e)
{
    static const char *const moves[] = {"done", "retry", "retry in place", "give up"};
    const struct failure *f = &t->outcome.failure;
    const struct prisma_blocker *b = &t->outcome.blocker;
    struct json *facts = json_object();
    json_put_int(facts, "attempt", t->number);
    json_put(facts, "class", failure_class_name(f->class));
    json_put(facts, "code", f->code);
    json_put(facts, "sqlstate", f->sqlstate);
    json_put(facts, "migration", f->migration);
    json_put(facts, "message", f->message);
    json_put_int(facts, "exit", t->outcome.end.exit_status);
    json_put_bool(facts, "session_seen", t->outcome.session_seen);
    json_put(facts, "left_behind", t->left.why);
    json_put(facts, "next", moves[move]);
    if (b->pid != 0) {
        struct json *blocker = json_put_object(facts, "blocker");
        json_put_int(blocker, "pid", b->pid);
        json_put(blocker, "application", b->application);
        json_put(blocker, "query", b->query);
        json_put(blocker, "waiting", b->waiting_statement);
    }
    return journal_write(run->journal, "migrate", "attempt", facts, NULL, e);
}

/* 1 s, 2 s, 4 s ... with up to half of it on top: several deploys do not come back in step. */
static bool back_off(const struct run *run, int number, struct err *e)
{
    int64_t base = 1000LL << (number < 6 ? number - 1 : 5);
    int64_t pause = base + (int64_t)(random_u64() % (uint64_t)(base / 2));
    log_info("attempt %d of %d failed; trying again in %s", number, run->settings->attempts,
             clock_human_ms(run->arena, pause));
    return stop_sleep_ms(pause, e);
}

/* What stopped the attempts must not hide why they were needed. */
static bool stopped(const struct err *first, struct err *e)
{
    if (first->kind != ERR_NONE && e->detail[0] == '\0')
        err_detail(e, "Before that: %s", first->message);
    return false;
}

static bool judge(struct run *run, struct attempt *t, struct err *e)
{
    if (!settle(run, e))
        return false;
    fencing_prisma_ended(run);
    if (!leftover_judge(run, &t->outcome, &t->left, e))
        return false;
    run->changed = t->left.left != LEFT_NOTHING;
    return true;
}

/* One run and what became of it.  False: no further attempt can be made. */
static bool make_attempt(struct run *run, struct attempt *t, enum move *move, struct err *e)
{
    struct err ended = {0};
    if (!wait_for_lock(run, e))
        return false;
    fencing_prisma_starts(run);
    run->changed = true; /* until it is seen that it is not */
    bool ran = run_prisma(run, &t->outcome, &ended);
    stop_shield(true); /* the database must be judged, whatever was asked of us meanwhile */
    bool judged = judge(run, t, e);
    stop_shield(false);
    if (!judged)
        return stopped(&ended, e);
    if (!ran) {
        *e = ended;
        return false;
    }
    run->elsewhere = worked_elsewhere(t);
    if (!run->elsewhere && t->outcome.failure.class == FAILURE_NONE &&
        t->left.left != LEFT_COMPLETE)
        prisma_at_disproved(run, &t->left.now, &t->outcome);
    *move = next_move(run, t);
    report_add_attempt(&run->report, &t->outcome);
    return journal_attempt(run, t, *move, e);
}

static bool mark(struct run *run, const struct attempt *t, struct err *e)
{
    AUTO(pg) struct pg *db = site_open_live(&run->site, NULL, e);
    log_info("migration \"%s\" left nothing behind (%s): its ledger row is marked rolled back",
             t->left.failed, t->left.why);
    return db != NULL && ledger_mark_rolled_back(db, t->left.ledger_schema, t->left.failed, e);
}

static bool is_elsewhere(const struct run *run, const struct attempt *t, struct err *e)
{
    const char *database = run->site.live.dbname;
    if (t->outcome.elsewhere)
        return err_set(e, ERR_BROKEN, "Prisma says that it worked on %s, not on database \"%s\"",
                       t->outcome.printed_target ? t->outcome.printed_target : "another database",
                       database);
    return err_set(e, ERR_BROKEN, "Prisma reports success, but database \"%s\" is as before",
                   database);
}

static bool apply_attempts(struct run *run, struct err *e)
{
    struct err first = {0};
    for (int number = 1;; number++) {
        struct attempt t = {.number = number};
        enum move move = MOVE_GIVE_UP;
        if (!make_attempt(run, &t, &move, e))
            return stopped(&first, e);
        if (run->elsewhere)
            return is_elsewhere(run, &t, e);
        if (move == MOVE_DONE)
            return true;
        if (first.kind == ERR_NONE)
            prisma_at_failed(&t.outcome, t.number, &first);
        run->permanent = t.outcome.failure.class == FAILURE_PERMANENT ||
                         t.outcome.failure.class == FAILURE_UNKNOWN;
        if (move == MOVE_GIVE_UP) {
            *e = first;
            return false;
        }
        if ((move == MOVE_MARK_AND_RETRY && !mark(run, &t, e)) || !back_off(run, number, e))
            return stopped(&first, e);
    }
}

static bool read_before(struct run *run, struct err *e)
{
    struct history now;
    AUTO(pg) struct pg *db = site_open_live(&run->site, NULL, e);
    if (db == NULL || !snapshot_take(run->arena, db, &run->schema_before, e) ||
        !run_read_ledgers(run, db, &run->ledgers_before, &now, e))
        return false;
    run->xid_before = run_next_xid(run, db, e);
    return run->xid_before != NULL;
}

/* For a recover, should this run not come to its end. */
static bool write_down(struct run *run, struct err *e)
{
    struct arena *a = run->arena;
    const struct connection *live = &run->site.live;
    const char *folder = journal_folder(run->journal);
    const struct before before = {
        .catalogs = &run->schema_before,
        .ledgers = &run->ledgers_before,
        .main = ledgers_main(&run->ledgers_before, live->schema, live->schema_given),
        .schema = live->schema,
    };
    size_t count = run->history.pending.count;
    struct migration_list intended = {.items = arena_array(a, count + 1, sizeof(*intended.items)),
                                      .count = count};
    for (size_t i = 0; i < count; i++)
        intended.items[i] = *run_pending(run, i);
    struct json *facts = before_json(a, &before);
    json_put(facts, "xid", run->xid_before);
    return intended_write(a, folder, &intended, e) &&
           catalogs_write(a, folder, &run->schema_before, e) &&
           journal_write(run->journal, "migrate", "note", facts, NULL, e);
}

/* The hooks come before all that is read: what they write is not the migration's.  When they
 * refuse, the backup is one like any other: pinned ones of a container's restart loop would fill
 * the disk. */
static bool hooks_before(struct run *run, struct err *e)
{
    struct err late = {0};
    run->hook_refused = !run_hooks(run, HOOK_PRE_MIGRATE, NULL, e);
    if (run->hook_refused && !store_pin(run->arena, &run->stored, false, &late))
        run_warn_err(run, &late);
    return !run->hook_refused;
}

static bool apply(struct run *run, struct err *e)
{
    if (!hooks_before(run, e))
        return false;
    if (!runlock_check(run->arena, run->lock, e))
        return false;
    if (!read_before(run, e))
        return err_wrap(e, "could not read the state before the migration");
    if (!write_down(run, e))
        return false;
    if (!apply_attempts(run, e))
        return false;
    run_hooks_or_warn(run, HOOK_POST_MIGRATE, NULL);
    return true;
}

static struct json *facts(struct run *run)
{
    struct json *j = json_object();
    struct json *intended = json_put_array(j, "migrations");
    for (size_t i = 0; i < run->history.pending.count; i++) {
        const struct migration *m = run_pending(run, i);
        struct json *item = json_push_object(intended);
        json_put(item, "name", m->name);
        json_put(item, "checksum", m->checksum);
    }
    json_put(j, "live_oid", run->facts.oid);
    json_put(j, "backup", run->backup.full_id);
    json_put_bool(j, "fenced", fencing_unbroken(run));
    json_put_bool(j, "in_place", run->in_place);
    return j;
}

const struct step step_migrate = {
    .name = "migrate",
    .what = "run prisma migrate deploy",
    .apply = apply,
    .undo = roll_back,
    .facts = facts,
};
