#include "core/health/health_check.h"

enum { LEAST_SERVER = 120000 };

void check_found(const struct check_run *run, const struct health_check *check, const char *target,
                 const char *message)
{
    bool only_told = run->context->deploy && check->told_in_deploy;
    findings_add(run->found, (struct finding){
                                 .rule = check->id,
                                 .level = only_told ? FINDING_WARNING : check->level,
                                 .target = target,
                                 .message = message,
                                 .advice = check->advice,
                                 .transient = check->transient,
                             });
}

bool check_skipped(const struct check_run *run, const struct health_check *check,
                   const char *target, struct err *e)
{
    static const char *const states[] = {
        "42501", /* no right to read it */
        "55P03", /* lock_timeout */
        "57014", /* statement_timeout */
        "42P01", /* gone meanwhile */
    };
    bool known = false;
    for (size_t i = 0; i < ARRAY_LEN(states); i++)
        known = known || strcmp(e->sqlstate, states[i]) == 0;
    if (!known)
        return false;
    const char *why = arena_strdup(run->arena, e->message);
    *e = (struct err){0};
    findings_add(run->found, (struct finding){
                                 .rule = "not-checked",
                                 .level = FINDING_WARNING,
                                 .target = target,
                                 .message = arena_printf(run->arena, "%s could not be checked: %s",
                                                         check->id, why),
                                 .advice = "Grant the right, or look again later.",
                                 .transient = true,
                             });
    return true;
}

bool check_connection(const struct check_run *run, const struct health_check *check,
                      struct err *e UNUSED)
{
    int version = pg_server_version(run->context->db);
    if (version < LEAST_SERVER)
        check_found(run, check, "server",
                    arena_printf(run->arena, "PostgreSQL %d is too old", version / 10000));
    return true;
}

bool check_history(const struct check_run *run, const struct health_check *check,
                   struct err *e UNUSED)
{
    const struct history *h = run->context->history;
    if (h == NULL)
        return true;
    const struct strlist *names = (const void *)((const char *)h + check->names);
    for (size_t i = 0; i < names->count; i++)
        check_found(run, check, names->items[i], check->message);
    return true;
}

static bool run_query(const struct check_run *run, const struct health_check *check, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(run->arena, run->context->db, check->sql, PG_NONE, &rows, e))
        return check_skipped(run, check, check->id, e) ||
               err_wrap(e, "could not check for %s", check->id);
    for (size_t i = 0; i < rows.count; i++)
        check_found(run, check, pg_cell(&rows, i, "target"), pg_cell(&rows, i, "message"));
    return true;
}

static bool run_checks(const struct check_run *run, struct err *e)
{
    int version = pg_server_version(run->context->db);
    for (size_t i = 0; i < health_check_count; i++) {
        const struct health_check *check = &health_checks[i];
        if (check->run != check_connection && version < LEAST_SERVER)
            continue;
        if (version < check->least_version)
            continue;
        bool ok = check->sql != NULL ? run_query(run, check, e) : check->run(run, check, e);
        if (!ok)
            return false;
    }
    return true;
}

/* A check must not queue behind a migration's lock, or itself become what others wait for. */
bool health_check(struct arena *a, const struct health_context *c, struct findings *found,
                  struct err *e)
{
    const struct check_run run = {.arena = a, .context = c, .found = found};
    struct pg_rows was;
    if (!pg_query(a, c->db,
                  "SELECT current_setting('lock_timeout') AS lock,"
                  " current_setting('statement_timeout') AS statement",
                  PG_NONE, &was, e) ||
        !pg_exec(c->db, "SET lock_timeout = '1s'; SET statement_timeout = '60s'; SET jit = off", e))
        return err_wrap(e, "could not check the database");
    bool ok = run_checks(&run, e);
    struct err ignored = {0};
    bool back = pg_execf(
        c->db, ok ? e : &ignored, "SET lock_timeout = %s; SET statement_timeout = %s; RESET jit",
        pg_literal(a, pg_cell(&was, 0, "lock")), pg_literal(a, pg_cell(&was, 0, "statement")));
    return ok && back;
}
