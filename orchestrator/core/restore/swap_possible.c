#include "core/restore/swap.h"
#include "sql/queries.h"

static bool refuse(struct err *e, const char *hint)
{
    err_hint(e, "%s", hint);
    return false;
}

static bool check_rights(struct arena *a, const struct pg_rows *r, const char *live, struct err *e)
{
    const char *role = pg_ident(a, pg_cell(r, 0, "role"));
    if (pg_cell_bool(r, 0, "here")) {
        err_set(e, ERR_PREFLIGHT, "database \"%s\" cannot be swapped from a session in itself",
                live);
        return refuse(e, "Set maintenance-database to another database of the server.");
    }
    if (!pg_cell_bool(r, 0, "owns")) {
        const char *owner = pg_cell(r, 0, "owner");
        err_set(e, ERR_PREFLIGHT, "role %s may not rename database \"%s\": its owner is \"%s\"",
                role, live, owner);
        return refuse(e, arena_printf(a, "Run GRANT %s TO %s, or set admin-url to a role that may.",
                                      pg_ident(a, owner), role));
    }
    if (!pg_cell_bool(r, 0, "createdb")) {
        err_set(e, ERR_PREFLIGHT, "role %s may not create or rename databases", role);
        return refuse(e,
                      arena_printf(a,
                                   "Run ALTER ROLE %s CREATEDB, or set admin-url to a role that has"
                                   " CREATEDB.",
                                   role));
    }
    return true;
}

static bool check_sessions(struct arena *a, const struct pg_rows *r, const char *live,
                           struct err *e)
{
    const char *held = pg_cell(r, 0, "held"), *role = pg_ident(a, pg_cell(r, 0, "role"));
    if (held == NULL)
        return true;
    err_set(e, ERR_PREFLIGHT, "role %s may not end all sessions of database \"%s\"", role, live);
    err_detail(e, "In the way: %s.", held);
    if (pg_cell_bool(r, 0, "held_by_superuser"))
        return refuse(e,
                      "Only a superuser may end a superuser's session: close it, or set admin-url"
                      " to a superuser.");
    return refuse(e, arena_printf(a,
                                  "Run GRANT pg_signal_backend TO %s, or set admin-url to a role"
                                  " that has it.",
                                  role));
}

/* What belongs to the oid of live and would stay with the kept database. */
static bool check_ties(const struct pg_rows *r, const char *live, bool accept_slots, struct err *e)
{
    const char *prepared = pg_cell(r, 0, "prepared"), *slots = pg_cell(r, 0, "slots"),
               *subscriptions = pg_cell(r, 0, "subscriptions");
    if (prepared != NULL) {
        err_set(e, ERR_PREFLIGHT, "database \"%s\" has prepared transactions: %s", live, prepared);
        return refuse(e, "End them with COMMIT PREPARED or ROLLBACK PREPARED.");
    }
    if (accept_slots)
        return true;
    if (slots != NULL) {
        err_set(e, ERR_PREFLIGHT, "database \"%s\" has logical replication slots: %s", live, slots);
        return refuse(e, "A swap would leave them with the replaced database; swap-with-slots ="
                         " accept gives them up.");
    }
    if (subscriptions != NULL) {
        err_set(e, ERR_PREFLIGHT, "database \"%s\" has subscriptions: %s", live, subscriptions);
        return refuse(e, "A swap would leave them with the replaced database; swap-with-slots ="
                         " accept gives them up.");
    }
    return true;
}

bool swap_possible(struct arena *a, struct pg *maintenance, const char *live, bool accept_slots,
                   struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, maintenance, sql_swap_rights, PG_ARGS(live), &rows, e))
        return err_wrap(e, "could not tell whether database \"%s\" can be swapped", live);
    if (rows.count == 0)
        return err_set(e, ERR_NOT_FOUND, "database \"%s\" does not exist", live);
    return check_rights(a, &rows, live, e) && check_ties(&rows, live, accept_slots, e) &&
           check_sessions(a, &rows, live, e);
}
