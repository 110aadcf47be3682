#include "base/log.h"
#include "base/stop.h"
#include "base/version.h"
#include "cmd/cmd.h"
#include "core/connection/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void print_usage(FILE *to)
{
    fputs("usage: migsafe COMMAND [OPERAND...] [OPTION...]\n"
          "       migsafe help [COMMAND]\n"
          "       migsafe --version\n\n"
          "Runs `prisma migrate deploy` so that the database ends either wholly migrated and\n"
          "healthy, or wholly as it was.\n\ncommands:\n",
          to);
    command_list(to);
    fputs("\nmigsafe COMMAND --help tells more of one.\n", to);
}

/* Known before the options are read, so that errors in them come out in the right form. */
static bool has_word(char **words, const char *word)
{
    for (; *words != NULL && strcmp(*words, "--") != 0; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static bool run_command(struct cmd_context *ctx, const char *name, char **words, struct err *e)
{
    ctx->command = command_find(name, e);
    if (ctx->command == NULL)
        return false;
    struct strlist args = strlist_on(ctx->arena);
    for (; *words != NULL; words++)
        strlist_add(&args, *words);
    return ctx->command->run(ctx, args, e) || ctx->helped;
}

static bool dispatch(struct cmd_context *ctx, char **argv, struct err *e)
{
    const char *first = argv[1];
    if (first == NULL) {
        err_set(e, ERR_USAGE, "no command given");
        err_hint(e, "Run \"migsafe help\" for the list of commands.");
        return false;
    }
    if (strcmp(first, "--version") == 0) {
        fprintf(ctx->out, "migsafe %s\n", MIGSAFE_VERSION);
        return true;
    }
    bool help = strcmp(first, "help") == 0;
    if (strcmp(first, "--help") == 0 || (help && (argv[2] == NULL || argv[2][0] == '-'))) {
        print_usage(ctx->out);
        return true;
    }
    ctx->json = has_word(argv + 1, "--json");
    ctx->helped = help || has_word(argv + 1, "--help");
    if (first[0] == '-' && !help) {
        err_set(e, ERR_USAGE, "the command must come before option \"%s\"", first);
        err_hint(e, "Run \"migsafe help\" for the list of commands.");
        return false;
    }
    return run_command(ctx, help ? argv[2] : first, argv + (help ? 3 : 2), e);
}

/* A result that did not get out whole is a failure, but that its reader is satisfied is not. */
static bool flush_results(FILE *out, struct err *e)
{
    errno = 0;
    bool failed = ferror(out) != 0;
    if ((fflush(out) == 0 && !failed) || errno == EPIPE)
        return true;
    return err_sys(e, ERR_SYSTEM, "could not write to standard output");
}

/* A caller may have closed them: then the next thing that is opened, a journal or the session of
 * the lock, would have their numbers, and the log be written into it.  What is opened here cannot
 * be read, or written: that fails as it would on what is closed. */
static void hold_standard_files(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
}

int main(int argc, char **argv)
{
    static struct settings settings;
    struct err e = {0};
    (void)argc;
    hold_standard_files();
    stop_install();
    connection_ignore_environment();
    log_init(LOG_INFO, stderr);

    AUTO(arena) struct arena *arena = arena_new();
    struct cmd_context ctx = {.arena = arena, .settings = &settings, .out = stdout};
    bool ok = dispatch(&ctx, argv, &e);
    if (!ok && e.kind == ERR_NONE)
        err_set(&e, ERR_INTERNAL, "the command failed without a reason");
    if (!ok)
        log_err(&e);
    if (!ok && ctx.json && !ctx.printed)
        cmd_print_error(&ctx, &e);

    struct err unwritten = {0};
    if (!flush_results(ctx.out, &unwritten)) {
        log_err(&unwritten);
        e = ok ? unwritten : e;
        ok = ok && ctx.acted;
    }
    return ok ? 0 : err_exit_status(e.kind);
}
