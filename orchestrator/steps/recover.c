#include "steps/recover.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "core/fence/clear.h"
#include "core/recover/leftovers.h"
#include "core/recover/quiet.h"
#include "core/restore/side.h"
#include "sql/queries.h"
#include "steps/recover_act.h"
#include "steps/recover_end.h"

static struct leftovers_spec leftovers_of(const struct recovery *r)
{
    return (struct leftovers_spec){
        .settings = r->spec->settings,
        .maintenance = r->maintenance,
        .live = r->spec->site->live.dbname,
        .past = &r->past,
        .run_folder = r->run_folder,
    };
}

/* Its own journal says that Prisma may have been at work. */
static bool needs_prisma_lock(const struct past *p)
{
    return !p->is_restore && p->stage >= PAST_MIGRATING && p->stage < PAST_SWAPPED;
}

static bool read_truth(struct recovery *r, struct err *e)
{
    const struct truth_spec spec = {
        .site = r->spec->site,
        .settings = r->spec->settings,
        .maintenance = r->maintenance,
        .past = &r->past,
        .run_folder = r->run_folder,
    };
    return truth_read(r->arena, &spec, &r->facts, e);
}

/* Prisma's lock is held while the database is judged; nobody at all may be at work before. */
static bool look(struct recovery *r, struct err *e)
{
    struct err missing = {0};
    const struct quiet_spec quiet = {.site = r->spec->site,
                                     .settings = r->spec->settings,
                                     .maintenance = r->maintenance,
                                     .past = &r->past};
    if (r->spec->dry_run)
        return read_truth(r, e);
    if (!quiet_make(r->arena, &quiet, e))
        return false;
    AUTO(pg) struct pg *lock = NULL;
    if (needs_prisma_lock(&r->past)) {
        lock = quiet_hold(r->arena, &quiet, &missing);
        if (lock == NULL && strcmp(missing.sqlstate, "3D000") != 0) {
            *e = missing;
            return false;
        }
    }
    return read_truth(r, e);
}

static bool check_backup(struct recovery *r, struct err *e)
{
    if (r->past.is_restore || r->facts.backup.id == NULL) {
        err_set(e, ERR_USAGE, "run %s has no backup to restore", r->past.run);
        err_hint(e,
                 "Close it by \"migsafe recover %s --keep\"; \"migsafe list\" shows the backups "
                 "for \"migsafe restore\".",
                 r->past.run);
        return false;
    }
    if (r->facts.truth.live == LIVE_IS_MISSING)
        return err_set(e, ERR_BROKEN, "there is no database \"%s\" to replace",
                       r->spec->site->live.dbname);
    log_info("checking the files of backup %s", r->facts.backup.id);
    return store_verify_files(r->arena, &r->facts.backup, e);
}

/* What a person said stands above the table; only what is live now is replaced. */
static bool decide(struct recovery *r, struct err *e)
{
    const struct past *p = &r->past;
    r->judgement = recover_judge(p, &r->facts.truth);
    if (r->spec->decision == DECIDE_KEEP)
        r->judgement = (struct judgement){.action = RECOVER_CLEAN,
                                          .verdict = "broken",
                                          .why = "A person says: keep it as it is."};
    if (r->spec->decision != DECIDE_RESTORE)
        return true;
    if (!check_backup(r, e))
        return false;
    bool proven = r->facts.truth.side_there && p->side.proven;
    r->past.live_oid = r->facts.live_oid;
    r->judgement = (struct judgement){
        .action = proven ? RECOVER_SWAP : RECOVER_BACK,
        .verdict = "restored",
        .why = "A person says: restore the backup.",
    };
    return true;
}

static void fill_out(struct recovery *r)
{
    struct recovered *o = r->out;
    o->action = recover_action_name(r->judgement.action);
    o->verdict = r->judgement.verdict;
    o->why = r->judgement.why;
    o->facts = truth_text(r->arena, &r->past, &r->facts);
    o->backup = r->past.backup;
}

