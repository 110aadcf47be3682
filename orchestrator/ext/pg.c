#include "ext/pg.h"

#include "base/clock.h"
#include "base/stop.h"
#include "base/str.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdarg.h>

enum { CONNECT_TIMEOUT_MS = 10000, CANCEL_GRACE_MS = 5000, MAX_KEYWORDS = 32 };

struct pg {
    PGconn *conn;
    int query_deadline_ms;
    bool running; /* a started statement whose results are not read yet */
    char *row;    /* of a COPY, as libpq gave it; NULL: none */
};

DEFINE_AUTO(pgresult, PGresult *, PQclear);

static void ignore_notice(void *context UNUSED, const PGresult *result UNUSED)
{
}

static bool query_failed(const struct pg *db, const PGresult *res, struct err *e)
{
    const char *state = res ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
    const char *primary = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *detail = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_DETAIL) : NULL;
    const char *hint = res ? PQresultErrorField(res, PG_DIAG_MESSAGE_HINT) : NULL;
    const char *context = res ? PQresultErrorField(res, PG_DIAG_CONTEXT) : NULL;
    bool lost = PQstatus(db->conn) != CONNECTION_OK;

    err_set(e, lost ? ERR_CONNECT : ERR_QUERY, "%s", primary ? primary : PQerrorMessage(db->conn));
    if (state != NULL)
        snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", state);
    if (detail != NULL)
        err_detail(e, "%s", detail);
    if (hint != NULL)
        err_hint(e, "%s", hint);
    /* Which row of a COPY it was is told nowhere else. */
    if (context != NULL && strncmp(context, "COPY ", 5) == 0)
        err_detail(e, "%s%s%.*s", detail == NULL ? "" : detail, detail == NULL ? "" : " ",
                   (int)strcspn(context, "\n"), context);
    return false;
}

/* Waits for the socket.  False: deadline or stop, with the error set. */
static bool wait_socket(const struct pg *db, short events, const struct deadline *limit,
                        struct err *e)
{
    struct pollfd fds[2] = {{.fd = PQsocket(db->conn), .events = events},
                            {.fd = stop_fd(), .events = POLLIN}};
    poll(fds, 2, deadline_left_ms(limit));
    if (!stop_check(e))
        return false;
    if (fds[0].revents == 0 && deadline_passed(limit))
        return err_set(e, ERR_TIMEOUT, "the server did not answer in time");
    return true;
}

static bool connect_failed(struct pg *db, struct err *e)
{
    const char *text = PQerrorMessage(db->conn);
    err_set(e, ERR_CONNECT, "%s", text[0] ? text : "could not connect to the server");
    /* libpq keeps no SQLSTATE of a refused start; these texts are its own and the server's English.
     */
    static const struct {
        const char *words, *state;
    } known[] = {{"password authentication failed", "28P01"}, {"no password supplied", "28P01"},
                 {"the database system is", "57P03"},         {"too many clients", "53300"},
                 {"too many connections for ", "53300"}, /* of a role, or a database */
                 {"remaining connection slots", "53300"}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strstr(text, known[i].words) != NULL)
            snprintf(e->sqlstate, sizeof(e->sqlstate), "%s", known[i].state);
    if (strstr(text, "database \"") != NULL && strstr(text, "does not exist") != NULL)
        snprintf(e->sqlstate, sizeof(e->sqlstate), "3D000");
    return false;
}

static bool connect_wait(struct pg *db, int timeout_ms, struct err *e)
{
    struct deadline limit = deadline_in(timeout_ms);
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED)
            return connect_failed(db, e);
        if (!wait_socket(db, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, &limit, e)) {
            if (e->kind == ERR_TIMEOUT)
                err_set(e, ERR_CONNECT, "no answer from the server after %d ms", timeout_ms);
            return false;
        }
        state = PQconnectPoll(db->conn);
    }
    return true;
}

static bool start_connect(struct pg *db, const struct pg_params *params, struct err *e)
{
    const char *keys[MAX_KEYWORDS + 1], *values[MAX_KEYWORDS + 1];
    size_t n = 0;
    keys[n] = "fallback_application_name";
    values[n++] = "migsafe";
    for (const struct pg_keyword *k = params->keywords; k->name != NULL; k++) {
        if (k->value == NULL)
            continue;
        assert(n < MAX_KEYWORDS);
        keys[n] = k->name;
        values[n++] = k->value;
    }
    keys[n] = values[n] = NULL;
    db->conn = PQconnectStartParams(keys, values, 0);
    if (db->conn == NULL || PQstatus(db->conn) == CONNECTION_BAD)
        return connect_failed(db, e);
    return true;
}

