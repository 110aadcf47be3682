#include "core/backup/schema_wait.h"

#include "base/str.h"
#include "sql/queries.h"

enum { LOOK_MS = 1000 };

char *schema_wait_name(struct arena *a, const struct pg *holder)
{
    return arena_printf(a, "migsafe backup, pg_dump of %d", pg_backend_pid(holder));
}

static bool too_long(const struct pg_rows *rows, struct err *e)
{
    const char *pid = pg_cell(rows, 0, "blocker"), *query = pg_cell(rows, 0, "query");
    err_set(e, ERR_TIMEOUT, "pg_dump waits for a lock that somebody else has");
    if (pid != NULL)
        err_detail(e, "Process %s (%s) has it: %s", pid, pg_cell(rows, 0, "application"),
                   query == NULL ? "?" : query);
    return false;
}

bool schema_wait_look(struct schema_wait *w, struct err *e)
{
    struct pg_rows rows;
    if (w->limit_ms == 0 || !deadline_passed(&w->next_look))
        return true;
    AUTO(arena) struct arena *a = arena_new();
    w->next_look = deadline_in(LOOK_MS);
    /* In a transaction what was seen once stays so. */
    if (!pg_exec(w->holder, "SELECT pg_stat_clear_snapshot()", e) ||
        !pg_query(a, w->holder, sql_backup_waiting, PG_ARGS(schema_wait_name(a, w->holder)), &rows,
                  e))
        return false;
    if (rows.count == 0)
        w->since_ms = 0;
    else if (w->since_ms == 0)
        w->since_ms = clock_ms();
    return rows.count == 0 || clock_ms() - w->since_ms <= w->limit_ms || too_long(&rows, e);
}
