#include "cmd/cmd.h"

static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
{
    if (!cmd_parse(ctx, NULL, 0, &args, e))
        return false;
    if (!ctx->json) {
        settings_print(ctx->arena, ctx->settings, ctx->out);
        return true;
    }
    struct json *j = json_object();
    settings_json(ctx->arena, ctx->settings, json_put_object(j, "settings"));
    cmd_print(ctx, j);
    return true;
}

const struct command cmd_settings = {
    .name = "settings",
    .args = "",
    .summary = "print every setting, its value and where it came from",
    .run = run,
};
