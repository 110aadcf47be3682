#include "cmd/restore_file.h"

#include "base/fs.h"
#include "base/log.h"
#include "core/backup/store.h"
#include "core/fence/fence.h"

#include <fcntl.h>
#include <unistd.h>

static bool looks_like_file(const char *operand)
{
    static const char *const endings[] = {".sql",    ".gz",  ".dump",   ".backup",
                                          ".pgdump", ".tar", ".custom", ".bak"};
    if (strcmp(operand, "-") == 0 || strchr(operand, '/') != NULL || fs_exists(operand))
        return true;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (str_ends(operand, endings[i]))
            return true;
    return false;
}

bool restore_is_file(struct arena *a, const char *backup_dir, const char *operand, const char **id)
{
    struct store_id parsed;
    *id = operand;
    if (fs_is_dir(fs_join(a, backup_dir, operand)) && store_id_parse(a, operand, &parsed))
        return false;
    const char *path = fs_absolute(a, operand), *name = fs_basename(path);
    if (fs_is_dir(path) && store_id_parse(a, name, &parsed) &&
        strcmp(fs_dirname(a, path), fs_absolute(a, backup_dir)) == 0) {
        *id = arena_strdup(a, name);
        return false;
    }
    return looks_like_file(operand);
}

bool restore_file_open(struct cmd_context *ctx, const char *operand, bool asks,
                       struct restore_file *f, struct err *e)
{
    bool is_stdin = strcmp(operand, "-") == 0;
    AUTO(fd) int terminal = -1;
    if (is_stdin && isatty(STDIN_FILENO)) {
        err_set(e, ERR_USAGE, "standard input is a terminal");
        err_hint(e, "Give the dump by < FILE or a pipe, or name the file.");
        return false;
    }
    if (is_stdin && asks) {
        terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
        if (terminal < 0) {
            err_set(e, ERR_USAGE, "\"%s\" needs a confirmation", ctx->command->name);
            err_hint(e, "Run it on a terminal, or add --yes.");
            return false;
        }
    }
    log_info("reading %s", is_stdin ? "standard input" : operand);
    if (!foreign_open(ctx->arena, operand, ctx->settings->state_dir, &f->dump, e))
        return false;
    bool ok = f->data_only || foreign_has_tables(&f->dump, e);
    if (ok && terminal >= 0 && dup2(terminal, STDIN_FILENO) < 0)
        ok = err_sys(e, ERR_SYSTEM, "could not read from the terminal");
    if (!ok)
        foreign_close(&f->dump);
    return ok;
}

bool restore_file_like(struct arena *a, struct pg *maintenance, const char *live, const char *name,
                       struct database_facts *like, struct err *e)
{
    if (database_read(a, maintenance, live, like, e)) {
        fence_take_out(a, like);
        return true;
    }
    if (strcmp(e->sqlstate, "3D000") != 0)
        return false;
    *e = (struct err){0};
    const char *role = pg_value(a, maintenance, "SELECT current_user", PG_NONE, e);
    if (role == NULL || !database_read(a, maintenance, "template0", like, e))
        return false;
    like->name = name;
    like->owner = role;
    like->acl = like->comment = NULL;
    like->connection_limit = -1;
    like->settings = like->role_settings = like->security_labels = strlist_on(a);
    return true;
}

struct source restore_file_source(const struct cmd_context *ctx, const struct site *site,
                                  struct restore_file *f)
{
    f->spec = (struct foreign_restore){.file = &f->dump,
                                       .server = &site->server,
                                       .pg_bin = ctx->settings->pg_bin,
                                       .owner = f->like.owner,
                                       .jobs = ctx->settings->jobs,
                                       .counts = &f->counts};
    return foreign_source(&f->spec, &f->like);
}