struct pg *pg_open(const struct pg_params *params, struct err *e)
{
    AUTO(pg) struct pg *db = calloc(1, sizeof(*db));
    if (db == NULL) {
        err_sys(e, ERR_SYSTEM, "could not open a session");
        return NULL;
    }
    db->query_deadline_ms = params->query_deadline_ms;
    int timeout_ms = params->connect_timeout_ms ? params->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    if (!start_connect(db, params, e) || !connect_wait(db, timeout_ms, e))
        return NULL;
    PQsetNoticeReceiver(db->conn, ignore_notice, NULL);

    /* What role or database say of timeouts must not end a session that waits for its turn. */
    const int version = PQserverVersion(db->conn);
    if (!pg_execf(db, e,
                  "SET client_encoding = 'UTF8'; SET search_path = ''; SET statement_timeout = %d; "
                  "SET lock_timeout = %d;"
                  "SET idle_in_transaction_session_timeout = 0; SET DateStyle = ISO;"
                  "SET default_transaction_read_only = off;"
                  "SET extra_float_digits = 3; SET bytea_output = hex;"
                  "SET standard_conforming_strings = on; SET row_security = off;"
                  /* What the catalog's functions tell is compared. */
                  "SET quote_all_identifiers = off;"
                  /* Compiling a catalog query to machine code takes seconds, running it none. */
                  "SET jit = off; %s %s",
                  params->statement_timeout_ms, params->lock_timeout_ms,
                  version >= 140000 ? "SET idle_session_timeout = 0;" : "",
                  version >= 170000 ? "SET transaction_timeout = 0" : "")) {
        err_wrap(e, "could not set up the session");
        return NULL;
    }
    return TAKE(db);
}

static void cancel_running(struct pg *db)
{
    char ignored[256];
    PGcancel *cancel = PQgetCancel(db->conn);
    if (cancel == NULL)
        return;
    PQcancel(cancel, ignored, sizeof(ignored));
    PQfreeCancel(cancel);
}

void pg_close(struct pg *db)
{
    if (db == NULL)
        return;
    if (db->conn != NULL && db->running && PQstatus(db->conn) == CONNECTION_OK)
        cancel_running(db);
    PQfreemem(db->row);
    PQfinish(db->conn);
    free(db);
}

/* libpq gives such a result again and again until the COPY is ended. */
static bool is_copy(const PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);
    return status == PGRES_COPY_OUT || status == PGRES_COPY_IN || status == PGRES_COPY_BOTH;
}

/* Cancels what runs and reads what the server still says, so that the session stays usable; it does
 * not when a COPY had begun. */
static void cancel_and_drain(struct pg *db)
{
    struct deadline grace = deadline_in(CANCEL_GRACE_MS);
    cancel_running(db);
    while (PQstatus(db->conn) == CONNECTION_OK && !deadline_passed(&grace)) {
        if (!PQisBusy(db->conn)) {
            AUTO(pgresult) PGresult *res = PQgetResult(db->conn);
            if (res == NULL || is_copy(res))
                return;
            continue;
        }
        struct pollfd fd = {.fd = PQsocket(db->conn), .events = POLLIN};
        poll(&fd, 1, deadline_left_ms(&grace));
        if (PQconsumeInput(db->conn) == 0)
            return;
    }
}

/* Waits until the next result can be read. */
static bool wait_result(struct pg *db, const struct deadline *limit, struct err *e)
{
    while (PQisBusy(db->conn)) {
        bool more = PQflush(db->conn) == 1;
        if (!wait_socket(db, more ? POLLIN | POLLOUT : POLLIN, limit, e)) {
            cancel_and_drain(db);
            return false;
        }
        if (PQconsumeInput(db->conn) == 0)
            return query_failed(db, NULL, e);
    }
    return true;
}

