#include "core/backup/freeze.h"

#include "sql/queries.h"

enum { RESTARTS = 3, BATCH_BYTES = 100000 };

/* What one try came to. */
enum outcome { FROZEN, CHANGED, FAILED };

static bool list_tables(struct arena *a, struct pg *db, struct frozen *f, bool *rewritten,
                        struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql_backup_tables, PG_NONE, &rows, e))
        return err_wrap(e, "could not list the tables");
    f->count = rows.count;
    f->tables = arena_array(a, rows.count + 1, sizeof(*f->tables));
    *rewritten = false;
    for (size_t i = 0; i < rows.count; i++) {
        f->tables[i] = (struct frozen_table){.oid = pg_cell(&rows, i, "oid"),
                                             .schema = pg_cell(&rows, i, "schema"),
                                             .name = pg_cell(&rows, i, "name"),
                                             .counted = pg_cell_bool(&rows, i, "counted"),
                                             .inserted = pg_cell_int(&rows, i, "inserted"),
                                             .updated = pg_cell_int(&rows, i, "updated"),
                                             .deleted = pg_cell_int(&rows, i, "deleted")};
        *rewritten |= pg_cell_bool(&rows, i, "rewritten");
    }
    return true;
}

static bool same_tables(const struct frozen *x, const struct frozen *y)
{
    if (x->count != y->count)
        return false;
    for (size_t i = 0; i < x->count; i++)
        if (strcmp(x->tables[i].oid, y->tables[i].oid) != 0 ||
            strcmp(x->tables[i].schema, y->tables[i].schema) != 0 ||
            strcmp(x->tables[i].name, y->tables[i].name) != 0)
            return false;
    return true;
}

/* ONLY: children are in the list themselves. */
static bool lock_tables(struct arena *a, struct pg *db, const struct frozen *f, struct err *e)
{
    struct str batch = str_on(a);
    for (size_t i = 0; i < f->count; i++) {
        str_printf(&batch, "%sONLY %s", batch.length == 0 ? "LOCK TABLE " : ", ",
                   pg_ident2(a, f->tables[i].schema, f->tables[i].name));
        if (batch.length < BATCH_BYTES && i + 1 < f->count)
            continue;
        str_add(&batch, " IN ACCESS SHARE MODE");
        if (!pg_exec(db, batch.text, e))
            return false;
        batch = str_on(a);
    }
    return true;
}

void freeze_name_blocker(struct pg *db, const struct frozen *f, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct strlist oids = strlist_on(a);
    struct pg_rows rows;
    struct err ignored = {0};
    for (size_t i = 0; i < f->count; i++)
        strlist_add(&oids, f->tables[i].oid);
    const char *all = pg_array(a, oids.items, oids.count);
    /* While we hold our own locks, if possible: whoever waits behind them goes on after it.  And
     * what was seen of others earlier in the transaction stays so until it is cleared. */
    if ((!pg_exec(db, "SELECT pg_stat_clear_snapshot()", &ignored) ||
         !pg_query(a, db, sql_backup_blocker, PG_ARGS(all), &rows, &ignored)) &&
        (!pg_exec(db, "ROLLBACK", &ignored) ||
         !pg_query(a, db, sql_backup_blocker, PG_ARGS(all), &rows, &ignored)))
        return;
    if (rows.count == 0)
        return;
    const char *pid = pg_cell(&rows, 0, "pid"), *query = pg_cell(&rows, 0, "query");
    const char *table = pg_ident2(a, pg_cell(&rows, 0, "schema"), pg_cell(&rows, 0, "name"));
    const char *does = pg_cell_bool(&rows, 0, "granted") ? "has" : "waits for";
    if (pid == NULL)
        err_detail(e, "A prepared transaction %s an ACCESS EXCLUSIVE lock on table %s.", does,
                   table);
    else
        err_detail(e, "Process %s (%s) %s an ACCESS EXCLUSIVE lock on table %s: %s", pid,
                   pg_cell(&rows, 0, "application"), does, table, query == NULL ? "?" : query);
}

static enum outcome not_locked(struct pg *db, const struct frozen *f, int64_t lock_timeout_ms,
                               struct err *e)
{
    /* Dropped, renamed, or a deadlock with DDL: with a new list it may go. */
    static const char *const passing[] = {"42P01", "3F000", "40P01"};
    struct err ignored = {0};
    for (size_t i = 0; i < ARRAY_LEN(passing); i++)
        if (strcmp(e->sqlstate, passing[i]) == 0)
            return pg_exec(db, "ROLLBACK", &ignored) ? CHANGED : FAILED;
    if (strcmp(e->sqlstate, "55P03") == 0) {
        err_set(e, ERR_TIMEOUT, "no lock to be had within %lld ms", (long long)lock_timeout_ms);
        freeze_name_blocker(db, f, e);
        err_hint(e, "Run it again when that has ended, or raise lock-timeout.");
    } else if (strcmp(e->sqlstate, "42501") == 0) {
        err_hint(e, "A backup must read every table: run GRANT pg_read_all_data TO the role.");
    }
    err_wrap(e, "could not lock the tables");
    return FAILED;
}

