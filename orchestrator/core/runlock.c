#include "core/runlock.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/stop.h"
#include "sql/queries.h"

#include <unistd.h>

enum { POLL_MS = 500 };

struct runlock {
    struct pg *session;
    char *key;  /* a bigint as text */
    char *file; /* the informing one */
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
    free(lock);
}

static bool try_lock(struct arena *a, const struct runlock *lock, bool *got, struct err *e)
{
    const char *answer =
        pg_value(a, lock->session, "SELECT pg_try_advisory_lock($1)", PG_ARGS(lock->key), e);
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

static bool poll_lock(struct arena *a, const struct runlock *lock, const struct settings *s,
                      const char *database, struct err *e)
{
    struct deadline limit = deadline_in(s->wait_for_other_ms);
    bool told = false;
    for (;;) {
        bool got = false;
        if (!try_lock(a, lock, &got, e))
            return false;
        if (got)
            return true;
        if (s->wait_for_other_ms == 0 || deadline_passed(&limit))
            return busy(a, lock, database, e);
        if (!told)
            log_info("another run of migsafe works on database \"%s\": waiting for its end",
                     database);
        told = true;
        if (!stop_sleep_ms(POLL_MS, e))
            return false;
    }
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
}

struct runlock *runlock_take(struct arena *a, const struct site *site, const struct settings *s,
                             const char *run, const char *command, struct err *e)
{
    AUTO(runlock) struct runlock *lock = calloc(1, sizeof(*lock));
    if (lock == NULL) {
        err_sys(e, ERR_SYSTEM, "could not take the lock of migsafe");
        return NULL;
    }
    lock->session = site_open_maintenance(site, s, arena_printf(a, "migsafe:%s lock", run), e);
    if (lock->session == NULL || !pg_exec(lock->session, sql_runlock_session, e))
        return NULL;
    const char *key = pg_value(a, lock->session, sql_runlock_key, PG_ARGS(site->live.dbname), e);
    if (key == NULL)
        return NULL;
    lock->key = strdup(key);
    if (!poll_lock(a, lock, s, site->live.dbname, e))
        return NULL;
    write_file(a, lock, s, run, command);
    return TAKE(lock);
}

bool runlock_check(struct arena *a, struct runlock *lock, struct err *e)
{
    const char *held = pg_value(a, lock->session, sql_runlock_held, PG_ARGS(lock->key), e);
    if (held != NULL && held[0] == 't')
        return true;
    if (held != NULL)
        err_set(e, ERR_BUSY, "the lock of migsafe is not held any more");
    return err_wrap(e, "the session that holds the lock of migsafe is gone");
}
