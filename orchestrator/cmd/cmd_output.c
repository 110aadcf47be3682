#include "cmd/cmd.h"

#include "base/log.h"
#include "base/stop.h"

#include <poll.h>
#include <unistd.h>

void cmd_print(struct cmd_context *ctx, struct json *document)
{
    AUTO(json) struct json *j = document;
    fputs(json_pretty(ctx->arena, j), ctx->out);
    ctx->printed = true;
}

void cmd_print_error(struct cmd_context *ctx, const struct err *error)
{
    struct err clean = *error;
    log_redact(error->message, clean.message, sizeof(clean.message));
    log_redact(error->detail, clean.detail, sizeof(clean.detail));
    log_redact(error->hint, clean.hint, sizeof(clean.hint));
    struct json *j = json_object();
    json_put_err(j, "error", &clean);
    cmd_print(ctx, j);
}

/* One line of standard input without its end; false: stopped, or the input has ended. */
static bool read_line(char *line, size_t size, struct err *e)
{
    size_t n = 0;
    for (;;) {
        struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
                                {.fd = stop_fd(), .events = POLLIN}};
        char c;
        poll(fds, 2, -1);
        if (!stop_check(e))
            return false;
        if (fds[0].revents == 0)
            continue;
        if (read(STDIN_FILENO, &c, 1) != 1 || c == '\n')
            break;
        if (n + 1 < size)
            line[n++] = c;
    }
    line[n] = '\0';
    return true;
}

bool cmd_confirm(struct cmd_context *ctx, bool yes, const char *question, const char *word,
                 struct err *e)
{
    char line[256];
    if (yes)
        return true;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        err_set(e, ERR_USAGE, "\"%s\" needs a confirmation", ctx->command->name);
        err_hint(e, "Run it on a terminal, or add --yes.");
        return false;
    }
    fprintf(stderr, "%s\nType \"%s\" to go on: ", question, word);
    fflush(stderr);
    if (!read_line(line, sizeof(line), e))
        return false;
    return strcmp(line, word) == 0 || err_set(e, ERR_CANCELLED, "not confirmed, nothing was done");
}
