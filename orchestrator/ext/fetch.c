#include "ext/fetch.h"

#include "base/clock.h"
#include "base/stop.h"
#include "base/str.h"

#include <curl/curl.h>

enum { DEFAULT_TIMEOUT_MS = 30000, POLL_MS = 1000 };

DEFINE_AUTO(curl, CURL *, curl_easy_cleanup);
DEFINE_AUTO(curl_headers, struct curl_slist *, curl_slist_free_all);
DEFINE_AUTO(curl_url, CURLU *, curl_url_cleanup);

static void multi_free(CURLM *multi)
{
    curl_multi_cleanup(multi);
}
DEFINE_AUTO(curl_multi, CURLM *, multi_free);

struct sink {
    struct str body;
    size_t max;
};

/* What is beyond the cap is read and dropped, so that the status still arrives. */
static size_t keep(char *bytes, size_t size, size_t n, void *context)
{
    struct sink *sink = context;
    size_t left = sink->max - sink->body.length;
    str_add_n(&sink->body, bytes, size * n < left ? size * n : left);
    return size * n;
}

static char *url_part(struct arena *a, CURLU *url, CURLUPart part)
{
    char *text = NULL, *copy = NULL;
    if (curl_url_get(url, part, &text, 0) == CURLUE_OK && text != NULL)
        copy = arena_strdup(a, text);
    curl_free(text);
    return copy;
}

char *fetch_host(struct arena *a, const char *url)
{
    AUTO(curl_url) CURLU *parsed = curl_url();
    if (parsed == NULL || url == NULL ||
        curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        return NULL;
    const char *scheme = url_part(a, parsed, CURLUPART_SCHEME);
    char *host = url_part(a, parsed, CURLUPART_HOST), *port = url_part(a, parsed, CURLUPART_PORT);
    if ((!str_same(scheme, "http") && !str_same(scheme, "https")) || host == NULL)
        return NULL;
    return port == NULL ? host : arena_printf(a, "%s:%s", host, port);
}

/* libcurl's own words would do, but some of them quote the URL: its fixed texts do not. */
static bool request_failed(CURL *curl, CURLcode code, const char *host, struct err *e)
{
    long os_errno = 0;
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(e, ERR_TIMEOUT, "no answer from \"%s\" in time", host);
    if (code == CURLE_COULDNT_CONNECT && os_errno != 0)
        return err_set(e, ERR_CONNECT, "could not connect to \"%s\": %s", host,
                       strerrordesc_np((int)os_errno));
    return err_set(e, ERR_CONNECT, "request to \"%s\" failed: %s", host, curl_easy_strerror(code));
}

static void set_request(CURL *curl, const struct fetch_spec *spec, struct curl_slist *headers,
                        struct sink *sink)
{
    int64_t timeout = spec->timeout_ms > 0 ? spec->timeout_ms : DEFAULT_TIMEOUT_MS;
    curl_easy_setopt(curl, CURLOPT_URL, spec->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* a hanging name server must not hold us */
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "migsafe");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, sink);
    if (spec->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)spec->body_length);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, spec->body);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, spec->method);
}

/* Runs the one request in multi. *code: how it ended. */
static bool run(CURLM *multi, CURLcode *code, struct err *e)
{
    int running = 1, left;
    for (;;) {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            return err_set(e, ERR_INTERNAL, "could not run a request");
        if (running == 0)
            break;
        struct curl_waitfd stop = {.fd = stop_fd(), .events = CURL_WAIT_POLLIN};
        curl_multi_poll(multi, &stop, stop.fd >= 0 ? 1 : 0, POLL_MS, NULL);
        if (!stop_check(e))
            return false;
    }
    CURLMsg *message = curl_multi_info_read(multi, &left);
    if (message == NULL)
        return err_set(e, ERR_INTERNAL, "could not run a request");
    *code = message->data.result;
    return true;
}

bool fetch(struct arena *a, const struct fetch_spec *spec, struct fetch_answer *answer,
           struct err *e)
{
    const char *host = fetch_host(a, spec->url);
    if (host == NULL)
        return err_set(e, ERR_CONFIG, "the URL is not one of http or https");
    if (!stop_check(e))
        return false;
    AUTO(curl_headers) struct curl_slist *headers = NULL;
    for (size_t i = 0; spec->headers != NULL && spec->headers[i] != NULL; i++)
        headers = curl_slist_append(headers, spec->headers[i]);
    struct sink sink = {.body = str_on(a), .max = spec->out_max};
    AUTO(curl) CURL *curl = curl_easy_init();
    AUTO(curl_multi) CURLM *multi = curl_multi_init();
    if (curl == NULL || multi == NULL)
        return err_set(e, ERR_INTERNAL, "could not make a request");
    set_request(curl, spec, headers, &sink);
    if (curl_multi_add_handle(multi, curl) != CURLM_OK)
        return err_set(e, ERR_INTERNAL, "could not make a request");

    CURLcode code = CURLE_OK;
    bool ran = run(multi, &code, e);
    curl_multi_remove_handle(multi, curl);
    if (!ran || (code != CURLE_OK && !request_failed(curl, code, host, e)))
        return false;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    *answer = (struct fetch_answer){.status = (int)status, .body = sink.body.text};
    return true;
}