static bool is_ok(const PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

/* Reads all results of what was sent: the first failure counts, the last result is given back. */
static PGresult *read_results(struct pg *db, struct err *e)
{
    AUTO(pgresult) PGresult *last = NULL;
    struct deadline limit = deadline_in(db->query_deadline_ms);
    bool ok = true;
    db->running = true;
    for (;;) {
        if (!wait_result(db, &limit, e)) {
            db->running = false;
            return NULL;
        }
        PGresult *res = PQgetResult(db->conn);
        if (res == NULL)
            break;
        PQclear(last);
        last = res;
        if (is_copy(res)) {
            ok = err_set(e, ERR_INTERNAL, "a COPY was begun that nobody ends");
            break;
        }
        if (ok && !is_ok(res))
            ok = query_failed(db, res, e);
    }
    db->running = false;
    if (ok && last == NULL)
        ok = query_failed(db, NULL, e);
    return ok ? TAKE(last) : NULL;
}

static void copy_rows(struct arena *a, const PGresult *res, struct pg_rows *rows)
{
    size_t count = (size_t)PQntuples(res), columns = (size_t)PQnfields(res);
    *rows = (struct pg_rows){
        .count = count,
        .columns = columns,
        .names = arena_array(a, columns + 1, sizeof(char *)),
        .cells = arena_array(a, count * columns + 1, sizeof(char *)),
    };
    for (size_t c = 0; c < columns; c++)
        rows->names[c] = arena_strdup(a, PQfname(res, (int)c));
    for (size_t r = 0; r < count; r++)
        for (size_t c = 0; c < columns; c++)
            rows->cells[r * columns + c] =
                PQgetisnull(res, (int)r, (int)c)
                    ? NULL
                    : arena_strndup(a, PQgetvalue(res, (int)r, (int)c),
                                    (size_t)PQgetlength(res, (int)r, (int)c));
}

bool pg_query(struct arena *a, struct pg *db, const char *sql, struct pg_args args,
              struct pg_rows *rows, struct err *e)
{
    *rows = (struct pg_rows){0};
    if (PQsendQueryParams(db->conn, sql, (int)args.count, NULL, args.values, NULL, NULL, 0) == 0)
        return query_failed(db, NULL, e);
    AUTO(pgresult) PGresult *res = read_results(db, e);
    if (res == NULL)
        return false;
    copy_rows(a, res, rows);
    return true;
}

bool pg_start(struct pg *db, const char *sql, struct err *e)
{
    if (PQsendQuery(db->conn, sql) == 0)
        return query_failed(db, NULL, e);
    db->running = true;
    return true;
}

bool pg_is_done(struct pg *db)
{
    return PQconsumeInput(db->conn) == 0 || !PQisBusy(db->conn);
}

bool pg_finish(struct pg *db, struct err *e)
{
    AUTO(pgresult) PGresult *res = read_results(db, e);
    return res != NULL;
}

bool pg_exec(struct pg *db, const char *sql, struct err *e)
{
    return pg_start(db, sql, e) && pg_finish(db, e);
}

bool pg_execf(struct pg *db, struct err *e, const char *fmt, ...)
{
    char *sql;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&sql, fmt, ap);
    va_end(ap);
    if (n < 0)
        return err_set(e, ERR_INTERNAL, "could not build a statement");
    bool ok = pg_exec(db, sql, e);
    free(sql);
    return ok;
}

/* Reads results until the one that begins a COPY, or all of a failed statement. */
static bool begin_copy(struct pg *db, const char *sql, ExecStatusType wanted, struct err *e)
{
    struct deadline limit = deadline_in(db->query_deadline_ms);
    if (!pg_start(db, sql, e))
        return false;
    for (bool ok = true; wait_result(db, &limit, e);) {
        AUTO(pgresult) PGresult *res = PQgetResult(db->conn);
        if (res != NULL && PQresultStatus(res) == wanted)
            return true;
        if (res == NULL || is_copy(res)) {
            if (ok)
                err_set(e, ERR_INTERNAL, "the statement is no COPY of this direction");
            db->running = res != NULL;
            return false;
        }
        if (ok && !is_ok(res))
            ok = query_failed(db, res, e);
    }
    db->running = false;
    return false;
}

/* What the server says at the end of a COPY: "COPY 123". */
static bool end_copy(struct pg *db, int64_t *rows, struct err *e)
{
    AUTO(pgresult) PGresult *res = read_results(db, e);
    if (res == NULL)
        return false;
    *rows = strtoll(PQcmdTuples(res), NULL, 10);
    return true;
}

bool pg_copy_out(struct pg *db, const char *sql, struct err *e)
{
    return begin_copy(db, sql, PGRES_COPY_OUT, e);
}

bool pg_copy_row(struct pg *db, const char **row, size_t *n, int64_t *rows, struct err *e)
{
    PQfreemem(db->row);
    db->row = NULL;
    *n = 0;
    for (;;) {
        int got = PQgetCopyData(db->conn, &db->row, 1);
        if (got > 0) {
            *row = db->row;
            *n = (size_t)got;
            return true;
        }
        if (got == -1)
            return end_copy(db, rows, e); /* its end, or an error that the result tells */
        if (got < 0)
            return query_failed(db, NULL, e);
        struct deadline limit = deadline_in(db->query_deadline_ms);
        if (!wait_socket(db, POLLIN, &limit, e)) {
            cancel_running(db);
            return false; /* the session is of no use any more: pg_close ends it */
        }
        if (PQconsumeInput(db->conn) == 0)
            return query_failed(db, NULL, e);
    }
}

bool pg_copy_in(struct pg *db, const char *sql, struct err *e)
{
    if (!begin_copy(db, sql, PGRES_COPY_IN, e))
        return false;
    PQsetnonblocking(db->conn, 1);
    return true;
}

