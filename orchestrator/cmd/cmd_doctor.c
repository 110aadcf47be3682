#include "base/log.h"
#include "cmd/doctor.h"

#include <stdarg.h>

static doctor_check *const checks[] = {
    doctor_settings,    doctor_url,     doctor_server,  doctor_role,  doctor_tools,
    doctor_maintenance, doctor_folders, doctor_project, doctor_hooks, doctor_leftovers,
};

static void tell(struct doctor *d, const char *level, const char *name, const struct err *e)
{
    struct err clean = *e;
    log_redact(e->message, clean.message, sizeof(clean.message));
    log_redact(e->detail, clean.detail, sizeof(clean.detail));
    log_redact(e->hint, clean.hint, sizeof(clean.hint));
    struct json *j = json_push_object(d->checks);
    json_put(j, "check", name);
    json_put(j, "level", level);
    json_put(j, "message", clean.message);
    json_put(j, "detail", clean.detail[0] ? clean.detail : NULL);
    json_put(j, "hint", clean.hint[0] ? clean.hint : NULL);
    if (d->out == NULL)
        return;
    fprintf(d->out, "%-8s %-12s %s\n", level, name, clean.message);
    if (clean.detail[0] != '\0')
        fprintf(d->out, "%-21s %s\n", "", clean.detail);
    if (clean.hint[0] != '\0')
        fprintf(d->out, "%-21s %s\n", "", clean.hint);
}

void doctor_ok(struct doctor *d, const char *name, const char *fmt, ...)
{
    struct err said = {0};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(said.message, sizeof(said.message), fmt, ap);
    va_end(ap);
    tell(d, "ok", name, &said);
}

void doctor_warning(struct doctor *d, const char *name, const struct err *e)
{
    d->warnings++;
    tell(d, "warning", name, e);
}

void doctor_error(struct doctor *d, const char *name, const struct err *e)
{
    if (d->errors++ == 0)
        d->first = *e;
    tell(d, "error", name, e);
}

static void print_document(struct cmd_context *ctx, const struct doctor *d, struct json *list)
{
    struct json *j = json_object();
    json_put_bool(j, "ok", d->errors == 0);
    json_put_int(j, "errors", d->errors);
    json_put_int(j, "warnings", d->warnings);
    json_put_node(j, "checks", list);
    cmd_print(ctx, j);
}

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    bool drill = false;
    const struct opt opts[] = {
        {"drill", OPT_FLAG, &drill, NULL,
         "try the way back too, on empty databases that are made and dropped"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e))
        return false;
    struct doctor d = {
        .arena = ctx->arena,
        .settings = ctx->settings,
        .database_bytes = -1,
        .out = ctx->json ? NULL : ctx->out,
        .checks = json_array(),
    };
    bool cancelled = false;
    for (size_t i = 0; i < ARRAY_LEN(checks) && !cancelled; i++) {
        checks[i](&d);
        cancelled = d.first.kind == ERR_CANCELLED;
    }
    if (drill && !cancelled)
        doctor_drill(&d);
    pg_close(d.live);
    pg_close(d.maintenance);
    if (ctx->json)
        print_document(ctx, &d, d.checks);
    else
        json_free(d.checks);
    if (d.errors == 0)
        return true;
    err_set(e, d.first.kind, "%s found", str_plural(ctx->arena, d.errors, "error", "errors"));
    return false;
}

const struct command cmd_doctor = {
    .name = "doctor",
    .args = "",
    .summary = "check that database, tools and folders are fit for work",
    .details =
        "Nothing is changed, but for --drill.\n"
        "Every check gives a line: ok, warning or error. Without errors the exit status is 0,\n"
        "else that of the first error: 78 settings or URL, 69 no connection, 11 rights or a\n"
        "pooled URL, 74 programs of PostgreSQL missing, 71 folders.",
    .run = run,
};
