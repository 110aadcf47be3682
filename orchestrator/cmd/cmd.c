#include "cmd/cmd.h"

#include "base/log.h"
#include "base/nearest.h"

#include <fcntl.h>
#include <unistd.h>

static const struct command *const commands[] = {
#define X(name) &cmd_##name,
    COMMANDS(X)
#undef X
};

const struct command *command_find(const char *name, struct err *e)
{
    AUTO(arena) struct arena *a = arena_new();
    struct strlist names = strlist_on(a);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
        strlist_add(&names, commands[i]->name);
    }
    const char *meant = nearest(&names, name);
    err_set(e, ERR_USAGE, "unrecognized command \"%s\"", name);
    if (meant != NULL)
        err_hint(e, "Perhaps \"%s\" is meant.", meant);
    else
        err_hint(e, "Run \"migsafe help\" for the list of commands.");
    return NULL;
}

void command_list(FILE *to)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        fprintf(to, "  %-10s %-10s %s\n", commands[i]->name, commands[i]->args,
                commands[i]->summary);
}

static void print_help(const struct cmd_context *ctx, const struct opt *opts, size_t count,
                       const struct opt *common, size_t common_count)
{
    const struct command *c = ctx->command;
    fprintf(ctx->out, "usage: migsafe %s%s%s [OPTION...]\n\n%s\n", c->name, c->args[0] ? " " : "",
            c->args, c->summary);
    if (c->details != NULL)
        fprintf(ctx->out, "\n%s\n", c->details);
    fputs("\noptions:\n", ctx->out);
    opt_help(opts, count, ctx->out);
    opt_help(common, common_count, ctx->out);
    if (c != &cmd_settings) {
        fputs("\nEvery setting is an option too: see migsafe settings --help.\n", ctx->out);
        return;
    }
    fputs("\nsettings, as options of every command (default in brackets):\n", ctx->out);
    settings_help(ctx->out);
}

struct reading {
    struct cmd_context *ctx;
    struct strlist names; /* every option there is, for "Perhaps ... is meant" */
};

static enum opt_answer unknown(const struct reading *r, const char *name, struct err *e)
{
    const char *meant = nearest(&r->names, name);
    if (meant == NULL)
        return OPT_UNKNOWN;
    err_set(e, ERR_USAGE, "unrecognized option \"--%s\"", name);
    err_hint(e, "Perhaps \"--%s\" is meant.", meant);
    return OPT_FAILED;
}

static enum opt_answer set_flag(const struct reading *r, const char *key, const char *value,
                                struct err *e)
{
    struct cmd_context *ctx = r->ctx;
    if (!settings_set(ctx->arena, ctx->settings, key, value, FROM_FLAG, e))
        return OPT_FAILED;
    if (settings_is_secret(key) && value[0] != '\0')
        strlist_printf(&ctx->settings->warnings,
                       "option --%s shows a secret to everyone who runs ps: set %s instead", key,
                       settings_env_names(ctx->arena, key));
    return OPT_TAKEN;
}

/* An option that the command does not know: a setting. */
static enum opt_answer read_setting(void *context, const char *name, const char *value,
                                    struct err *e)
{
    const struct reading *r = context;
    if (str_starts(name, "no-") && settings_is_flag(name + 3)) {
        if (value == NULL)
            return set_flag(r, name + 3, "off", e);
        err_set(e, ERR_USAGE, "option \"--%s\" takes no value", name);
        return OPT_FAILED;
    }
    if (!settings_has(name))
        return unknown(r, name, e);
    if (value == NULL && settings_is_flag(name))
        value = "on";
    return value == NULL ? OPT_WANTS_VALUE : set_flag(r, name, value, e);
}

static bool open_log_file(const char *path, struct err *e)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "a");
    if (file == NULL)
        return err_sys(e, ERR_SYSTEM, "could not open log file \"%s\"", path);
    log_copy_to(file); /* stays open to the end of the process */
    return true;
}

static bool set_up_log(const struct settings *s, struct err *e)
{
    static const char *const levels[] = {[LOG_ERROR] = "error",
                                         [LOG_WARNING] = "warning",
                                         [LOG_INFO] = "info",
                                         [LOG_DEBUG] = "debug"};
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (str_same(levels[i], s->log_level))
            log_level_set((enum log_level)i);
    log_json(str_same(s->log_format, "json"));
    if (s->log_file != NULL && !open_log_file(s->log_file, e))
        return false;
    for (size_t i = 0; i < s->warnings.count; i++)
        log_warning("%s", s->warnings.items[i]);
    return true;
}

static bool check_operands(const struct command *c, const struct strlist *args, struct err *e)
{
    if (c->max_args >= 0 && args->count > (size_t)c->max_args)
        err_set(e, ERR_USAGE, "unexpected operand \"%s\"", args->items[c->max_args]);
    else if (args->count < (size_t)c->min_args)
        err_set(e, ERR_USAGE, "missing operand %s", c->args);
    else
        return true;
    bool wants_id = e->kind == ERR_USAGE && args->count == 0 && str_starts(c->args, "ID");
    err_hint(e, "%sRun \"migsafe %s --help\" for the usage.",
             wants_id ? "\"migsafe list\" shows the backups. " : "", c->name);
    return false;
}

bool cmd_parse(struct cmd_context *ctx, const struct opt *opts, size_t count, struct strlist *args,
               struct err *e)
{
    const char *config = NULL;
    const struct opt common[] = {
        {"json", OPT_FLAG, &ctx->json, NULL, "one JSON document on standard output"},
        {"config", OPT_TEXT, &config, "FILE", "settings file (default: ./migsafe.json)"},
        {"help", OPT_FLAG, &ctx->helped, NULL, "this text"},
    };
    if (ctx->helped) {
        print_help(ctx, opts, count, common, ARRAY_LEN(common));
        return false;
    }
    struct opt *all = arena_array(ctx->arena, count + ARRAY_LEN(common), sizeof(*all));
    if (count > 0)
        memcpy(all, opts, count * sizeof(*opts));
    memcpy(all + count, common, sizeof(common));

    struct reading r = {.ctx = ctx, .names = strlist_on(ctx->arena)};
    settings_keys(&r.names);
    for (size_t i = 0; i < count + ARRAY_LEN(common); i++)
        strlist_add(&r.names, all[i].name);
    settings_defaults(ctx->arena, ctx->settings);
    if (!opt_parse(all, count + ARRAY_LEN(common), args, read_setting, &r, e) ||
        !check_operands(ctx->command, args, e) ||
        !settings_read(ctx->arena, ctx->settings, config, e))
        return false;
    settings_finish(ctx->arena, ctx->settings);
    return set_up_log(ctx->settings, e);
}

bool cmd_site(struct cmd_context *ctx, struct site *site, struct err *e)
{
    if (!site_read(ctx->arena, ctx->settings, site, e))
        return false;
    for (size_t i = 0; i < site->live.warnings.count; i++)
        log_warning("%s", site->live.warnings.items[i]);
    return true;
}
