/*
 * url.h - a database URL in its parts, as the WHATWG standard (and so Prisma) reads it.
 *
 * Of use in this room and to whoever must know a URL's secrets.  Parts are as
 * written, but for tabs and line ends, which the standard takes out.  No error
 * quotes a part that could hold a piece of the password.
 */
#ifndef MIGSAFE_CORE_CONNECTION_URL_H
#define MIGSAFE_CORE_CONNECTION_URL_H

#include "base/str.h"

struct url {
    const char *scheme;          /* lower case */
    const char *user, *password; /* as written; "": none */
    const char *host;            /* without brackets; "": none */
    const char *port;            /* "": none */
    const char *path;            /* with its "/", or "" */
    const char *query;           /* without "?" */
    bool is_ipv6;
};

MUST_CHECK bool url_split(struct arena *a, const char *text, struct url *url, struct err *e);

/* Without blanks around it and line ends in it. */
char *url_clean(struct arena *a, const char *text) RETURNS_NONNULL;

/* "%41" -> "A"; what is no escape stays.  NULL: holds a zero byte. */
char *url_decode(struct arena *a, const char *text);
/* As url_decode, but text as it is when the result is not UTF-8. */
char *url_decode_utf8(struct arena *a, const char *text);
/* Everything but letters, digits and "-._~" as %XX: right for every reader, also of a query. */
char *url_encode(struct arena *a, const char *text) RETURNS_NONNULL;

/* One name=value of a query, decoded as a form ("+" is a blank), and as written. */
struct url_pair {
    const char *name, *value, *raw;
};
/* Reads the next pair and moves *query behind it; false at the end. */
bool url_next_pair(struct arena *a, const char **query, struct url_pair *pair);

/* Adds what must not be shown of a URL, also of a wrong one: the password as written and decoded.
 */
void url_secrets(struct arena *a, const char *text, struct strlist *secrets);

#endif
