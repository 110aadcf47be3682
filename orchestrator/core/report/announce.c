#include "core/report/announce.h"

#include "base/stop.h"
#include "core/notify/webhook.h"

bool announce(struct arena *a, const struct settings *s, const struct run_report *r, bool failed,
              struct err *e)
{
    if (s->webhook_url == NULL || (!failed && strcmp(s->webhook_on, "always") != 0))
        return true;
    AUTO(json) struct json *body = webhook_body(r);
    struct webhook_spec spec = {
        .url = s->webhook_url,
        .secret = s->webhook_secret,
        .timeout_ms = s->webhook_timeout_ms,
    };
    stop_shield(true);
    bool sent = webhook_send(a, &spec, body, e);
    stop_shield(false);
    return sent || err_wrap(e, "the alert could not be sent");
}