static enum outcome try_once(struct arena *a, struct pg *db, int64_t lock_timeout_ms,
                             struct frozen *f, struct err *e)
{
    struct frozen listed;
    struct pg_rows moment;
    bool rewritten;
    if (!list_tables(a, db, &listed, &rewritten, e) ||
        !pg_exec(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", e) ||
        !pg_execf(db, e, "SET LOCAL lock_timeout = %lld", (long long)lock_timeout_ms))
        return FAILED;
    if (!lock_tables(a, db, &listed, e))
        return not_locked(db, &listed, lock_timeout_ms, e);
    if (!pg_query(a, db, sql_backup_moment, PG_NONE, &moment, e)) {
        err_wrap(e, "could not take a snapshot");
        return FAILED;
    }
    f->snapshot = pg_cell(&moment, 0, "snapshot");
    f->xmax = pg_cell(&moment, 0, "xmax");
    f->lsn = pg_cell(&moment, 0, "lsn");
    f->lc_monetary = pg_cell(&moment, 0, "lc_monetary");
    if (!list_tables(a, db, f, &rewritten, e) || !pg_exec(db, "SET LOCAL lock_timeout = 0", e))
        return FAILED;
    if (!rewritten && same_tables(&listed, f))
        return FROZEN;
    err_set(e, ERR_TIMEOUT, "tables were made, dropped or rewritten meanwhile");
    return pg_exec(db, "ROLLBACK", e) ? CHANGED : FAILED;
}

bool freeze(struct arena *a, struct pg *db, int64_t lock_timeout_ms, struct frozen *f,
            struct err *e)
{
    enum outcome outcome = CHANGED;
    struct pg_rows ignored;
    /* Settings of role or database that would end an idle holder; not every version has them. */
    if (!pg_query(a, db,
                  "SELECT set_config(name, '0', false) FROM pg_settings"
                  " WHERE name IN ('transaction_timeout', 'idle_session_timeout')",
                  PG_NONE, &ignored, e))
        return false;
    for (int i = 0; i <= RESTARTS && outcome == CHANGED; i++) {
        *f = (struct frozen){0};
        *e = (struct err){0};
        outcome = try_once(a, db, lock_timeout_ms, f, e);
    }
    if (outcome == CHANGED) {
        err_hint(e, "Run it again when nobody changes the schema.");
        return err_wrap(e, "the tables did not hold still in %d tries", RESTARTS + 1);
    }
    return outcome == FROZEN;
}

static bool meanwhile(struct err *e, const char *detail)
{
    err_detail(e, "%s", detail);
    err_hint(e, "Run it again when nobody changes the schema.");
    return false;
}

/* A lock that is new to the transaction lets the session hear of what others have changed. */
static bool names_held(struct arena *a, struct pg *db, const struct frozen *f, struct err *e)
{
    struct strlist oids = strlist_on(a), names = strlist_on(a);
    struct pg_rows renamed;
    /* One of each schema tells; they come sorted, nearly. */
    for (size_t i = 0; i < f->count; i++) {
        if (i > 0 && strcmp(f->tables[i].schema, f->tables[i - 1].schema) == 0)
            continue;
        strlist_add(&oids, f->tables[i].oid);
        strlist_add(&names, pg_ident2(a, f->tables[i].schema, f->tables[i].name));
    }
    if (!pg_exec(db, "LOCK TABLE pg_catalog.pg_conversion IN ACCESS SHARE MODE", e) ||
        !pg_query(
            a, db, sql_backup_renamed,
            PG_ARGS(pg_array(a, oids.items, oids.count), pg_array(a, names.items, names.count)),
            &renamed, e))
        return err_wrap(e, "could not look whether the tables have their names");
    if (renamed.count == 0)
        return true;
    err_set(e, ERR_TIMEOUT, "another table than at the start, or none, is called %s",
            pg_cell(&renamed, 0, "name"));
    return meanwhile(e, "A schema was renamed meanwhile: rows of the other may have been copied.");
}

static bool labels_held(struct arena *a, struct pg *db, struct err *e)
{
    struct pg_rows relabeled;
    if (!pg_query(a, db, sql_backup_relabeled, PG_NONE, &relabeled, e))
        return err_wrap(e, "could not look whether the values of enums have their names");
    if (relabeled.count == 0)
        return true;
    err_set(e, ERR_TIMEOUT, "values of enum %s were renamed", pg_cell(&relabeled, 0, "name"));
    return meanwhile(e, "Rows may have been copied with names that the copied schema lacks.");
}

bool freeze_held(struct pg *db, const struct frozen *f, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    return names_held(a, db, f, e) && labels_held(a, db, e);
}
