#include "core/backup/pg_dump.h"

#include "base/proc.h"

enum {
    LIMIT_MS = 24 * 60 * 60 * 1000, /* no backup takes longer */
    OUTPUT_BYTES = 64 * 1024,
};

static bool says(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(text, words[i]) != NULL)
            return true;
    return false;
}

/* What follows "pg_dump: <word>: " in the first line that has it, or NULL. */
static const char *line_with(struct arena *a, const char *output, const char *word)
{
    const char *at = strstr(output, word);
    return at == NULL ? NULL
                      : arena_strndup(a, at + strlen(word), strcspn(at + strlen(word), "\n"));
}

static bool failed(struct arena *a, const struct pg_dump_spec *spec, const struct proc_result *r,
                   struct err *e)
{
    static const char *const disk[] = {"No space left on device", "Disk quota exceeded",
                                       "Permission denied",       "Read-only file system",
                                       "Input/output error",      "could not write to output file",
                                       "could not close"};
    static const char *const locks[] = {"could not obtain lock on relation",
                                        "canceling statement due to statement timeout",
                                        "canceling statement due to lock timeout"};
    const char *first = line_with(a, r->err, "error: ");
    const char *detail = line_with(a, r->err, "detail: ");
    if (first == NULL)
        first = r->err[0] != '\0' ? arena_strndup(a, r->err, strcspn(r->err, "\n"))
                                  : arena_printf(a, "exit status %d", r->exit_status);
    if (says(r->err, disk, ARRAY_LEN(disk)))
        return err_set(e, ERR_SYSTEM, "could not write the backup to \"%s\": %s", spec->folder,
                       first);
    if (says(r->err, locks, ARRAY_LEN(locks)))
        return err_set(e, ERR_TIMEOUT, "pg_dump could not lock the tables: %s", first);
    err_set(e, ERR_CHILD, "pg_dump failed: %s", first);
    if (detail != NULL)
        err_detail(e, "%s", detail);
    return false;
}

static struct strlist arguments(struct arena *a, const struct pg_dump_spec *spec)
{
    struct strlist argv = strlist_on(a);
    strlist_add(&argv, spec->program);
    strlist_add(&argv, "--format=directory");
    strlist_add(&argv, "--no-password");
    strlist_add(&argv, "--no-sync"); /* done by us, all at once */
    strlist_printf(&argv, "--snapshot=%s", spec->snapshot);
    strlist_printf(&argv, "--lock-wait-timeout=%lld", (long long)spec->lock_timeout_ms);
    strlist_printf(&argv, "--file=%s", spec->folder);
    if (spec->large != NULL) {
        strlist_add(&argv, "--section=data");
        strlist_add(&argv, "--large-objects");
        strlist_add(&argv, "--exclude-table-data=*.*");
        strlist_printf(&argv, "--compress=%s", spec->large);
        return argv;
    }
    strlist_add(&argv, "--section=pre-data"); /* --schema-only leaves out what fills matviews */
    strlist_add(&argv, "--section=post-data");
    return argv;
}

static bool run(struct arena *a, const struct pg_dump_spec *spec, const struct child_env *env,
                struct err *e)
{
    struct proc_result result;
    const struct strlist argv = arguments(a, spec);
    const struct proc_spec child = {
        .argv = argv.items, .env = env->env.items, .timeout_ms = LIMIT_MS, .out_max = OUTPUT_BYTES};
    return proc_run(a, &child, &result, e) &&
           (result.exit_status == 0 || failed(a, spec, &result, e));
}

bool pg_dump_run(struct arena *a, const struct pg_dump_spec *spec, struct err *e)
{
    struct child_env env = {0};
    if (!child_env_open(a, spec->from, spec->session, &env, e))
        return false;
    strlist_add(&env.env, "LC_ALL=C"); /* its messages are read */
    bool ok = run(a, spec, &env, e);
    child_env_close(&env);
    return ok;
}
