#include "cmd/gate_print.h"

char *gate_summary(struct arena *a, const struct gate_result *result)
{
    const struct findings *f = &result->findings;
    return arena_printf(
        a, "gate: %s, %s in %s", str_plural(a, (int64_t)findings_errors(f), "error", "errors"),
        str_plural(a, (int64_t)findings_warnings(f), "warning", "warnings"),
        str_plural(a, (int64_t)result->pending.count, "pending migration", "pending migrations"));
}

void gate_print_text(const struct gate_output *o)
{
    struct cmd_context *ctx = o->ctx;
    findings_relative_to(&o->result->findings, o->root);
    findings_print(&o->result->findings, ctx->out);
    fprintf(ctx->out, "%s\n", gate_summary(ctx->arena, o->result));
}

void gate_print_json(const struct gate_output *o)
{
    const struct findings *f = &o->result->findings;
    struct json *j = json_object();
    struct json *pending = json_put_array(j, "pending");
    for (size_t i = 0; i < o->result->pending.count; i++)
        json_push(pending, o->result->pending.items[i]);
    json_put(j, "base", o->base);
    json_put(j, "database", o->database);
    findings_relative_to(&o->result->findings, o->root);
    findings_json(f, json_put_array(j, "findings"));
    json_put_int(j, "errors", (int64_t)findings_errors(f));
    json_put_int(j, "warnings", (int64_t)findings_warnings(f));
    cmd_print(o->ctx, j);
}

/* The escapes of GitHub's workflow commands: these three in the message, two more in properties. */
static void add_escaped(struct str *s, const char *text, const char *special)
{
    for (; *text != '\0'; text++)
        if (strchr(special, *text) != NULL)
            str_printf(s, "%%%02X", (unsigned)(unsigned char)*text);
        else
            str_add_n(s, text, 1);
}

static void add_property(struct str *s, const char *name, const char *value)
{
    str_add(s, s->text[s->length - 1] == ' ' ? "" : ",");
    str_printf(s, "%s=", name);
    add_escaped(s, value, "%\r\n:,");
}

static void print_annotation(struct arena *a, const struct finding *item, FILE *to)
{
    struct str s = str_on(a);
    str_printf(&s, "::%s ", item->allowed ? "notice" : finding_level_name(item->level));
    if (item->file != NULL)
        add_property(&s, "file", item->file);
    if (item->file != NULL && item->line > 0)
        add_property(&s, "line", arena_printf(a, "%zu", item->line));
    add_property(&s, "title", item->rule);
    str_add(&s, "::");
    add_escaped(&s, arena_printf(a, "%s: %s", item->target, item->message), "%\r\n");
    const char *more =
        item->allowed ? arena_printf(a, "Allowed by %s.", item->allowed_by) : item->advice;
    if (more != NULL)
        add_escaped(&s, arena_printf(a, "\n%s", more), "%\r\n");
    fprintf(to, "%s\n", s.text);
}

/* GitHub wants paths as seen from the top of the repository, which its runner names. */
void gate_print_github(const struct gate_output *o)
{
    struct cmd_context *ctx = o->ctx;
    const struct findings *f = &o->result->findings;
    const char *folders[] = {o->workspace, o->top, o->root};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        if (folders[i] != NULL)
            findings_relative_to(&o->result->findings, folders[i]);
    for (size_t i = 0; i < f->count; i++)
        print_annotation(ctx->arena, &f->items[i], ctx->out);
    fprintf(ctx->out, "%s\n", gate_summary(ctx->arena, o->result));
}
