#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "cmd/cmd.h"

enum { FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 1000, LONGEST_CONNECT_S = 10 };

struct answer {
    int version, attempts;
    int64_t waited_ms;
};

/* A login that is refused will be refused in a minute too; a server that starts, refuses
 * connections, or has no free slot may be ready then. */
static bool is_worth_waiting(const struct err *e)
{
    static const char *const final[] = {"28P01", "28000", "3D000", "42501"};
    for (size_t i = 0; i < ARRAY_LEN(final); i++)
        if (strcmp(e->sqlstate, final[i]) == 0)
            return false;
    return e->kind == ERR_CONNECT || e->kind == ERR_TIMEOUT;
}

static bool try_once(struct arena *a, const struct site *site, int left_ms, struct answer *answer,
                     struct err *e)
{
    struct site limited = *site;
    int left_s = left_ms / 1000 + 1;
    if (left_s < LONGEST_CONNECT_S &&
        (site->live.connect_timeout_s == 0 || site->live.connect_timeout_s > left_s))
        limited.live.connect_timeout_s = left_s;
    AUTO(pg) struct pg *db = site_open_live(&limited, "migsafe wait", e);
    if (db == NULL || pg_value(a, db, "SELECT 1", PG_NONE, e) == NULL)
        return false;
    answer->version = pg_server_version(db);
    return true;
}

static bool wait_for_answer(struct arena *a, const struct site *site, int64_t wait_ms,
                            struct answer *answer, struct err *e)
{
    int64_t started = clock_ms(), end = started + wait_ms, pause = FIRST_PAUSE_MS;
    for (;;) {
        int64_t left = end - clock_ms();
        answer->attempts++;
        bool ok = try_once(a, site, left > 0 ? (int)left : 0, answer, e);
        answer->waited_ms = clock_ms() - started;
        if (ok || !is_worth_waiting(e))
            return ok;
        if (answer->attempts == 1 && wait_ms > 0)
            log_info("%s; waiting for it up to %s", e->message, clock_human_ms(a, wait_ms));
        left = end - clock_ms();
        if (left <= 0 && wait_ms == 0)
            return false;
        if (left <= 0)
            return err_wrap(e, "no answer within %s", clock_human_ms(a, wait_ms));
        if (!stop_sleep_ms(pause < left ? pause : left, e))
            return false;
        pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
    }
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    struct site site;
    struct answer answer = {0};
    if (!cmd_parse(ctx, NULL, 0, &args, e) || !cmd_site(ctx, &site, e) ||
        !wait_for_answer(ctx->arena, &site, ctx->settings->wait_ms, &answer, e))
        return false;
    const char *label = connection_label(ctx->arena, &site.live);
    if (!ctx->json) {
        fprintf(ctx->out, "%s answers after %s\n", label,
                clock_human_ms(ctx->arena, answer.waited_ms));
        return true;
    }
    struct json *j = json_object();
    json_put(j, "database", label);
    json_put_int(j, "server_version", answer.version);
    json_put_int(j, "attempts", answer.attempts);
    json_put_int(j, "waited_ms", answer.waited_ms);
    cmd_print(ctx, j);
    return true;
}

const struct command cmd_wait = {
    .name = "wait",
    .args = "",
    .summary = "wait until the database answers",
    .details =
        "Tries until the database answers a query, for as long as the setting `wait` says\n"
        "(--wait 0: once). A server that is not there yet or is starting up is waited for; a\n"
        "wrong password, a role that may not log in and a database that does not exist fail at\n"
        "once. Exit status 69 when there was no answer.",
    .run = run,
};
