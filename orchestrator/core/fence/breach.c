#include "core/fence/breach.h"

#include "base/clock.h"
#include "base/stop.h"
#include "core/fence/older.h"
#include "sql/queries.h"

enum {
    LOOK_EVERY_MS = 100,
    SHARED_COUNTERS = 150000, /* before 15 a collector hears of them later */
    COLLECTOR_MS = 700,
};

struct fence_watch {
    struct arena *arena;
    const char *database, *prisma;
    struct pg_rows counters;
    struct strlist writes;
    struct strlist seen; /* "pid role" of sessions in writes */
    int64_t next_look_ms;
    bool paused; /* Prisma writes: the counters tell nothing of others */
};

static bool settle(const struct pg *live, struct err *e)
{
    return pg_server_version(live) >= SHARED_COUNTERS || stop_sleep_ms(COLLECTOR_MS, e);
}

static bool read_counters(struct arena *a, struct pg *live, struct pg_rows *rows, struct err *e)
{
    return (settle(live, e) && pg_query(a, live, sql_fence_counters, PG_NONE, rows, e)) ||
           err_wrap(e, "could not read the counters of written rows");
}

struct fence_watch *fence_watch_begin(struct arena *a, struct pg *live, const char *prisma,
                                      struct err *e)
{
    struct fence_watch *w = ARENA_NEW(a, struct fence_watch);
    *w = (struct fence_watch){
        .arena = a, .prisma = prisma, .writes = strlist_on(a), .seen = strlist_on(a)};
    w->database = pg_value(a, live, "SELECT current_database()", PG_NONE, e);
    return w->database != NULL && read_counters(a, live, &w->counters, e) ? w : NULL;
}

void fence_watch_pause(struct fence_watch *w)
{
    w->paused = true;
}

/* Both lists are in the order of oids: a table that is only in one of them was made or dropped.
 * own: oids of tables that do not count, or NULL. */
static void compare(struct fence_watch *w, const struct pg_rows *is, const struct strlist *own)
{
    const struct pg_rows *was = &w->counters;
    size_t k = 0;
    for (size_t i = 0; i < is->count; i++) {
        if (own != NULL && strlist_has(own, pg_cell(is, i, "oid")))
            continue;
        int64_t oid = pg_cell_int(is, i, "oid"), before = 0;
        while (k < was->count && pg_cell_int(was, k, "oid") < oid)
            k++;
        if (k < was->count && pg_cell_int(was, k, "oid") == oid)
            before = pg_cell_int(was, k, "written");
        int64_t now = pg_cell_int(is, i, "written");
        const char *name = pg_cell(is, i, "name");
        if (now > before)
            strlist_printf(&w->writes, "table %s: %s written", name,
                           str_plural(w->arena, now - before, "row", "rows"));
        else if (now < before)
            strlist_printf(&w->writes, "table %s: its counters were reset", name);
    }
}

/* Oids of the tables that the migrations name, and of those that follow them. */
static bool list_own(struct fence_watch *w, struct pg *live, const struct fence_own *own,
                     struct strlist *oids, bool *anything, struct err *e)
{
    struct pg_rows rows;
    *oids = strlist_on(w->arena);
    *anything = own->anything;
    if (own->anything || own->nothing)
        return true;
    const char *sql = strlist_join(&own->sql, "\n");
    if (!pg_query(w->arena, live, sql_fence_reach, PG_ARGS(sql), &rows, e))
        return err_wrap(e, "could not see which tables the migration may have written");
    for (size_t i = 0; i < rows.count; i++) {
        *anything = *anything || pg_cell_bool(&rows, i, "wider");
        strlist_add(oids, pg_cell(&rows, i, "oid"));
    }
    return true;
}

bool fence_watch_restart(struct fence_watch *w, struct pg *live, const struct fence_own *own,
                         struct err *e)
{
    struct pg_rows now;
    struct strlist oids;
    bool anything;
    if (!read_counters(w->arena, live, &now, e) || !list_own(w, live, own, &oids, &anything, e))
        return false;
    if (!anything)
        compare(w, &now, &oids);
    w->counters = now;
    w->paused = false;
    return true;
}

/* role and application are in the arena of w. */
static void add_session(struct fence_watch *w, const struct pg_rows *rows, size_t i,
                        const char *what)
{
    const char *role = pg_cell(rows, i, "role"), *name = pg_cell(rows, i, "application_name"),
               *pid = pg_cell(rows, i, "pid");
    if (older_is_ours(name) || str_same(name, w->prisma))
        return;
    const char *key = arena_printf(w->arena, "%s %s", pid, what);
    if (strlist_has(&w->seen, key))
        return;
    strlist_add(&w->seen, key);
    strlist_printf(&w->writes, "session %s of role \"%s\"%s%s%s %s", pid, role == NULL ? "?" : role,
                   name == NULL || name[0] == '\0' ? "" : " (", name == NULL ? "" : name,
                   name == NULL || name[0] == '\0' ? "" : ")", what);
}

void fence_watch_look(struct fence_watch *w, struct pg *db)
{
    if (w == NULL || clock_ms() < w->next_look_ms || !pg_is_alive(db))
        return;
    AUTO(arena) struct arena *scratch = arena_new();
    struct pg_rows rows;
    struct err ignored = {0};
    if (pg_query(scratch, db, sql_fence_writers, PG_ARGS(w->database), &rows, &ignored))
        for (size_t i = 0; i < rows.count; i++)
            add_session(w, &rows, i, "writes");
    w->next_look_ms = clock_ms() + LOOK_EVERY_MS;
}

static bool look_at_exempt(struct fence_watch *w, struct pg *live, struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(w->arena, live, sql_fence_overrides, PG_NONE, &rows, e))
        return err_wrap(e, "could not look for sessions that the fence does not hold");
    for (size_t i = 0; i < rows.count; i++)
        if (pg_cell(&rows, i, "pid") != NULL)
            add_session(w, &rows, i,
                        "may write: its role has its own default_transaction_read_only");
    return true;
}

bool fence_breaches(struct fence_watch *w, struct pg *live, struct strlist *writes, struct err *e)
{
    struct pg_rows now;
    w->next_look_ms = 0;
    fence_watch_look(w, live);
    if (!look_at_exempt(w, live, e))
        return false;
    if (w->paused)
        return err_set(e, ERR_INTERNAL, "rows written by others could not be told from Prisma's");
    if (!read_counters(w->arena, live, &now, e))
        return false;
    compare(w, &now, NULL);
    w->counters = now;
    *writes = w->writes;
    return true;
}

bool fence_count(struct pg *live, int64_t *written, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct pg_rows rows;
    *written = 0;
    if (!pg_query(a, live, sql_fence_counters, PG_NONE, &rows, e))
        return err_wrap(e, "could not read the counters of written rows");
    for (size_t i = 0; i < rows.count; i++)
        *written += pg_cell_int(&rows, i, "written");
    return true;
}
