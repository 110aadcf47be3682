#include "core/recover/truth.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "core/recover/before.h"

#include <time.h>

enum { LOCK_WAIT_MS = 30000, NAMED_MAX = 5, CLOCK_BACK_S = 60 };

struct looking {
    struct arena *arena;
    const struct truth_spec *spec;
    const struct past *past;
    struct truth_facts *facts;
};

/* Whoever opens a session waits for a swap that the server is still at. */
static bool read_live(struct looking *l, struct err *e)
{
    struct truth_facts *f = l->facts;
    const char *name = l->spec->site->live.dbname;
    f->truth.live = LIVE_IS_OTHER;
    if (!database_read(l->arena, l->spec->maintenance, name, &f->live, e)) {
        bool missing = strcmp(e->sqlstate, "3D000") == 0;
        f->truth.live = LIVE_IS_MISSING;
        *e = missing ? (struct err){0} : *e;
        return missing;
    }
    f->live_oid = f->live.oid;
    if (l->past->live_oid != NULL && str_same(f->live_oid, l->past->live_oid))
        f->truth.live = LIVE_IS_OLD;
    else if (l->past->side.oid != NULL && str_same(f->live_oid, l->past->side.oid))
        f->truth.live = LIVE_IS_SIDE;
    return true;
}

static bool exists(struct looking *l, const struct past_database *d, bool *there, struct err *e)
{
    struct pg_rows rows;
    *there = false;
    if (d->name == NULL || d->oid == NULL)
        return true;
    if (!pg_query(l->arena, l->spec->maintenance,
                  "SELECT FROM pg_database WHERE datname = $1 AND oid = $2::oid",
                  PG_ARGS(d->name, d->oid), &rows, e))
        return false;
    *there = rows.count > 0;
    return true;
}

static void read_failed(struct looking *l, const struct ledger *main)
{
    for (size_t i = 0; main != NULL && i < main->count; i++)
        if (ledger_row_state(&main->rows[i]) == LEDGER_FAILED)
            strlist_add(&l->facts->failed, main->rows[i].name);
}

/* As the role that read it before: what the catalogs show may depend on that. */
static bool read_ledger(struct looking *l, struct err *e)
{
    struct snapshot catalogs;
    struct ledgers ledgers;
    const struct connection *live = &l->spec->site->live;
    const struct session_use use = {.application_name = "migsafe recover",
                                    .lock_timeout_ms = LOCK_WAIT_MS};
    AUTO(pg) struct pg *db = connection_open(live, &use, e);
    if (db == NULL || !snapshot_take(l->arena, db, &catalogs, e) ||
        !ledgers_read(l->arena, db, &ledgers, e))
        return false;
    const struct before now = {.catalogs = &catalogs,
                               .ledgers = &ledgers,
                               .main = ledgers_main(&ledgers, live->schema, live->schema_given),
                               .schema = live->schema};
    read_failed(l, now.main);
    l->facts->truth.ledger = before_compare(l->arena, l->past, &now);
    l->facts->truth.others_migrated = before_others_migrated(l->past, now.main);
    return true;
}

/* By the server: a crash of it, or an older one restored, may have lost what is asked for. */
static bool read_transaction(struct looking *l, struct err *e)
{
    enum { TRIES = 50, PAUSE_MS = 200 };
    const char *status = "in progress";
    l->facts->truth.transaction = TRANSACTION_UNKNOWN;
    if (l->past->transaction == NULL)
        return true;
    for (int i = 0; i < TRIES && strcmp(status, "in progress") == 0; i++) {
        struct err gone = {0};
        if (i > 0 && !stop_sleep_ms(PAUSE_MS, e))
            return false;
        status = pg_value(l->arena, l->spec->maintenance, "SELECT txid_status($1::bigint)",
                          PG_ARGS(l->past->transaction), &gone);
        if (status == NULL && gone.kind != ERR_QUERY) {
            *e = gone;
            return false;
        }
        if (status == NULL)
            return true;
    }
    if (strcmp(status, "committed") == 0)
        l->facts->truth.transaction = TRANSACTION_COMMITTED;
    if (strcmp(status, "aborted") == 0)
        l->facts->truth.transaction = TRANSACTION_ABORTED;
    return true;
}

static void find_backup(struct looking *l)
{
    struct err e = {0};
    struct truth_facts *f = l->facts;
    if (l->past->backup == NULL)
        f->backup_damage = "the run had none";
    else if (!store_find(l->arena, l->spec->settings->backup_dir, l->past->backup, &f->backup, &e))
        f->backup_damage = arena_strdup(l->arena, e.message);
    if (f->backup_damage != NULL)
        f->backup.id = NULL;
    f->truth.backup_good = f->backup_damage == NULL;
}

static void verify_backup(struct looking *l)
{
    struct err e = {0};
    struct truth_facts *f = l->facts;
    if (f->backup.id != NULL) {
        log_info("checking the files of backup %s", f->backup.id);
        if (!store_verify_files(l->arena, &f->backup, &e))
            f->backup_damage = arena_strdup(l->arena, e.message);
    }
    f->truth.backup_good = f->backup_damage == NULL;
}

