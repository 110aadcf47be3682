#include "core/restore/tool_run.h"

#include "base/log.h"
#include "base/proc.h"

enum { TIMEOUT_MS = 24 * 60 * 60 * 1000, KEPT_BYTES = 64 * 1024, COMMAND_BYTES = 200 };

/* What follows prefix in the line at p; NULL when it is not in it. */
static const char *behind(struct arena *a, const char *line, const char *prefix)
{
    const char *found = strstr(line, prefix), *end = line + strcspn(line, "\n");
    if (found == NULL || found >= end)
        return NULL;
    found += strlen(prefix);
    return str_trim(a, arena_strndup(a, found, (size_t)(end - found)));
}

/* Enough of a statement to know it again; options may hold a password. */
static const char *shown_command(struct arena *a, const char *command)
{
    const char *options = strstr(command, "OPTIONS");
    size_t length = options == NULL ? strlen(command) : (size_t)(options - command);
    bool cut = options != NULL || length > COMMAND_BYTES;
    return arena_printf(a, "The command was: %.*s%s",
                        (int)(length > COMMAND_BYTES ? COMMAND_BYTES : length), command,
                        cut ? "..." : "");
}

bool tool_error(struct arena *a, const char *tool, const char *printed, struct err *e)
{
    const char *message = NULL, *command = NULL, *text;
    struct str detail = str_on(a);
    for (const char *line = printed; *line != '\0' && command == NULL;
         line += strcspn(line, "\n"), line += *line == '\n') {
        const char *error = behind(a, line, "error: ");
        if (message == NULL)
            message = error;
        else if (error != NULL)
            break;
        else if ((text = behind(a, line, "DETAIL:")) != NULL ||
                 (text = behind(a, line, "HINT:")) != NULL)
            str_item(&detail, " ", text);
        else
            command = behind(a, line, "Command was:");
    }
    if (message == NULL)
        message = str_trim(a, arena_strndup(a, printed, strcspn(printed, "\n")));
    if (message[0] == '\0')
        message = "it says nothing";
    const char *of_server = strstr(message, "ERROR:  ");
    err_set(e, ERR_CHILD, "%s failed: %s", tool,
            of_server != NULL ? of_server + strlen("ERROR:  ") : message);
    if (command != NULL)
        str_item(&detail, " ", shown_command(a, command));
    if (detail.length > 0)
        err_detail(e, "%s", detail.text);
    return false;
}

bool tool_run(struct arena *a, const char *tool, const struct tool_spec *spec, struct err *e)
{
    struct child_env env;
    struct proc_result result;
    struct strlist argv = strlist_on(a);
    const char *path;
    if (!connection_tool(a, spec->pg_bin, tool, spec->server_version, &path, e) ||
        !child_env_open(a, spec->to, "migsafe", &env, e))
        return false;
    if (spec->options != NULL)
        child_env_options(&env, spec->options);
    child_env_may_idle(&env, spec->server_version);
    strlist_add(&argv, path);
    for (size_t i = 0; i < spec->args->count; i++)
        strlist_add(&argv, spec->args->items[i]);
    log_debug("running %s", proc_line(a, argv.items));
    const struct proc_spec proc = {
        .argv = argv.items,
        .env = env.env.items,
        .timeout_ms = TIMEOUT_MS,
        .out_max = KEPT_BYTES,
    };
    bool ok = proc_run(a, &proc, &result, e);
    child_env_close(&env);
    return ok && (result.exit_status == 0 || tool_error(a, tool, result.err, e));
}
