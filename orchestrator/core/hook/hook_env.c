#include "core/hook/hook_env.h"

#include "base/fs.h"
#include "core/fence/fence.h"

static void tell(struct strlist *env, const char *name, const char *value)
{
    if (value != NULL && value[0] != '\0')
        strlist_printf(env, "MIGSAFE_RUN_%s=%s", name, value);
}

static const char *migrations(struct arena *a, const struct run_report *r)
{
    struct strlist names = strlist_on(a);
    for (size_t i = 0; i < r->migrations.count; i++)
        strlist_add(&names, r->migrations.items[i].name);
    return strlist_join(&names, "\n");
}

/* A data backup belongs to the full one before it: an older one is not of the same snapshot. */
static void tell_backups(struct strlist *env, const struct run_report *r)
{
    const struct report_backup *full = NULL, *data = NULL;
    for (size_t i = 0; i < r->backups.count; i++) {
        const struct report_backup *b = &r->backups.items[i];
        bool is_full = strcmp(b->kind, "full") == 0;
        full = is_full ? b : full;
        data = is_full ? NULL : b;
    }
    if (full != NULL)
        tell(env, "BACKUP", full->path);
    if (data != NULL)
        tell(env, "DATA_BACKUP", data->path);
    if (full != NULL || data != NULL)
        tell(env, "BACKUP_ID", full != NULL ? full->id : data->id);
}

/* The report is only there once there is a verdict. */
static void tell_end(struct arena *a, struct strlist *env, const struct hook_run *run)
{
    const struct run_report *r = run->report;
    if (r->verdict == NULL)
        return;
    tell(env, "VERDICT", r->verdict);
    strlist_printf(env, "MIGSAFE_RUN_EXIT=%d", r->exit_status);
    if (r->error.kind != ERR_NONE)
        tell(env, "ERROR", r->error.message);
    if (r->run == NULL)
        return;
    const char *file = arena_printf(a, "%s/runs/%s/report.json", run->settings->state_dir, r->run);
    if (fs_is_file(file))
        tell(env, "REPORT", file);
}

struct strlist hook_env(struct arena *a, const struct hook_run *run, enum hook_point point)
{
    const struct run_report *r = run->report;
    struct strlist env = strlist_on(a);
    strlist_add(&env, "MIGSAFE_RUN_*");
    tell(&env, "POINT", hook_point_name(point));
    tell(&env, "COMMAND", r->command);
    tell(&env, "ID", r->run);
    tell(&env, "DATABASE", r->database);
    tell(&env, "HOST", r->host);
    tell(&env, "PROJECT", run->settings->project);
    tell(&env, "STATE_DIR", run->settings->state_dir);
    tell(&env, "MIGRATIONS", migrations(a, r));
    tell(&env, "REASON", run->reason);
    if (run->fenced) {
        tell(&env, "FENCED", "yes");
        strlist_add(&env, "PGOPTIONS=" FENCE_EXEMPT);
    }
    tell_backups(&env, r);
    if (point == HOOK_POST_RESTORE)
        tell(&env, "RESTORED", r->kept_database != NULL ? "yes" : "no");
    tell(&env, "KEPT_DATABASE", r->kept_database);
    tell_end(a, &env, run);
    return env;
}
