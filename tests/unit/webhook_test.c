#include "base/clock.h"
#include "base/proc.h"
#include "base/stop.h"
#include "core/notify/webhook.h"
#include "ext/digest.h"
#include "ext/fetch.h"

#include "receiver.h"
#include "tap.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static const char no_python[] = "no python3 for tests/receiver.py here";

static bool no_secret_in(const struct err *e)
{
    return strstr(e->message, "s3cret") == NULL && strstr(e->detail, "s3cret") == NULL &&
           strstr(e->hint, "s3cret") == NULL;
}

static size_t count_of(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)) != NULL; text++)
        n++;
    return n;
}

/* A port of this machine on which nobody listens. */
static int dead_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(at);
    AUTO(fd) int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&at, length) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &length) != 0)
        abort();
    return ntohs(at.sin_port);
}

TEST(digest_hmac_is_that_of_rfc_4231)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *text = "what do ya want for nothing?";
    size_t n = 0;
    CHECK_STR(digest_hmac(a, "Jefe", 4, text, strlen(text)),
              "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    const unsigned char *bytes = digest_from_base64(a, "AAEC/w==", &n);
    CHECK(bytes != NULL && n == 4 && memcmp(bytes, "\0\1\2\xFF", 4) == 0);
    bytes = digest_from_base64(a, "YWI=", &n);
    CHECK(bytes != NULL && n == 2 && memcmp(bytes, "ab", 2) == 0);
    CHECK(digest_from_base64(a, "YWJj", &n) != NULL && n == 3);
    static const char *const bad[] = {"", "YWI", "YW=I", "Y===", " YWI", "YWI\n", "YW-_", "===="};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(digest_from_base64(a, bad[i], &n) == NULL);
}

TEST(fetch_host_is_all_that_is_shown)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(fetch_host(a, "https://u:pw@hooks.example/T0/B0/s3cret?x=1"), "hooks.example");
    CHECK_STR(fetch_host(a, "http://[::1]:8080/"), "[::1]:8080");
    static const char *const bad[] = {
        "", "hooks.example/x", "ftp://h/x", "file:///etc/passwd", "http://", "http://h:port/"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        CHECK(fetch_host(a, bad[i]) == NULL);
    CHECK(fetch_host(a, NULL) == NULL);
}

TEST(fetch_gives_any_answer)
{
    AUTO(arena) struct arena *a = arena_new();
    struct receiver r;
    struct err e = {0};
    struct fetch_answer answer;
    if (!receiver_start(&r, "--status 302 --location http://127.0.0.1:1/ --body 0123456789")) {
        TAP_SKIP(no_python);
        return;
    }
    struct fetch_spec spec = {.method = "PUT",
                              .url = r.url,
                              .headers = (const char *const[]){"X-One: 1", "X-Two: 2", NULL},
                              .body = "hello",
                              .body_length = 5,
                              .timeout_ms = 5000,
                              .out_max = 4};
    CHECK(fetch(a, &spec, &answer, &e) && answer.status == 302);
    CHECK_STR(answer.body, "0123");
    spec = (struct fetch_spec){.method = "GET", .url = r.url, .out_max = 100};
    CHECK(fetch(a, &spec, &answer, &e) && answer.status == 302);
    CHECK_STR(answer.body, "0123456789");
    const char *log = receiver_log(a, &r);
    CHECK(count_of(log, "\n") == 2 && strstr(log, "\"method\": \"PUT\"") != NULL);
    CHECK(strstr(log, "\"x-one\": \"1\"") != NULL && strstr(log, "\"x-two\": \"2\"") != NULL);
    CHECK(strstr(log, "\"user-agent\": \"migsafe\"") != NULL && strstr(log, "\"hello\"") != NULL);
    CHECK(strstr(log, "\"method\": \"GET\"") != NULL);
    receiver_stop(&r);
}

