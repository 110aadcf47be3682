/*
 * webhook.h - tell someone: one JSON body by POST.
 *
 * Signed, where there is a secret, as Standard Webhooks says: webhook-signature
 * is "v1," and the base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY".  A secret
 * "whsec_..." is base64 behind its prefix, any other is the key as it stands.
 * All tries of a message have the same webhook-id.
 *
 * Three tries with back-off; a dead receiver is a warning of the caller, never
 * a verdict.  Tried again after a lost connection, a time limit, 5xx, 429 and
 * 408.  The body is that of docs/WEBHOOK.md.
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
