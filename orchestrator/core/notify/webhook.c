#include "core/notify/webhook.h"

#include "base/random.h"
#include "base/stop.h"
#include "base/str.h"
#include "ext/digest.h"
#include "ext/fetch.h"

enum { TRIES = 3, PAUSE_MS = 1000, ANSWER_MAX = 512 };

static const char secret_prefix[] = "whsec_";

struct message {
    const struct webhook_spec *spec;
    const char *id; /* the same for every try: a receiver knows repeats by it */
    const char *body;
    const char *host;
    const void *key; /* NULL: not signed */
    size_t key_length;
};

/* "whsec_" says that the rest is base64, as Standard Webhooks writes its secrets; any other secret
 * is the key as it stands. */
static bool read_key(struct arena *a, struct message *m, struct err *e)
{
    const char *secret = m->spec->secret;
    if (secret == NULL || secret[0] == '\0')
        return true;
    m->key = secret;
    m->key_length = strlen(secret);
    if (!str_starts(secret, secret_prefix))
        return true;
    m->key = digest_from_base64(a, secret + strlen(secret_prefix), &m->key_length);
    return m->key != NULL ||
           err_set(e, ERR_CONFIG, "the webhook secret is not base64 after \"%s\"", secret_prefix);
}

static struct strlist headers_of(struct arena *a, const struct message *m)
{
    struct strlist headers = strlist_on(a);
    const char *stamp = arena_printf(a, "%lld", (long long)time(NULL));
    strlist_add(&headers, "Content-Type: application/json");
    strlist_printf(&headers, "webhook-id: %s", m->id);
    strlist_printf(&headers, "webhook-timestamp: %s", stamp);
    if (m->key != NULL) {
        const char *text = arena_printf(a, "%s.%s.%s", m->id, stamp, m->body);
        strlist_printf(&headers, "webhook-signature: v1,%s",
                       digest_hmac(a, m->key, m->key_length, text, strlen(text)));
    }
    return headers;
}

/* *again: whether another try can help. */
static bool try_once(struct arena *a, const struct message *m, bool *again, struct err *e)
{
    struct strlist headers = headers_of(a, m);
    struct fetch_answer answer;
    const struct fetch_spec request = {.method = "POST",
                                       .url = m->spec->url,
                                       .headers = headers.items,
                                       .body = m->body,
                                       .body_length = strlen(m->body),
                                       .timeout_ms = m->spec->timeout_ms,
                                       .out_max = ANSWER_MAX};
    if (!fetch(a, &request, &answer, e)) {
        *again = e->kind == ERR_CONNECT || e->kind == ERR_TIMEOUT;
        return false;
    }
    if (answer.status >= 200 && answer.status < 300)
        return true;
    *again = answer.status >= 500 || answer.status == 429 || answer.status == 408;
    return err_set(e, ERR_CONNECT, "\"%s\" answered with status %d", m->host, answer.status);
}

/* Half to all of the doubled pause, so that many senders do not come back together. */
static int64_t pause_before(const struct webhook_spec *spec, int attempt)
{
    int64_t pause = (spec->pause_ms > 0 ? spec->pause_ms : PAUSE_MS) << (attempt - 1);
    return pause / 2 + (int64_t)(random_u64() % (uint64_t)(pause / 2 + 1));
}

bool webhook_send(struct arena *a UNUSED, const struct webhook_spec *spec, const struct json *body,
                  struct err *e)
{
    AUTO(arena) struct arena *scratch = arena_new();
    int tries = spec->tries > 0 ? spec->tries : TRIES;
    struct message m = {
        .spec = spec,
        .id = arena_printf(scratch, "msg_%s%s", random_hex(scratch, 16), random_hex(scratch, 16)),
        .body = json_text(scratch, body),
        .host = fetch_host(scratch, spec->url)};
    if (!read_key(scratch, &m, e))
        return false;
    for (int attempt = 0; attempt < tries; attempt++) {
        bool again = false;
        if (attempt > 0 && !stop_sleep_ms(pause_before(spec, attempt), e))
            return false;
        if (try_once(scratch, &m, &again, e))
            return true;
        if (!again)
            break;
    }
    return false;
}
