/*
 * cmd.h - the commands.  One file per command, one row per command here.
 *
 *     static bool run(struct cmd_context *ctx, struct strlist args, struct err *e)
 *     {
 *         const char *into = NULL;
 *         const struct opt opts[] = {{"into", OPT_TEXT, &into, "NAME", "restore into a new
 * database"}}; if (!cmd_parse(ctx, opts, ARRAY_LEN(opts), &args, e)) return false;
 *
 * Every command has --help and --json, and takes every setting as a flag.
 * Results go to ctx->out, the log to stderr.  With --json a command prints one
 * document by cmd_print; when it fails before that, main prints {"error":{...}}.
 */
#ifndef MIGSAFE_CMD_CMD_H
#define MIGSAFE_CMD_CMD_H

#include "base/opt.h"
#include "core/settings/settings.h"
#include "core/site.h"

struct cmd_context {
    struct arena *arena; /* freed after the command returns */
    struct settings *settings;
    const struct command *command;
    FILE *out;    /* results; stdout but in tests */
    bool json;    /* --json was given */
    bool printed; /* a JSON document is out */
    bool acted;   /* the exit status is about what was done, also where its words do not get out */
    bool helped;  /* --help was given: run returns false with no error, exit 0 */
};

struct command {
    const char *name;
    const char *args;       /* "ID", "[RUN]", "" */
    const char *summary;    /* one line of `migsafe help` */
    const char *details;    /* what its --help says below the usage line; or NULL */
    int min_args, max_args; /* max_args -1: any number */
    bool (*run)(struct cmd_context *ctx, struct strlist args, struct err *e);
};

/* In the order of `migsafe help`. */
#define COMMANDS(X) \
    X(deploy)       \
    X(gate)         \
    X(backup)       \
    X(restore)      \
    X(recover)      \
    X(replay)       \
    X(list)         \
    X(show)         \
    X(verify)       \
    X(prune)        \
    X(export)       \
    X(import)       \
    X(health) X(status) X(report) X(wait) X(doctor) X(settings) X(init)

#define X(name) extern const struct command cmd_##name;
COMMANDS(X)
#undef X

/* Reads options and settings, then finishes the settings and the log.  args: in, the words after
 * the command; out, the operands, their number checked.  False: ERR_USAGE, ERR_CONFIG, or helped.
 */
MUST_CHECK bool cmd_parse(struct cmd_context *ctx, const struct opt *opts, size_t count,
                          struct strlist *args, struct err *e);
/* site_read, and its warnings in the log. */
MUST_CHECK bool cmd_site(struct cmd_context *ctx, struct site *site, struct err *e);
/* Prints a document (taken) on ctx->out. */
void cmd_print(struct cmd_context *ctx, struct json *document);
/* Asks for `word` on a terminal unless yes; ERR_USAGE elsewhere, naming --yes; ERR_CANCELLED when
 * something else is answered. */
MUST_CHECK bool cmd_confirm(struct cmd_context *ctx, bool yes, const char *question,
                            const char *word, struct err *e);

/* {"error":{...}}, for a command that failed before it printed its document; known secrets as
 * ***. */
void cmd_print_error(struct cmd_context *ctx, const struct err *error);

/* NULL and ERR_USAGE when there is no such command. */
const struct command *command_find(const char *name, struct err *e);
void command_list(FILE *to);

#endif
