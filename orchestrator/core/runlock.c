#include "core/runlock.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/stop.h"
#include "core/scratch.h"
#include "sql/queries.h"

#include <unistd.h>

enum { POLL_MS = 500 };

#define NAME_BEGIN    "migsafe:"
#define NAME_END      " lock"
#define NAME_MIGRATED " lock migrated"

struct runlock {
    struct pg *session;
    char *key;  /* a bigint as text */
    char *file; /* the informing one */
    char *run;
    char *server; /* or NULL */
};

void runlock_release(struct runlock *lock)
{
    if (lock == NULL)
        return;
    if (lock->file != NULL)
        unlink(lock->file);
    pg_close(lock->session); /* the server lets go of the lock with the session */
    free(lock->key);
    free(lock->file);
    free(lock->run);
    free(lock->server);
    free(lock);
}

static bool try_lock(struct arena *a, const struct runlock *lock, bool *got, struct err *e)
{
    const char *answer = pg_value(a, lock->session, sql_runlock_try, PG_ARGS(lock->key), e);
    if (answer == NULL)
        return err_wrap(e, "could not take the lock of migsafe");
    *got = answer[0] == 't';
    return true;
}

/* Who holds it, by application name ("migsafe:<run>") and pid. */
static bool busy(struct arena *a, const struct runlock *lock, const char *database, struct err *e)
{
    struct pg_rows rows;
    struct err ignored = {0};
    err_set(e, ERR_BUSY, "another run of migsafe works on database \"%s\"", database);
    if (pg_query(a, lock->session, sql_runlock_holder, PG_ARGS(lock->key), &rows, &ignored) &&
        rows.count > 0) {
        const char *name = pg_cell(&rows, 0, "application_name");
        const char *from = pg_cell(&rows, 0, "client");
        err_detail(e, "Its session is \"%s\" (pid %s, from %s).", name ? name : "",
                   pg_cell(&rows, 0, "pid"), from ? from : "the socket");
    }
    err_hint(e, "Wait for its end; \"wait-for-other\" says how long a run waits by itself.");
    return false;
}

/* The holder's run, out of the name of its session; "" when this role may not see it. */
static const char *holder(struct arena *a, const struct runlock *lock, bool *migrated)
{
    struct pg_rows rows;
    struct err ignored = {0};
    *migrated = false;
    if (!pg_query(a, lock->session, sql_runlock_holder, PG_ARGS(lock->key), &rows, &ignored) ||
        rows.count == 0)
        return "";
    const char *name = pg_cell(&rows, 0, "application_name");
    if (name == NULL || !str_starts(name, NAME_BEGIN))
        return "";
    *migrated = str_ends(name, NAME_MIGRATED);
    name += strlen(NAME_BEGIN);
    return arena_strndup(a, name, strcspn(name, " "));
}

static bool wait_a_while(const struct runlock *lock, const struct runlock_claim *claim,
                         bool *enough, struct err *e)
{
    AUTO(arena) struct arena *scratch = arena_new();
    bool migrated;
    if (claim->meanwhile != NULL) {
        const char *run = holder(scratch, lock, &migrated);
        if (!claim->meanwhile(claim->context, run, migrated, enough, e) || *enough)
            return *enough;
    }
    return stop_sleep_ms(POLL_MS, e);
}

enum poll_end { POLL_GOT, POLL_ENOUGH, POLL_FAILED };

static enum poll_end poll_lock(struct arena *a, const struct runlock *lock,
                               const struct settings *s, const char *database,
                               const struct runlock_claim *claim, struct err *e)
{
    struct deadline limit = deadline_in(s->wait_for_other_ms);
    bool told = false, enough = false;
    while (!enough) {
        bool got = false;
        if (!try_lock(a, lock, &got, e))
            return POLL_FAILED;
        if (got)
            return POLL_GOT;
        if (s->wait_for_other_ms == 0 || deadline_passed(&limit)) {
            busy(a, lock, database, e);
            return POLL_FAILED;
        }
        if (!told)
            log_info("another run of migsafe works on database \"%s\": waiting for its end",
                     database);
        told = true;
        if (!wait_a_while(lock, claim, &enough, e))
            return POLL_FAILED;
    }
    return POLL_ENOUGH;
}

/* Informs only: not being able to write it is no reason to stop. */
static void write_file(struct arena *a, struct runlock *lock, const struct settings *s,
                       const char *run, const char *command)
{
    struct err e = {0};
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    AUTO(json) struct json *j = json_object();
    json_put(j, "run", run);
    json_put(j, "command", command);
    json_put(j, "host", host);
    json_put_int(j, "pid", getpid());
    json_put(j, "since", clock_rfc3339(a));
    const char *text = json_pretty(a, j);
    const char *path = fs_join(a, s->state_dir, "lock");
    if (!fs_mkdirs(a, s->state_dir, &e) || !fs_write_atomic(a, path, text, strlen(text), &e)) {
        log_err_as(LOG_WARNING, &e);
        return;
    }
    lock->file = strdup(path);
    scratch_sweep(a, s->state_dir);
}

