/*
 * copy_driver - COPY in a session (ext/pg) for tests/pg/copy.t.
 *
 *   copy_driver DB CASE    one line: how it went, and whether the session is of use afterwards
 *
 * Table t (id int PRIMARY KEY, name text) is empty, big has many rows.
 */
#include "base/stop.h"
#include "base/str.h"
#include "ext/pg.h"

#include <signal.h>

static const char out_of_big[] = "COPY public.big TO STDOUT", into_t[] = "COPY public.t FROM STDIN";

static bool read_rows(struct pg *db, int64_t stop_after, struct err *e)
{
    const char *row;
    int64_t seen = 0, bytes = 0, told = -1;
    for (size_t n = 1; n > 0; seen += n > 0) {
        if (seen == stop_after && raise(SIGTERM) != 0)
            return false;
        if (!pg_copy_row(db, &row, &n, &told, e))
            return false;
        bytes += (int64_t)n;
    }
    printf("%lld rows, %lld told, %lld bytes, ", (long long)seen, (long long)told,
           (long long)bytes);
    return true;
}

static bool copy_out(struct arena *a UNUSED, struct pg *db, struct err *e)
{
    return pg_copy_out(db, out_of_big, e) && read_rows(db, -1, e);
}

static bool out_of_nothing(struct arena *a UNUSED, struct pg *db, struct err *e)
{
    return pg_copy_out(db, "COPY public.nothing TO STDOUT", e);
}

static bool out_fails_late(struct arena *a UNUSED, struct pg *db, struct err *e)
{
    return pg_copy_out(db, "COPY (SELECT 1 / (1000 - id) FROM public.big ORDER BY id) TO STDOUT",
                       e) &&
           read_rows(db, -1, e);
}

static bool wrong_way(struct arena *a UNUSED, struct pg *db, struct err *e)
{
    return pg_copy_out(db, into_t, e);
}

static bool no_copy(struct arena *a UNUSED, struct pg *db, struct err *e)
{
    return pg_copy_in(db, "SELECT 1", e);
}

static bool exec(struct arena *a UNUSED, struct pg *db, struct err *e)
{
    return pg_exec(db, out_of_big, e);
}

/* Rows enough to fill the buffers on the way. */
static const char *many_rows(struct arena *a, int64_t rows)
{
    struct str s = str_on(a);
    for (int64_t i = 0; i < rows; i++)
        str_printf(&s, "%lld\tname of a row\n", (long long)i);
    return s.text;
}

static bool send_rows(struct arena *a, struct pg *db, struct err *e)
{
    const char *text = many_rows(a, 100000);
    return pg_copy_in(db, into_t, e) && pg_copy_send(db, text, strlen(text), e);
}

static bool copy_in(struct arena *a, struct pg *db, struct err *e)
{
    int64_t rows;
    if (!send_rows(a, db, e) || !pg_copy_done(db, &rows, e))
        return false;
    printf("%lld rows, ", (long long)rows);
    return true;
}

static bool in_nothing(struct arena *a UNUSED, struct pg *db, struct err *e)
{
    int64_t rows;
    return pg_copy_in(db, into_t, e) && pg_copy_done(db, &rows, e) && rows == 0;
}

static bool in_given_up(struct arena *a, struct pg *db, struct err *e)
{
    if (!send_rows(a, db, e))
        return false;
    pg_copy_abort(db);
    return true;
}

static bool in_bad_row(struct arena *a, struct pg *db, struct err *e)
{
    int64_t rows;
    const char *text = many_rows(a, 100000);
    return pg_copy_in(db, into_t, e) && pg_copy_send(db, "x\tno number\n", 12, e) &&
           pg_copy_send(db, text, strlen(text), e) && pg_copy_done(db, &rows, e);
}

static bool stop_before_out(struct arena *a UNUSED, struct pg *db, struct err *e)
{
    return raise(SIGTERM) == 0 && pg_copy_out(db, out_of_big, e);
}

static bool stop_between_rows(struct arena *a UNUSED, struct pg *db, struct err *e)
{
    return pg_copy_out(db, out_of_big, e) && read_rows(db, 100, e);
}

static bool stop_before_in(struct arena *a UNUSED, struct pg *db, struct err *e)
{
    return raise(SIGTERM) == 0 && pg_copy_in(db, into_t, e);
}

static bool stop_while_sending(struct arena *a, struct pg *db, struct err *e)
{
    return send_rows(a, db, e) && raise(SIGTERM) == 0 && pg_copy_send(db, "1\tx\n", 4, e);
}

static const struct {
    const char *name;
    bool (*run)(struct arena *a, struct pg *db, struct err *e);
} cases[] = {
    {"out", copy_out},
    {"out-of-nothing", out_of_nothing},
    {"out-fails-late", out_fails_late},
    {"wrong-way", wrong_way},
    {"no-copy", no_copy},
    {"exec", exec},
    {"in", copy_in},
    {"in-nothing", in_nothing},
    {"in-given-up", in_given_up},
    {"in-bad-row", in_bad_row},
    {"stop-before-out", stop_before_out},
    {"stop-between-rows", stop_between_rows},
    {"stop-before-in", stop_before_in},
    {"stop-while-sending", stop_while_sending},
};

static void run_case(struct arena *a, struct pg *db, size_t i)
{
    struct err e = {0}, after = {0};
    bool ok = cases[i].run(a, db, &e);
    printf("%s%s%s", ok ? "ok" : err_kind_name(e.kind), e.sqlstate[0] ? " " : "", e.sqlstate);
    stop_shield(true);
    const char *rows = pg_value(a, db, "SELECT count(*) FROM public.t", PG_NONE, &after);
    printf(", %s\n", rows == NULL ? "session lost" : rows);
}

int main(int argc, char **argv)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    if (argc != 3)
        return 64;
    const struct pg_keyword keywords[] = {{"host", getenv("TEST_PGHOST")},
                                          {"port", getenv("TEST_PGPORT")},
                                          {"user", "postgres"},
                                          {"dbname", argv[1]},
                                          {NULL, NULL}};
    stop_install();
    AUTO(pg) struct pg *db = pg_open(&(struct pg_params){.keywords = keywords}, &e);
    if (db == NULL) {
        printf("%s\n", e.message);
        return 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (str_same(cases[i].name, argv[2]))
            run_case(a, db, i);
    return 0;
}
