/*
 * fetch.h - one HTTP request with a deadline and a size cap.  The only header that knows libcurl.
 */
#ifndef MIGSAFE_EXT_FETCH_H
#define MIGSAFE_EXT_FETCH_H

#include "base/arena.h"
#include "base/err.h"

struct fetch_spec {
    const char *method;         /* "GET", "POST" */
    const char *url;            /* http or https only */
    const char *const *headers; /* "Name: value", NULL-terminated; or NULL */
    const char *body;           /* or NULL */
    size_t body_length;
    int64_t timeout_ms; /* of the whole request; 0: 30 s */
    size_t out_max;     /* bytes of the answer kept */
};

struct fetch_answer {
    int status; /* of HTTP */
    char *body; /* in the arena, NUL-terminated, cut at out_max */
};

/* True when an answer came, whatever its status.  ERR_CONNECT, ERR_TIMEOUT, ERR_CANCELLED,
 * ERR_CONFIG (no http URL).  Redirects are not followed.  The URL is in no message (it may hold a
 * token); the host is. */
MUST_CHECK bool fetch(struct arena *a, const struct fetch_spec *spec, struct fetch_answer *answer,
                      struct err *e);

/* Host and, where it is given, port of a URL: what may be shown of it.  NULL: no http URL. */
char *fetch_host(struct arena *a, const char *url);

#endif