static struct json *begin_facts(const struct recovery *r)
{
    static const char *const lives[] = {"old", "side", "other", "missing"};
    static const char *const ledgers[] = {"as before", "complete", "between"};
    const struct truth *t = &r->facts.truth;
    struct json *j = json_object();
    json_put(j, "stage", past_stage_name(r->past.stage));
    json_put(j, "action", r->out->action);
    json_put(j, "why", r->judgement.why);
    json_put(j, "live", lives[t->live]);
    json_put(j, "live_oid", r->facts.live_oid);
    json_put(j, "ledger", ledgers[t->ledger]);
    json_put_bool(j, "backup_good", t->backup_good);
    json_put_bool(j, "fence_stands", t->fence_stands);
    json_put_bool(j, "others_wrote", t->others_wrote);
    json_put_bool(j, "within_limit", t->within_limit);
    json_put(j, "facts", r->out->facts);
    return j;
}

static bool write_decision(struct recovery *r, struct err *e)
{
    struct json *j = json_object();
    r->out->decision = r->spec->decision == DECIDE_KEEP ? "keep" : "restore";
    json_put(j, "decision", r->out->decision);
    return journal_write(r->run->journal, "recover", "done", j, NULL, e);
}

/* A verdict that was there before stays, but for a restore that a person asked for. */
static bool end(struct recovery *r, const struct err *cause, struct err *e)
{
    bool decided = r->spec->decision != DECIDE_NOTHING;
    if (decided && strcmp(r->out->verdict, "broken") == 0 && r->spec->decision == DECIDE_RESTORE) {
        *e = *cause;
        return err_wrap(e, "could not restore");
    }
    if (r->past.verdict == NULL || r->spec->decision == DECIDE_RESTORE)
        recovery_end(r, cause);
    if (!decided)
        return true;
    r->out->exit_status = 0;
    r->out->error = (struct err){0};
    r->out->ways = strlist_on(r->arena);
    return write_decision(r, e);
}

static bool carry_out(struct recovery *r, struct err *e)
{
    struct err cause = {0}, late = {0};
    const char *state_dir = r->spec->settings->state_dir;
    AUTO(journal)
    struct journal *journal = journal_continue(state_dir, r->past.run, "recover", e);
    if (journal == NULL)
        return false;
    recovery_make_run(r);
    r->run->journal = journal;
    log_warning("run %s (%s) has no end, it stopped in step \"%s\": %s", r->past.run,
                r->past.command, r->past.last_step, r->judgement.why);
    if (!journal_write(journal, "recover", "begin", begin_facts(r), NULL, e))
        return false;
    if (!recovery_act(r, &cause, e)) {
        if (!journal_write(journal, "recover", "failed", NULL, e, &late))
            log_err_as(LOG_WARNING, &late);
        return err_wrap(e, "could not recover run %s", r->past.run);
    }
    return end(r, &cause, e);
}

/* Said again each time, until a person has decided. */
static bool still_broken(struct recovery *r, struct err *e)
{
    struct recovered *o = r->out;
    o->verdict = "broken";
    o->exit_status = err_exit_status(ERR_BROKEN);
    o->why = "A person must decide.";
    if (!read_truth(r, e))
        return false;
    recovery_make_run(r);
    err_set(&o->error, ERR_BROKEN, "run %s ended broken in step \"%s\", and nobody has decided yet",
            r->past.run, r->past.last_step);
    recovery_tell_broken(r);
    return true;
}

static bool recover_one(struct recovery *r, struct err *e)
{
    r->run_folder = arena_printf(r->arena, "%s/runs/%s", r->spec->settings->state_dir, r->past.run);
    *r->out = (struct recovered){.run = r->past.run,
                                 .command = r->past.command,
                                 .stage = past_stage_name(r->past.stage),
                                 .ways = strlist_on(r->arena),
                                 .cleared = strlist_on(r->arena)};
    if (r->past.verdict != NULL && r->spec->decision == DECIDE_NOTHING)
        return still_broken(r, e);
    if (!look(r, e) || !decide(r, e))
        return false;
    fill_out(r);
    return r->spec->dry_run || carry_out(r, e);
}