static bool read_writes(struct looking *l, struct err *e)
{
    struct truth_facts *f = l->facts;
    const struct session_use use = {.application_name = "migsafe recover"};
    f->truth.others_wrote = true;
    if (f->backup.id == NULL) {
        f->wrote.unknown = "there is no backup to compare with";
        return true;
    }
    struct connection live = connection_to(&l->spec->site->server, l->spec->site->live.dbname);
    AUTO(pg) struct pg *db = connection_open(&live, &use, e);
    if (db == NULL)
        return false;
    const struct wrote_spec spec = {.live = db,
                                    .before = &f->backup.manifest,
                                    .live_oid = f->live_oid,
                                    .migrations = &f->intended,
                                    .xid = l->past->xid};
    log_info("looking whether others have written since");
    wrote_look(l->arena, &spec, &f->wrote);
    f->truth.others_wrote = f->wrote.tables.count > 0 || f->wrote.unknown != NULL;
    return true;
}

static bool read_fence(struct looking *l, struct err *e)
{
    struct truth_facts *f = l->facts;
    if (!fence_read(l->arena, l->spec->maintenance, l->spec->site->live.dbname, &f->fence, e))
        return false;
    bool ours = str_same(f->fence.run, l->past->run);
    bool set = strlist_has(&f->live.settings, "default_transaction_read_only=on");
    f->truth.fence_stands = ours && set && f->wrote.tables.count == 0;
    return true;
}

/* By this machine's clock, as the records are.  One that went back by more than a moment: nobody
 * knows how long ago that was. */
static void read_age(struct looking *l)
{
    struct truth_facts *f = l->facts;
    int64_t then = l->past->last_at == NULL ? -1 : clock_parse_rfc3339(l->past->last_at);
    int64_t age_s = (int64_t)time(NULL) - then;
    f->age_ms = then < 0 || age_s < -CLOCK_BACK_S ? -1 : age_s < 0 ? 0 : age_s * 1000;
    f->truth.within_limit = f->age_ms >= 0 && f->age_ms <= l->spec->settings->recover_limit_ms;
}

/* May the judgement be to restore over what is live? */
static bool may_go_back(const struct past *p, const struct truth *t)
{
    if (t->live != LIVE_IS_OLD || p->is_restore)
        return false;
    switch (p->stage) {
    case PAST_MIGRATING:
        return t->ledger != LEDGER_AS_BEFORE;
    case PAST_ROLLING_BACK:
    case PAST_SWAPPING:
        return true;
    case PAST_IN_PLACE:
        return t->transaction == TRANSACTION_ABORTED;
    case PAST_BEFORE_BACKUP:
    case PAST_BACKED_UP:
    case PAST_SWAPPED:
    case PAST_COMMITTED:
        break;
    }
    return false;
}

static bool look(struct looking *l, struct err *e)
{
    struct truth *t = &l->facts->truth;
    struct err ignored = {0};
    const struct past *p = l->past;
    if (!read_live(l, e))
        return false;
    read_age(l);
    if (p->migration_count > 0 &&
        !intended_read(l->arena, l->spec->run_folder, p, &l->facts->intended, &ignored))
        l->facts->intended = (struct migration_list){0};
    find_backup(l);
    if (t->live != LIVE_IS_MISSING && p->stage >= PAST_MIGRATING && p->stage != PAST_COMMITTED &&
        !p->is_restore && !read_ledger(l, e))
        return false;
    if ((p->stage == PAST_IN_PLACE && !read_transaction(l, e)) ||
        !exists(l, &p->side, &t->side_there, e) || !exists(l, &p->standby, &t->standby_there, e))
        return false;
    if (!may_go_back(p, t))
        return true;
    verify_backup(l);
    return read_writes(l, e) && read_fence(l, e);
}

bool truth_read(struct arena *a, const struct truth_spec *spec, struct truth_facts *facts,
                struct err *e)
{
    struct looking l = {.arena = a, .spec = spec, .past = spec->past, .facts = facts};
    *facts = (struct truth_facts){.failed = strlist_on(a), .wrote.tables = strlist_on(a)};
    facts->intended = (struct migration_list){0};
    facts->truth.ledger = LEDGER_BETWEEN;
    facts->truth.others_wrote = true;
    if (look(&l, e))
        return true;
    if (strcmp(e->sqlstate, "55P03") == 0 && e->hint[0] == '\0')
        err_hint(e, "A session is still changing the schema: one of the run itself, which "
                    "`migsafe recover` without --dry-run ends, or somebody else's.");
    return err_wrap(e, "could not see what run %s left", spec->past->run);
}

char *truth_text(struct arena *a, const struct past *past, const struct truth_facts *f)
{
    struct str s = str_on(a);
    if (f->age_ms >= 0)
        str_printf(&s, "Its last record (%s %s) is %s old.", past->last_step, past->last_event,
                   clock_human_ms(a, f->age_ms));
    if (f->wrote.tables.count > 0) {
        str_add(&s, " Written since the backup: ");
        for (size_t i = 0; i < f->wrote.tables.count && i < NAMED_MAX; i++)
            str_printf(&s, "%s%s", i == 0 ? "" : ", ", f->wrote.tables.items[i]);
        if (f->wrote.tables.count > NAMED_MAX)
            str_printf(&s, " and %zu more tables", f->wrote.tables.count - NAMED_MAX);
        str_add(&s, ".");
    }
    if (f->wrote.unknown != NULL)
        str_printf(&s, " What others wrote is not known: %s.", f->wrote.unknown);
    if (f->backup_damage != NULL && past->backup != NULL)
        str_printf(&s, " Backup %s: %s.", past->backup, f->backup_damage);
    if (f->truth.others_migrated)
        str_add(&s, " The ledger has migrations since that are not the run's.");
    if (f->failed.count > 0)
        str_printf(&s, " Failed in the ledger: %s.", strlist_join(&f->failed, ", "));
    return s.text;
}
