/*
 * err.h - why an operation failed, as a value.
 *
 * A function that can fail takes a `struct err *` last and returns bool (true
 * on success) or a pointer (NULL on failure).  It fills the err only on
 * failure.  Nothing is logged where an error is made: whoever stops its travel
 * (main, an HTTP handler, a step that carries on) decides how to show it.
 *
 * Texts follow the PostgreSQL message style: `message` is lower case, one line,
 * no full stop ("could not open file \"x\": No such file or directory");
 * `detail` and `hint` are whole sentences.
 *
 * Owns no memory: a struct err lives on the stack and is copied by assignment.
 */
#ifndef MIGSAFE_BASE_ERR_H
#define MIGSAFE_BASE_ERR_H

#include "base/base.h"

/*
 * One row per kind of failure:  X(symbol, name, exit status, HTTP status).
 * The name is part of the public interface (JSON output, documentation).
 */
#define ERR_KINDS(X)                       \
    X(ERR_UNSAFE, "unsafe", 10, 422)       \
    X(ERR_PREFLIGHT, "preflight", 11, 409) \
    X(ERR_UNHEALTHY, "unhealthy", 12, 500) \
    X(ERR_RESTORED, "restored", 20, 500)   \
    X(ERR_UNCHANGED, "unchanged", 21, 500) \
    X(ERR_BROKEN, "broken", 22, 500)       \
    X(ERR_USAGE, "usage", 64, 400)         \
    X(ERR_QUERY, "query", 65, 500)         \
    X(ERR_NOT_FOUND, "not-found", 66, 404) \
    X(ERR_CONNECT, "connect", 69, 503)     \
    X(ERR_INTERNAL, "internal", 70, 500)   \
    X(ERR_SYSTEM, "system", 71, 500)       \
    X(ERR_CHILD, "child", 74, 502)         \
    X(ERR_BUSY, "busy", 75, 409)           \
    X(ERR_DAMAGED, "damaged", 76, 500)     \
    X(ERR_CONFIG, "config", 78, 500)       \
    X(ERR_TIMEOUT, "timeout", 79, 504)     \
    X(ERR_CANCELLED, "cancelled", 130, 503)

enum err_kind {
    ERR_NONE = 0,
#define X(symbol, name, exit_status, http_status) symbol,
    ERR_KINDS(X)
#undef X
};

struct err {
    enum err_kind kind;
    int sys_errno;    /* errno behind it, or 0 */
    char sqlstate[6]; /* five characters when the server said why, or "" */
    char message[1024];
    char detail[1024];
    char hint[512];
};

/* Each returns false, so that a failing path reads: return err_set(...). */
bool err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set, and appends ": " and the text of the present errno. */
bool err_sys(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* Put "fmt: " before the message: what we were doing when it failed. */
bool err_wrap(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

void err_detail(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);
void err_hint(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

const char *err_kind_name(enum err_kind kind);
int err_exit_status(enum err_kind kind);
int err_http_status(enum err_kind kind);

#endif
