#include "cmd/cmd.h"

#include "tap.h"

#include <fcntl.h>
#include <unistd.h>

static const struct command drop = {.name = "drop", .args = "NAME", .summary = "drops"};

/* Standard input and stderr on a terminal where this was typed, or on /dev/null (NULL). */
struct typed {
    int saved_in, saved_err, master;
};

static struct typed type(const char *text)
{
    struct typed t = {.saved_in = dup(STDIN_FILENO), .saved_err = dup(STDERR_FILENO), .master = -1};
    int slave = open("/dev/null", O_RDWR);
    if (text != NULL) {
        close(slave);
        t.master = posix_openpt(O_RDWR | O_NOCTTY);
        CHECK(t.master >= 0 && grantpt(t.master) == 0 && unlockpt(t.master) == 0);
        slave = open(ptsname(t.master), O_RDWR | O_NOCTTY);
        CHECK(write(t.master, text, strlen(text)) == (ssize_t)strlen(text));
    }
    CHECK(dup2(slave, STDIN_FILENO) == STDIN_FILENO && dup2(slave, STDERR_FILENO) == STDERR_FILENO);
    close(slave);
    return t;
}

static void typed_end(struct typed t)
{
    dup2(t.saved_in, STDIN_FILENO);
    dup2(t.saved_err, STDERR_FILENO);
    close(t.saved_in);
    close(t.saved_err);
    if (t.master >= 0)
        close(t.master);
}

static bool confirm(const char *text, bool yes, struct err *e)
{
    struct cmd_context ctx = {.command = &drop};
    struct typed t = type(text);
    *e = (struct err){0};
    bool ok = cmd_confirm(&ctx, yes, "This drops the database.", "app", e);
    typed_end(t);
    return ok;
}

TEST(confirm_wants_the_word_on_a_terminal)
{
    struct err e;
    CHECK(confirm("app\n", false, &e));
    CHECK(!confirm("yes\n", false, &e) && e.kind == ERR_CANCELLED);
    CHECK(!confirm("apps\n", false, &e) && e.kind == ERR_CANCELLED);
    CHECK(!confirm("\n", false, &e) && e.kind == ERR_CANCELLED);
    CHECK(!confirm("\004", false, &e) && e.kind == ERR_CANCELLED);
}

TEST(confirm_elsewhere_wants_yes)
{
    struct err e;
    CHECK(!confirm(NULL, false, &e) && e.kind == ERR_USAGE);
    CHECK(strstr(e.hint, "--yes") != NULL && strstr(e.message, "drop") != NULL);
    CHECK(confirm(NULL, true, &e) && e.kind == ERR_NONE);
}

/* What cmd_parse makes of words, with the output in text. */
static bool parse(struct arena *a, const char *words, struct cmd_context *ctx, struct strlist *args,
                  struct err *e)
{
    static struct settings settings;
    static const struct command two = {
        .name = "two", .args = "A [B]", .summary = "takes two", .min_args = 1, .max_args = 2};
    const char *own = NULL;
    const struct opt opts[] = {{"own", OPT_TEXT, &own, "X", "an option of its own"}};
    *args = strlist_on(a);
    *ctx =
        (struct cmd_context){.arena = a, .settings = &settings, .command = &two, .out = tmpfile()};
    for (char *rest = arena_strdup(a, words), *word; (word = strsep(&rest, " ")) != NULL;)
        if (word[0] != '\0')
            strlist_add(args, word);
    *e = (struct err){0};
    bool ok = cmd_parse(ctx, opts, ARRAY_LEN(opts), args, e);
    fclose(ctx->out);
    return ok;
}

TEST(parse_counts_operands_and_takes_settings)
{
    AUTO(arena) struct arena *a = arena_new();
    struct cmd_context ctx;
    struct strlist args;
    struct err e;
    CHECK(parse(a, "x --own y --json --attempts 5 --no-backup-after z", &ctx, &args, &e));
    CHECK(ctx.json && ctx.settings->attempts == 5 && !ctx.settings->backup_after);
    CHECK(args.count == 2 && strcmp(args.items[1], "z") == 0);
    CHECK(ctx.settings->state_dir[0] == '/' && ctx.settings->jobs > 0);
    CHECK(!parse(a, "", &ctx, &args, &e) && e.kind == ERR_USAGE);
    CHECK(strstr(e.message, "A [B]") != NULL);
    CHECK(!parse(a, "x y z", &ctx, &args, &e) && e.kind == ERR_USAGE);
    CHECK(strstr(e.message, "\"z\"") != NULL);
    CHECK(!parse(a, "x --owm y", &ctx, &args, &e) && strstr(e.hint, "--own") != NULL);
    CHECK(!parse(a, "x --attempts 0", &ctx, &args, &e) && e.kind == ERR_CONFIG);
}

TEST(print_error_hides_nothing_but_secrets)
{
    AUTO(arena) struct arena *a = arena_new();
    char *text = NULL;
    size_t size;
    struct err e = {0};
    struct cmd_context ctx = {.arena = a, .out = open_memstream(&text, &size)};
    err_set(&e, ERR_CONNECT, "no \"way\" in");
    snprintf(e.sqlstate, sizeof(e.sqlstate), "28P01");
    cmd_print_error(&ctx, &e);
    fclose(ctx.out);
    CHECK(ctx.printed);
    AUTO(json) struct json *j = json_parse(text, strlen(text), &e);
    const struct json *error = json_find(j, "error");
    CHECK_STR(json_str(error, "kind", ""), "connect");
    CHECK_STR(json_str(error, "sqlstate", ""), "28P01");
    CHECK_STR(json_str(error, "message", ""), "no \"way\" in");
    free(text);
}