static bool is_ours(const struct journal_run *j, const char *database)
{
    const struct json *begin = json_find(journal_first(j->records, "run", "begin"), "data");
    return json_str(begin, "into", NULL) != NULL ||
           strcmp(json_str(begin, "database", database), database) == 0;
}

/* Names and oids repeat: on another server everything would be judged wrongly. */
static bool is_elsewhere(const struct recovery *r, const struct journal_run *j)
{
    const struct json *begin = json_find(journal_first(j->records, "run", "begin"), "data");
    const char *server = json_str(begin, "server", "");
    return server[0] != '\0' && r->server != NULL && strcmp(server, r->server) != 0;
}

/* That server may be gone: a person can close the run. */
static bool pass_by(const struct recovery *r, const struct journal_run *j, struct err *e)
{
    if (r->spec->run == NULL) {
        log_warning("run %s has no end, but worked on another server than this: left alone",
                    j->run);
        return true;
    }
    err_set(e, ERR_USAGE, "run %s worked on another server than this", j->run);
    err_hint(e, "Recover it there. When that server is gone: migsafe recover %s --keep.", j->run);
    return false;
}

static bool is_open(const struct journal_run *j)
{
    return json_count(j->records) > 0 &&
           (j->verdict == NULL || (strcmp(j->verdict, "broken") == 0 && j->decision == NULL));
}

/* The lock of the database may be lost where its run goes on: a session that was ended, a cut
 * connection.  Nothing of such a run may be touched. */
static bool check_dead(const struct recovery *r, struct err *e)
{
    if (!journal_is_held(r->arena, r->spec->settings->state_dir, r->past.run))
        return true;
    err_set(e, ERR_BUSY, "run %s is still at work on this machine", r->past.run);
    err_hint(e, "Wait for its end.");
    return false;
}

static bool take_up(struct recovery *r, const struct journal_run *j, struct recovered_list *done,
                    struct err *e)
{
    r->journaled = *j;
    r->past = past_of(r->arena, j);
    /* A restore into a new database takes no lock: it is in nobody's way. */
    if (!check_dead(r, e)) {
        bool passes = r->past.into != NULL && r->spec->run == NULL;
        *e = passes ? (struct err){0} : *e;
        return passes;
    }
    r->out = &done->items[done->count++];
    if (!recover_one(r, e))
        return false;
    if (!r->spec->dry_run && strcmp(r->out->verdict, "broken") == 0 && r->out->decision == NULL) {
        *e = r->out->error;
        return false;
    }
    return true;
}

/* Before a deploy that has its end few can lack theirs: those are looked for by less. */
static bool is_last(const struct journal_run *j)
{
    return j->verdict != NULL && strcmp(j->command, "deploy") == 0;
}

static bool recover_all(struct recovery *r, const struct strlist *runs, struct recovered_list *done,
                        struct err *e)
{
    const char *state_dir = r->spec->settings->state_dir;
    bool last = false, ok = true;
    for (size_t i = runs->count; i-- > 0 && ok;) {
        struct journal_run j;
        if (r->spec->run != NULL && strcmp(r->spec->run, runs->items[i]) != 0)
            continue;
        if (last && !journal_may_be_open(state_dir, runs->items[i]))
            continue;
        if (!journal_read(r->arena, state_dir, runs->items[i], &j, e))
            return err_wrap(e, "could not read an earlier run");
        bool ours = is_ours(&j, r->spec->site->live.dbname), elsewhere = is_elsewhere(r, &j);
        if (ours && is_open(&j))
            ok = elsewhere && r->spec->decision != DECIDE_KEEP ? pass_by(r, &j, e)
                                                               : take_up(r, &j, done, e);
        last = last || (ours && !elsewhere && is_last(&j));
        json_free(j.records);
    }
    return ok;
}

static bool find_runs(struct arena *a, const struct recover_spec *spec, struct strlist *runs,
                      struct err *e)
{
    if (!journal_list(a, spec->settings->state_dir, runs, e))
        return false;
    return spec->run == NULL || strlist_has(runs, spec->run) ||
           err_set(e, ERR_NOT_FOUND, "no such run in \"%s\": %s", spec->settings->state_dir,
                   spec->run);
}

