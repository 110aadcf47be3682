#include "core/prisma/watch.h"

#include "base/clock.h"
#include "sql/queries.h"

enum {
    LOOK_EVERY_MS = 150,
    FIRST_EVERY_MS = 20, /* until a session was seen: a few small migrations take no 100 ms */
};

static const char *text_or_empty(struct arena *a, const struct pg_rows *rows, size_t row,
                                 const char *column)
{
    const char *text = pg_cell(rows, row, column);
    return arena_strdup(a, text == NULL ? "" : text);
}

static void keep_longest(struct prisma_watch *w)
{
    if (w->present.waited_ms >= w->blocker.waited_ms)
        w->blocker = w->present;
}

/* The same wait as at the last look goes on, or another one begins. */
static void note_wait(struct prisma_watch *w, const struct pg_rows *rows, size_t row, int64_t now)
{
    int waiter = (int)pg_cell_int(rows, row, "pid");
    int blocker = (int)pg_cell_int(rows, row, "blocker");
    if (blocker == 0)
        blocker = -1;
    if (waiter != w->present_waiter)
        w->present_since_ms = now;
    if (waiter != w->present_waiter || blocker != w->present.pid)
        w->present = (struct prisma_blocker){
            .pid = blocker,
            .application = text_or_empty(w->arena, rows, row, "application"),
            .query = text_or_empty(w->arena, rows, row, "query"),
            .waiting_statement = text_or_empty(w->arena, rows, row, "statement"),
        };
    w->present_waiter = waiter;
    w->present.waited_ms = now - w->present_since_ms;
    keep_longest(w);
}

static void look_later(struct prisma_watch *w)
{
    w->next_look_ms = clock_ms() + (w->session_seen ? LOOK_EVERY_MS : FIRST_EVERY_MS);
}

void prisma_watch_look(struct prisma_watch *w)
{
    int64_t now = clock_ms();
    if (w->db == NULL || now < w->next_look_ms)
        return;
    AUTO(arena) struct arena *scratch = arena_new();
    struct pg_rows rows;
    struct err ignored = {0};
    if (!pg_query(scratch, w->db, sql_prisma_sessions, PG_ARGS(w->database, w->application_name),
                  &rows, &ignored)) {
        if (!pg_is_alive(w->db))
            w->db = NULL;
        look_later(w);
        return;
    }
    w->session_seen = w->session_seen || rows.count > 0;
    size_t row = 0;
    while (row < rows.count && pg_cell(&rows, row, "blocker") == NULL)
        row++;
    if (row < rows.count)
        note_wait(w, &rows, row, now);
    else
        w->present_waiter = 0;
    look_later(w);
}
