#include "core/backup/export.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/random.h"
#include "core/restore/tool_run.h"
#include "ext/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { TIMEOUT_MS = 24 * 60 * 60 * 1000, KEPT_BYTES = 64 * 1024, VERSION_UNIT = 10000 };

static bool take(void *context, const char *bytes, size_t n, struct err *e)
{
    return pack_write(context, bytes, n, e);
}

static bool run_pg_restore(struct arena *a, const struct export_spec *spec, struct pack *to,
                           struct err *e)
{
    const struct manifest *m = &spec->backup->manifest;
    const char *path, *made_by = m->tool_version == NULL ? "" : m->tool_version;
    struct strlist argv = strlist_on(a);
    struct proc_result result;
    int version = (int)strtol(made_by, NULL, 10) * VERSION_UNIT;
    if (!connection_tool(a, spec->pg_bin, "pg_restore", version, &path, e))
        return false;
    strlist_add(&argv, path);
    strlist_add(&argv, "--format=directory");
    strlist_add(&argv, "--file=-");
    if (spec->clean) {
        strlist_add(&argv, "--clean");
        strlist_add(&argv, "--if-exists");
    }
    if (spec->no_owner)
        strlist_add(&argv, "--no-owner");
    if (spec->no_acl)
        strlist_add(&argv, "--no-acl");
    strlist_add(&argv, spec->backup->folder);
    log_debug("running %s", proc_line(a, argv.items));
    const struct proc_spec proc = {
        .argv = argv.items,
        .env = (const char *const[]){"PG*", NULL},
        .timeout_ms = TIMEOUT_MS,
        .out_max = KEPT_BYTES,
        .take = take,
        .context = to,
    };
    return proc_run(a, &proc, &result, e) &&
           (result.exit_status == 0 || tool_error(a, "pg_restore", result.err, e));
}

static bool write_to(struct arena *a, const struct export_spec *spec, int fd, const char *name,
                     struct err *e)
{
    AUTO(pack) struct pack *to = pack_open(a, fd, spec->gzip, name, e);
    return to != NULL && run_pg_restore(a, spec, to, e) && pack_finish(to, e);
}

static bool exists(const char *to, struct err *e)
{
    err_set(e, ERR_USAGE, "file \"%s\" exists already", to);
    err_hint(e, "Choose another name: an export never overwrites.");
    return false;
}

/* Not by rename alone: what came to be there meanwhile is not overwritten either. */
static bool give_name(struct arena *a, const char *aside, const char *to, struct err *e)
{
    if (link(aside, to) == 0)
        return (unlink(aside) == 0 || err_sys(e, ERR_SYSTEM, "could not remove \"%s\"", aside)) &&
               fs_sync_dir(fs_dirname(a, to), e);
    if (errno == EEXIST)
        return exists(to, e);
    return fs_rename(a, aside, to, e); /* a file system without hard links */
}

static bool write_file(struct arena *a, const struct export_spec *spec, struct err *e)
{
    const char *aside = arena_printf(a, "%s.%s.partial", spec->to, random_hex(a, 8));
    AUTO(fd) int fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(e, ERR_SYSTEM, "could not make a file in \"%s\"", fs_dirname(a, spec->to));
    const char *name = arena_printf(a, "\"%s\"", spec->to);
    bool ok = write_to(a, spec, fd, name, e) &&
              (fsync(fd) == 0 || err_sys(e, ERR_SYSTEM, "could not write %s", name)) &&
              give_name(a, aside, spec->to, e);
    if (!ok)
        unlink(aside);
    return ok;
}

bool backup_export(struct arena *a, const struct export_spec *spec, struct err *e)
{
    if (strcmp(spec->backup->manifest.kind, "full") != 0) {
        err_set(e, ERR_USAGE, "backup \"%s\" holds only data, no schema to load it into",
                spec->backup->id);
        err_hint(e, "Run \"migsafe list\" for the full backup taken with it.");
        return false;
    }
    if (spec->to != NULL && fs_exists(spec->to))
        return exists(spec->to, e);
    if (!store_verify_files(a, spec->backup, e))
        return false;
    if (spec->to != NULL)
        return write_file(a, spec, e);
    if (fflush(spec->out) != 0)
        return err_sys(e, ERR_SYSTEM, "could not write to standard output");
    return write_to(a, spec, fileno(spec->out), "to standard output", e);
}
