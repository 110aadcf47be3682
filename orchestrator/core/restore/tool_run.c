#include "core/restore/tool_run.h"

#include "base/log.h"
#include "base/proc.h"

enum { TIMEOUT_MS = 24 * 60 * 60 * 1000, KEPT_BYTES = 64 * 1024 };

/* The rest of the line behind prefix when the line at p begins with it (after "tool: "). */
static const char *behind(struct arena *a, const char *line, const char *prefix)
{
    const char *found = strstr(line, prefix), *end = line + strcspn(line, "\n");
    if (found == NULL || found >= end)
        return NULL;
    found += strlen(prefix);
    return str_trim(a, arena_strndup(a, found, (size_t)(end - found)));
}

/* "3; 3079 16386 EXTENSION file_fdw (no owner)" -> "EXTENSION file_fdw" */
static const char *entry_label(struct arena *a, const char *entry)
{
    const char *p = strchr(entry, ';');
    for (int words = 0; p != NULL && words < 3; words++)
        p = strchr(p + 1, ' ');
    const char *last = p == NULL ? NULL : strrchr(p + 1, ' ');
    if (last == NULL)
        return entry;
    return arena_strndup(a, p + 1, (size_t)(last - p - 1));
}

bool tool_error(struct arena *a, const char *tool, const char *printed, struct err *e)
{
    const char *message = NULL, *entry = NULL;
    struct str detail = str_on(a);
    for (const char *line = printed; *line != '\0'; line += strcspn(line, "\n")) {
        line += *line == '\n';
        const char *error = behind(a, line, "error: "), *from = behind(a, line, "from TOC entry ");
        if (message != NULL && (error != NULL || str_starts(line, "Command was:")))
            break;
        if (error != NULL)
            message = error;
        else if (from != NULL)
            entry = entry_label(a, from);
        else if (message != NULL && (str_starts(line, "DETAIL:") || str_starts(line, "HINT:")))
            str_item(&detail, " ",
                     str_trim(a, arena_strndup(a, strchr(line, ':') + 1,
                                               strcspn(strchr(line, ':') + 1, "\n"))));
    }
    if (message == NULL)
        message = str_trim(a, arena_strndup(a, printed, strcspn(printed, "\n")));
    const char *of_server = strstr(message, "ERROR:  ");
    err_set(e, ERR_CHILD, "%s failed: %s", tool,
            of_server != NULL ? of_server + strlen("ERROR:  ") : message);
    if (entry != NULL)
        str_item(&detail, " ", arena_printf(a, "It was about %s.", entry));
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
