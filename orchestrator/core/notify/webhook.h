/*
 * webhook.h - tell someone: one JSON body by POST.
 *
 * Three tries with back-off; a dead receiver is a warning of the caller, never
 * a verdict.  Tried again after a lost connection, a time limit, 5xx, 429 and
 * 408.  Body and signature are those of docs/WEBHOOK.md.
 */
#ifndef MIGSAFE_CORE_NOTIFY_WEBHOOK_H
#define MIGSAFE_CORE_NOTIFY_WEBHOOK_H

#include "base/arena.h"
#include "base/err.h"
#include "ext/json.h"

struct webhook_spec {
    const char *url;
    const char *secret; /* Standard Webhooks signature; NULL: none */
    int64_t timeout_ms; /* of each try */
    int tries;          /* 0: 3 */
    int64_t pause_ms;   /* before the second try, doubled after; 0: 1 s */
};

/* ERR_CONNECT, ERR_TIMEOUT: the last failure, with the receiver's host but not its URL.
 * ERR_CONFIG: no http URL, or a secret "whsec_..." that is not base64.  ERR_CANCELLED. */
MUST_CHECK bool webhook_send(struct arena *a, const struct webhook_spec *spec,
                             const struct json *body, struct err *e);

#endif