static const char *session_name(struct arena *a, const char *run)
{
    return arena_printf(a, NAME_BEGIN "%s" NAME_END, run);
}

static bool connect_session(struct arena *a, struct runlock *lock, const struct site *site,
                            const struct settings *s, struct err *e)
{
    pg_close(lock->session);
    lock->session = site_open_maintenance(site, s, session_name(a, lock->run), e);
    return lock->session != NULL && pg_exec(lock->session, sql_runlock_session, e);
}

static struct runlock *open_session(struct arena *a, const struct site *site,
                                    const struct settings *s, const char *run, struct err *e)
{
    AUTO(runlock) struct runlock *lock = calloc(1, sizeof(*lock));
    if (lock == NULL) {
        err_sys(e, ERR_SYSTEM, "could not take the lock of migsafe");
        return NULL;
    }
    lock->run = strdup(run);
    if (!connect_session(a, lock, site, s, e))
        return NULL;
    const char *key = pg_value(a, lock->session, sql_runlock_key, PG_ARGS(site->live.dbname), e);
    if (key == NULL)
        return NULL;
    lock->key = strdup(key);
    struct err ignored = {0};
    const char *server = pg_value(a, lock->session, sql_server_identity, PG_NONE, &ignored);
    lock->server = server == NULL ? NULL : strdup(server);
    return TAKE(lock);
}

bool runlock_await(struct arena *a, const struct site *site, const struct settings *s,
                   const struct runlock_claim *claim, struct runlock **taken, struct err *e)
{
    *taken = NULL;
    AUTO(runlock) struct runlock *lock = open_session(a, site, s, claim->run, e);
    if (lock == NULL)
        return false;
    enum poll_end end = poll_lock(a, lock, s, site->live.dbname, claim, e);
    if (end != POLL_GOT)
        return end == POLL_ENOUGH;
    write_file(a, lock, s, claim->run, claim->command);
    *taken = TAKE(lock);
    return true;
}

struct runlock *runlock_take(struct arena *a, const struct site *site, const struct settings *s,
                             const char *run, const char *command, struct err *e)
{
    struct runlock *lock;
    const struct runlock_claim claim = {.run = run, .command = command};
    return runlock_await(a, site, s, &claim, &lock, e) ? lock : NULL;
}

bool runlock_busy(struct arena *a, struct pg *db, const char *live, bool *is_busy, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_runlock_anywhere, PG_ARGS(live), &rows, e))
        return false;
    *is_busy = false;
    for (size_t i = 0; i < rows.count; i++) {
        const char *name = pg_cell(&rows, i, "application_name");
        *is_busy = *is_busy || name == NULL || !str_ends(name, NAME_MIGRATED);
    }
    return true;
}

const char *runlock_server(const struct runlock *lock)
{
    return lock == NULL ? NULL : lock->server;
}

bool runlock_say_migrated(struct runlock *lock, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *name = arena_printf(a, NAME_BEGIN "%s" NAME_MIGRATED, lock->run);
    return pg_execf(lock->session, e, "SET application_name = %s", pg_literal(a, name));
}

bool runlock_check(struct arena *a, struct runlock *lock, struct err *e)
{
    if (lock->session == NULL)
        return err_set(e, ERR_CONNECT, "the session that holds the lock of migsafe is gone");
    const char *held = pg_value(a, lock->session, sql_runlock_held, PG_ARGS(lock->key), e);
    if (held != NULL && held[0] == 't')
        return true;
    if (held != NULL)
        err_set(e, ERR_BUSY, "the lock of migsafe is not held any more");
    return err_wrap(e, "the session that holds the lock of migsafe is gone");
}

/* Where only our side of the connection is gone, the server keeps our session, and the lock with
 * it, until it notices. */
static bool take_anew(struct arena *a, struct runlock *lock, const struct site *site,
                      const struct settings *s, struct err *e)
{
    bool got = false;
    struct pg_rows rows;
    if (!connect_session(a, lock, site, s, e) ||
        !pg_query(a, lock->session, sql_runlock_end_old, PG_ARGS(session_name(a, lock->run)), &rows,
                  e) ||
        !try_lock(a, lock, &got, e))
        return false;
    return got || busy(a, lock, site->live.dbname, e);
}

bool runlock_hold(struct arena *a, struct runlock *lock, const struct site *site,
                  const struct settings *s, struct err *e)
{
    struct deadline limit = deadline_in(s->wait_ms);
    struct err lost = {0}, stopped = {0};
    if (runlock_check(a, lock, &lost))
        return true;
    log_warning("%s: taking it anew", lost.message);
    while (!take_anew(a, lock, site, s, e)) {
        if ((e->kind != ERR_CONNECT && e->kind != ERR_BUSY) || deadline_passed(&limit))
            return false;
        if (!stop_sleep_ms(POLL_MS, &stopped)) {
            *e = stopped;
            return false;
        }
        *e = (struct err){0};
    }
    return true;
}