TEST(fetch_says_why_there_was_no_answer)
{
    AUTO(arena) struct arena *a = arena_new();
    struct receiver r;
    struct err e = {0};
    struct fetch_answer answer;
    struct fetch_spec spec = {.method = "GET", .timeout_ms = 200};
    static const char *const bad[] = {"file:///etc/passwd", "ftp://127.0.0.1/s3cret", "s3cret"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        spec.url = bad[i];
        CHECK(!fetch(a, &spec, &answer, &e) && e.kind == ERR_CONFIG && no_secret_in(&e));
    }
    int port = dead_port();
    spec.url = arena_printf(a, "http://127.0.0.1:%d/s3cret", port);
    CHECK(!fetch(a, &spec, &answer, &e) && e.kind == ERR_CONNECT);
    CHECK_STR(e.message, arena_printf(a,
                                      "could not connect to \"127.0.0.1:%d\": Connection "
                                      "refused",
                                      port));
    spec.url = "https://no-such-host.invalid/s3cret";
    CHECK(!fetch(a, &spec, &answer, &e) && (e.kind == ERR_CONNECT || e.kind == ERR_TIMEOUT));
    CHECK(no_secret_in(&e) && strstr(e.message, "no-such-host.invalid") != NULL);
    if (!receiver_start(&r, "--hang")) {
        TAP_SKIP(no_python);
        return;
    }
    int64_t start = clock_ms();
    spec.url = r.url;
    CHECK(!fetch(a, &spec, &answer, &e) && e.kind == ERR_TIMEOUT && no_secret_in(&e));
    CHECK_STR(e.message, arena_printf(a, "no answer from \"%s\" in time", r.host));
    CHECK(clock_ms() - start >= 200 && clock_ms() - start < 900);
    receiver_stop(&r);
}

/* Standard Webhooks, computed a second time by other means. */
static const char verify[] =
    "import base64, hashlib, hmac, json, sys, time\n"
    "key, log = base64.b64decode(sys.argv[1]), sys.argv[2]\n"
    "lines = [json.loads(line) for line in open(log, encoding='utf-8')]\n"
    "ids, last = {l['headers']['webhook-id'] for l in lines}, lines[-1]\n"
    "h, raw = last['headers'], json.dumps(last['body'], ensure_ascii=False, separators=(',', "
    "':'))\n"
    "text = h['webhook-id'] + '.' + h['webhook-timestamp'] + '.' + raw\n"
    "want = 'v1,' + base64.b64encode(hmac.new(key, text.encode(), "
    "hashlib.sha256).digest()).decode()\n"
    "assert h['webhook-signature'] == want, (h, want)\n"
    "assert len(ids) == 1 and abs(int(h['webhook-timestamp']) - time.time()) < 60\n"
    "assert h['content-type'] == 'application/json' and last['body']['name'] == "
    "'d\\u00e9p\\u00f4t'\n";

static bool signature_is_good(const struct receiver *r, const char *key_base64)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct proc_result result;
    const struct proc_spec spec = {.argv = (const char *const[]){"python3", "-S", "-c", verify,
                                                                 key_base64,
                                                                 fs_join(a, r->dir, "log"), NULL},
                                   .timeout_ms = 10000,
                                   .out_max = 4096};
    return proc_run(a, &spec, &result, &e) && result.exit_status == 0;
}

static bool post(const char *url, const char *secret, int tries, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    AUTO(json) struct json *body = json_object();
    json_put(body, "event", "deploy.restored");
    json_put(body, "name", "d\xC3\xA9p\xC3\xB4t");
    const struct webhook_spec spec = {
        .url = url, .secret = secret, .timeout_ms = 200, .tries = tries, .pause_ms = 40};
    return webhook_send(a, &spec, body, e);
}

