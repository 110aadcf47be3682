#include "cmd/cmd.h"

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    bool markdown = false, schema = false;
    const struct opt opts[] = {
        {"markdown", OPT_FLAG, &markdown, NULL, "print the page docs/SETTINGS.md instead"},
        {"schema", OPT_FLAG, &schema, NULL, "print the JSON Schema of migsafe.json instead"},
    };
    if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e))
        return false;
    if (markdown) {
        settings_markdown(ctx->arena, ctx->out);
    } else if (schema) {
        cmd_print(ctx, settings_schema(ctx->arena));
    } else if (ctx->json) {
        struct json *j = json_object();
        settings_json(ctx->arena, ctx->settings, json_put_object(j, "settings"));
        cmd_print(ctx, j);
    } else {
        settings_print(ctx->arena, ctx->settings, ctx->out);
    }
    return true;
}

const struct command cmd_settings = {
    .name = "settings",
    .args = "",
    .summary = "print every setting, its value and where it came from",
    .run = run,
};