/* Until everything is with the system; the server may have something to say meanwhile. */
static bool flush_copy(struct pg *db, struct err *e)
{
    int left;
    while ((left = PQflush(db->conn)) > 0) {
        struct deadline limit = deadline_in(db->query_deadline_ms);
        if (!wait_socket(db, POLLIN | POLLOUT, &limit, e))
            return false;
        if (PQconsumeInput(db->conn) == 0)
            return query_failed(db, NULL, e);
    }
    return left == 0 || query_failed(db, NULL, e);
}

void pg_copy_abort(struct pg *db)
{
    struct err ignored = {0};
    if (!db->running)
        return;
    PQsetnonblocking(db->conn, 0);
    if (PQstatus(db->conn) == CONNECTION_OK && PQputCopyEnd(db->conn, "given up") == 1) {
        PGresult *res = read_results(db, &ignored);
        PQclear(res);
    }
    db->running = false;
}

bool pg_copy_send(struct pg *db, const char *bytes, size_t n, struct err *e)
{
    enum { PIECE = 1 << 18 }; /* libpq's buffer grows to what is given to it at once */
    while (n > 0) {
        size_t piece = n < PIECE ? n : PIECE;
        bool sent = stop_check(e);
        if (sent && PQputCopyData(db->conn, bytes, (int)piece) != 1)
            sent = query_failed(db, NULL, e);
        if (!sent || !flush_copy(db, e)) {
            pg_copy_abort(db);
            return false;
        }
        bytes += piece;
        n -= piece;
    }
    return true;
}

bool pg_copy_done(struct pg *db, int64_t *rows, struct err *e)
{
    PQsetnonblocking(db->conn, 0);
    if (PQputCopyEnd(db->conn, NULL) != 1) {
        query_failed(db, NULL, e);
        pg_copy_abort(db);
        return false;
    }
    return end_copy(db, rows, e);
}

const char *pg_value(struct arena *a, struct pg *db, const char *sql, struct pg_args args,
                     struct err *e)
{
    struct pg_rows rows;
    if (!pg_query(a, db, sql, args, &rows, e))
        return NULL;
    if (rows.count != 1 || rows.columns != 1) {
        err_set(e, ERR_QUERY, "expected one value, got %zu rows", rows.count);
        return NULL;
    }
    return rows.cells[0] == NULL ? "" : rows.cells[0];
}

const char *pg_cell(const struct pg_rows *rows, size_t row, const char *column)
{
    assert(row < rows->count);
    for (size_t c = 0; c < rows->columns; c++)
        if (strcmp(rows->names[c], column) == 0)
            return rows->cells[row * rows->columns + c];
    assert(false && "no such column in the result");
    return NULL;
}

int64_t pg_cell_int(const struct pg_rows *rows, size_t row, const char *column)
{
    const char *text = pg_cell(rows, row, column);
    return text == NULL ? 0 : strtoll(text, NULL, 10);
}

bool pg_cell_bool(const struct pg_rows *rows, size_t row, const char *column)
{
    const char *text = pg_cell(rows, row, column);
    return text != NULL && text[0] == 't';
}

int pg_backend_pid(const struct pg *db)
{
    return PQbackendPID(db->conn);
}

int pg_server_version(const struct pg *db)
{
    return PQserverVersion(db->conn);
}

bool pg_is_alive(const struct pg *db)
{
    return PQstatus(db->conn) == CONNECTION_OK;
}

static char *quoted(struct arena *a, const char *text, char quote)
{
    struct str s = str_on(a);
    str_add_n(&s, &quote, 1);
    for (; *text != '\0'; text++) {
        if (*text == quote)
            str_add_n(&s, &quote, 1);
        str_add_n(&s, text, 1);
    }
    str_add_n(&s, &quote, 1);
    return s.text;
}

char *pg_ident(struct arena *a, const char *name)
{
    return quoted(a, name, '"');
}

char *pg_ident2(struct arena *a, const char *schema, const char *name)
{
    return arena_printf(a, "%s.%s", pg_ident(a, schema), pg_ident(a, name));
}

char *pg_literal(struct arena *a, const char *text)
{
    /* Sessions of ours have standard_conforming_strings on: only quotes need doubling. */
    return text == NULL ? arena_strdup(a, "NULL") : quoted(a, text, '\'');
}

char *pg_array(struct arena *a, const char *const *items, size_t count)
{
    struct str s = str_on(a);
    str_add(&s, "{");
    for (size_t i = 0; i < count; i++) {
        str_add(&s, i == 0 ? "\"" : ",\"");
        for (const char *p = items[i]; *p != '\0'; p++) {
            if (*p == '"' || *p == '\\')
                str_add(&s, "\\");
            str_add_n(&s, p, 1);
        }
        str_add(&s, "\"");
    }
    str_add(&s, "}");
    return s.text;
}