/* Its name belongs to nobody: our swap never leaves it so. */
static bool check_live(struct arena *a, const struct recover_spec *spec, struct pg *m,
                       struct err *e)
{
    struct database_facts facts;
    struct side_database *items;
    size_t count;
    struct err ignored = {0};
    const char *live = spec->site->live.dbname;
    if (database_read(a, m, live, &facts, e))
        return true;
    if (strcmp(e->sqlstate, "3D000") != 0 || !side_list(a, m, live, &items, &count, &ignored) ||
        count == 0)
        return false;
    err_set(e, ERR_BROKEN, "database \"%s\" does not exist, but %s of it", live,
            str_plural(a, (int64_t)count, "other one", "other ones"));
    err_detail(e, "The last one is \"%s\" (%s).", items[count - 1].name, items[count - 1].purpose);
    err_hint(e,
             "When that is what it should be: ALTER DATABASE %s RENAME TO %s; and ALTER DATABASE "
             "%s ALLOW_CONNECTIONS true;",
             pg_ident(a, items[count - 1].name), pg_ident(a, live), pg_ident(a, live));
    return false;
}

bool recover_runs(struct arena *a, const struct recover_spec *spec, struct recovered_list *done,
                  struct err *e)
{
    struct strlist runs;
    *done = (struct recovered_list){.cleared = strlist_on(a), .strange = strlist_on(a)};
    AUTO(pg)
    struct pg *m = site_open_maintenance(spec->site, spec->settings, "migsafe recover", e);
    if (m == NULL || !find_runs(a, spec, &runs, e))
        return false;
    struct err untold = {0};
    struct recovery r = {.arena = a,
                         .spec = spec,
                         .maintenance = m,
                         .server = pg_value(a, m, sql_server_identity, PG_NONE, &untold)};
    done->items = arena_array(a, runs.count + 1, sizeof(*done->items));
    if (!recover_all(&r, &runs, done, e) || !check_live(a, spec, m, e))
        return false;
    const struct leftovers_spec leftovers = leftovers_of(&r);
    return leftovers_of_ended(a, &leftovers, spec->dry_run, &done->cleared, e) &&
           leftovers_strange(a, &leftovers, &done->strange, e) &&
           (spec->dry_run || fence_clear(a, m, spec->site->live.dbname, spec->settings, e));
}

/* In the child that outlives the run.  Nobody waits for it: what it cannot do now the next migsafe
 * does, but while the server is away or the lock is taken it tries again. */
bool recover_dead(const struct fence_watchdog_spec *w, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct recovered_list done;
    struct settings at_once = *w->settings;
    const char *id = arena_printf(a, "%s_%s", clock_stamp(a), random_hex(a, 4));
    at_once.wait_for_other_ms = 0;
    AUTO(runlock)
    struct runlock *lock = runlock_take(a, w->site, &at_once, id, "recover", e);
    if (lock == NULL)
        return false;
    const struct recover_spec spec = {
        .settings = w->settings, .site = w->site, .lock = lock, .run = w->run};
    bool ok = recover_runs(a, &spec, &done, e);
    if (done.count > 0 && (ok || e->kind == ERR_BROKEN))
        log_warning("run %s is dead and was recovered: %s", w->run, done.items[0].verdict);
    return ok || (e->kind != ERR_CONNECT && e->kind != ERR_BUSY);
}

bool recover_first(struct arena *a, const struct settings *s, const struct site *site,
                   struct runlock *lock, struct err *e)
{
    struct recovered_list done;
    const struct recover_spec spec = {.settings = s, .site = site, .lock = lock};
    bool ok = recover_runs(a, &spec, &done, e);
    for (size_t i = 0; i < done.count; i++)
        if (done.items[i].verdict != NULL && (ok || i + 1 < done.count))
            log_info("run %s is at its end: %s", done.items[i].run, done.items[i].verdict);
    for (size_t i = 0; i < done.cleared.count; i++)
        log_info("of a run that has its end, cleared: %s", done.cleared.items[i]);
    for (size_t i = 0; i < done.strange.count; i++)
        log_warning("left by a run that no journal tells of: %s", done.strange.items[i]);
    return ok;
}
