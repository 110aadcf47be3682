#include "core/restore/sessions.h"

#include "sql/queries.h"

static const char *session_label(struct arena *a, const struct pg_rows *rows, size_t i)
{
    const char *role = pg_cell(rows, i, "role"), *type = pg_cell(rows, i, "backend_type"),
               *application = pg_cell(rows, i, "application_name");
    struct str s = str_on(a);
    str_printf(&s, "pid %s", pg_cell(rows, i, "pid"));
    if (role != NULL)
        str_printf(&s, ", role \"%s\"", role);
    if (application != NULL && application[0] != '\0')
        str_printf(&s, ", application \"%s\"", application);
    if (type != NULL && strcmp(type, "client backend") != 0)
        str_printf(&s, ", %s", type);
    return s.text;
}

/* Without rights on statistics an autovacuum worker has neither role nor type: RENAME ends it. */
static bool counts(const struct pg_rows *rows, size_t i)
{
    return pg_cell(rows, i, "role") != NULL || pg_cell(rows, i, "backend_type") != NULL;
}

/* *why: what the server said against it, or "does not end". */
static bool end_one(struct session_ender *s, const char *pid, const char **why, struct err *e)
{
    struct pg_rows answer;
    struct err refusal = {0};
    *why = "does not end";
    if (pg_query(s->round, s->db, "SELECT pg_terminate_backend($1::int)", PG_ARGS(pid), &answer,
                 &refusal)) {
        if (!strlist_has(s->ended, pid))
            strlist_add(s->ended, arena_strdup(s->ended->arena, pid));
        return true;
    }
    if (refusal.kind != ERR_QUERY) {
        *e = refusal;
        return false;
    }
    *why = arena_strdup(s->round, refusal.message);
    s->refused = true;
    return true;
}

bool sessions_end(struct session_ender *s, size_t *left, struct err *e)
{
    struct pg_rows rows;
    arena_free(s->round);
    s->round = arena_new();
    s->survivors = NULL;
    s->refused = false;
    *left = 0;
    if (!pg_query(s->round, s->db, sql_swap_sessions, PG_ARGS(s->oids[0], s->oids[1]), &rows, e))
        return false;
    struct str survivors = str_on(s->round);
    for (size_t i = 0; i < rows.count; i++) {
        const char *why, *pid = pg_cell(&rows, i, "pid");
        if (s->only != NULL && !strlist_has(s->only, pid))
            continue;
        if (!end_one(s, pid, &why, e))
            return false;
        if (!counts(&rows, i))
            continue;
        ++*left;
        str_item(&survivors, "; ",
                 arena_printf(s->round, "%s: %s", session_label(s->round, &rows, i), why));
    }
    s->survivors = survivors.length > 0 ? survivors.text : NULL;
    return true;
}
