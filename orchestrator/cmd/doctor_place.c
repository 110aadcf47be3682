#include "cmd/doctor.h"

#include "base/fs.h"
#include "base/proc.h"

#include <sys/stat.h>
#include <unistd.h>

enum { LOGIN_TIMEOUT_MS = 30000, LOGIN_BYTES = 4096 };

static bool run_psql(struct doctor *d, const char *psql, const struct child_env *env, struct err *e)
{
    struct proc_result result;
    const struct proc_spec spec = {
        .argv = (const char *const[]){psql, "-XAtqwc", "SELECT current_user", NULL},
        .env = env->env.items,
        .timeout_ms = LOGIN_TIMEOUT_MS,
        .out_max = LOGIN_BYTES,
    };
    if (!proc_run(d->arena, &spec, &result, e))
        return false;
    if (result.exit_status != 0)
        return err_set(e, ERR_CHILD, "psql could not log in: %s", str_trim(d->arena, result.err));
    doctor_ok(d, "tools", "psql logs in as %s", str_trim(d->arena, result.out));
    return true;
}

/* The programs find their way in by other means than our sessions: their environment, a file. */
static void check_login(struct doctor *d, const char *psql)
{
    struct err e = {0};
    struct child_env env;
    if (!child_env_open(d->arena, &d->site.live, "migsafe doctor", &env, &e) ||
        !run_psql(d, psql, &env, &e))
        doctor_error(d, "tools", &e);
    child_env_close(&env);
}

void doctor_tools(struct doctor *d)
{
    static const char *const tools[] = {"pg_dump", "pg_restore", "psql"};
    struct strlist found = strlist_on(d->arena);
    if (d->server_version == 0)
        return;
    for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
        struct err e = {0};
        const char *path;
        if (connection_tool(d->arena, d->settings->pg_bin, tools[i], d->server_version, &path, &e))
            strlist_add(&found, path);
        else
            doctor_error(d, "tools", &e);
    }
    if (found.count < ARRAY_LEN(tools))
        return;
    doctor_ok(d, "tools", "%s", strlist_join(&found, ", "));
    check_login(d, found.items[ARRAY_LEN(tools) - 1]);
}

/* The folder itself, or the nearest one above it that exists. */
static const char *existing(struct arena *a, const char *path)
{
    while (!fs_exists(path) && strcmp(path, fs_dirname(a, path)) != 0)
        path = fs_dirname(a, path);
    return path;
}

static bool is_open_to_others(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

/* Nothing is written: that a folder could be made or written is judged by its rights. */
static bool check_folder(struct doctor *d, const char *name, const char *path)
{
    struct err e = {0};
    const char *there = existing(d->arena, path);
    bool exists = fs_exists(path);
    if (!fs_is_dir(there)) {
        err_set(&e, ERR_SYSTEM, "\"%s\" is not a folder", there);
    } else if (access(there, W_OK | X_OK) < 0) {
        err_sys(&e, ERR_SYSTEM, "could not write to folder \"%s\"", there);
    } else if (exists && is_open_to_others(path)) {
        err_set(&e, ERR_SYSTEM, "folder \"%s\" is open to other users", path);
        err_hint(&e, "Run chmod 700 on it: backups hold all data.");
        doctor_warning(d, name, &e);
        return true;
    } else {
        doctor_ok(d, name, "%s%s", path, exists ? "" : " (will be made)");
        return true;
    }
    doctor_error(d, name, &e);
    return false;
}

static void check_space(struct doctor *d, const char *path)
{
    struct err e = {0};
    int64_t bytes;
    if (!fs_free_bytes(existing(d->arena, path), &bytes, &e)) {
        doctor_error(d, "disk", &e);
    } else if (bytes < d->database_bytes) {
        err_set(&e, ERR_SYSTEM, "%s free for backups, the database has %s",
                str_bytes(d->arena, bytes), str_bytes(d->arena, d->database_bytes));
        doctor_warning(d, "disk", &e);
    } else {
        doctor_ok(d, "disk", "%s free for backups", str_bytes(d->arena, bytes));
    }
}

void doctor_folders(struct doctor *d)
{
    if (check_folder(d, "backup-dir", d->settings->backup_dir))
        check_space(d, d->settings->backup_dir);
    check_folder(d, "state-dir", d->settings->state_dir);
}