TEST(webhook_is_signed_and_comes_again_after_failures)
{
    AUTO(arena) struct arena *a = arena_new();
    struct receiver r;
    struct err e = {0};
    if (!receiver_start(&r, "--fail 3")) {
        TAP_SKIP(no_python);
        return;
    }
    int64_t start = clock_ms();
    CHECK(post(r.url, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 4, &e));
    CHECK(clock_ms() - start >= 20 + 40 + 80); /* half of 40, 80 and 160 at least */
    CHECK(count_of(receiver_log(a, &r), "\"answered\": 500") == 3);
    CHECK(count_of(receiver_log(a, &r), "\"answered\": 200") == 1);
    CHECK(signature_is_good(&r, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    receiver_stop(&r);
}

TEST(webhook_with_a_plain_secret_or_none)
{
    AUTO(arena) struct arena *a = arena_new();
    struct receiver r;
    struct err e = {0};
    if (!receiver_start(&r, "--status 204")) {
        TAP_SKIP(no_python);
        return;
    }
    CHECK(post(r.url, "YWJj", 0, &e) && signature_is_good(&r, "WVdKag=="));
    CHECK(post(r.url, NULL, 0, &e) && post(r.url, "", 0, &e));
    CHECK(count_of(receiver_log(a, &r), "webhook-signature") == 1);
    CHECK(count_of(receiver_log(a, &r), "\"webhook-id\": \"msg_") == 3);
    receiver_stop(&r);
    CHECK(!post("http://127.0.0.1:1/", "whsec_not base64", 0, &e) && e.kind == ERR_CONFIG);
    CHECK(!post("mailto:s3cret", NULL, 0, &e) && e.kind == ERR_CONFIG && no_secret_in(&e));
}

TEST(webhook_gives_up)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct {
        const char *options;
        int tries;
        enum err_kind kind;
        size_t requests;
        const char *message;
    } cases[] = {
        {"--status 500", 0, ERR_CONNECT, 3, "\"%s\" answered with status 500"},
        {"--status 429", 2, ERR_CONNECT, 2, "\"%s\" answered with status 429"},
        {"--status 408", 2, ERR_CONNECT, 2, "\"%s\" answered with status 408"},
        {"--status 404", 3, ERR_CONNECT, 1, "\"%s\" answered with status 404"},
        {"--status 302", 3, ERR_CONNECT, 1, "\"%s\" answered with status 302"},
        {"--hang", 2, ERR_TIMEOUT, 2, "no answer from \"%s\" in time"},
    };
    struct receiver receivers[ARRAY_LEN(cases)];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        receiver_spawn(&receivers[i], cases[i].options);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct receiver *r = &receivers[i];
        struct err e = {0};
        if (!receiver_wait(r)) {
            TAP_SKIP(no_python);
            continue;
        }
        CHECK(!post(r->url, NULL, cases[i].tries, &e) && e.kind == cases[i].kind);
        CHECK(no_secret_in(&e));
        struct str want = str_on(a);
        const char *at = strstr(cases[i].message, "%s");
        str_add_n(&want, cases[i].message, (size_t)(at - cases[i].message));
        str_add(&want, r->host);
        str_add(&want, at + 2);
        CHECK_STR(e.message, want.text);
        CHECK(count_of(receiver_log(a, r), "\n") == cases[i].requests);
        receiver_stop(r);
    }
    struct err e = {0};
    CHECK(!post(arena_printf(a, "http://127.0.0.1:%d/s3cret", dead_port()), NULL, 2, &e));
    CHECK(e.kind == ERR_CONNECT && no_secret_in(&e) && strstr(e.message, "refused") != NULL);
}

static void signal_later(void)
{
    fflush(stdout);
    if (fork() == 0) {
        usleep(150000);
        kill(getppid(), SIGTERM);
        _exit(0);
    }
}

/* The last test: from here on everything is cancelled. */
TEST(webhook_ends_when_told_to_stop)
{
    struct receiver r;
    struct err e = {0};
    stop_install();
    if (!receiver_start(&r, "--hang")) {
        TAP_SKIP(no_python);
        return;
    }
    AUTO(arena) struct arena *a = arena_new();
    struct fetch_answer answer;
    const struct fetch_spec spec = {.method = "GET", .url = r.url, .timeout_ms = 20000};
    int64_t start = clock_ms();
    signal_later();
    CHECK(!fetch(a, &spec, &answer, &e) && e.kind == ERR_CANCELLED);
    CHECK(clock_ms() - start < 900); /* at once, not at the next look after a second */
    CHECK(!post(r.url, NULL, 3, &e) && e.kind == ERR_CANCELLED);
    stop_shield(true);
    CHECK(!post(r.url, NULL, 1, &e) && e.kind == ERR_TIMEOUT);
    stop_shield(false);
    receiver_stop(&r);
}
