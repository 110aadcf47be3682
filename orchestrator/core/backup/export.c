#include "core/backup/export.h"

#include "base/fs.h"
#include "base/random.h"
#include "core/backup/export_sql.h"
#include "core/backup/export_tar.h"
#include "ext/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool write_to(struct arena *a, const struct export_spec *spec, int fd, const char *name,
                     struct err *e)
{
    AUTO(pack) struct pack *to = pack_open(a, fd, spec->gzip, name, e);
    bool full = strcmp(spec->backup->manifest.kind, "full") == 0;
    if (to == NULL)
        return false;
    bool ok = spec->format == EXPORT_TAR ? export_tar(a, spec->backup, to, e)
              : full                     ? export_full_sql(a, spec, to, e)
                                         : export_data_sql(a, spec, to, e);
    return ok && pack_finish(to, e);
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

/* What the kind or the format does not have. */
static bool check_options(const struct export_spec *spec, struct err *e)
{
    bool full = strcmp(spec->backup->manifest.kind, "full") == 0, sql = spec->format == EXPORT_SQL;
    const struct {
        bool given, fits;
        const char *option, *of;
    } options[] = {
        {spec->inserts, sql, "inserts", "SQL"},
        {spec->clean, sql && full, "clean", "SQL of a full backup"},
        {spec->no_owner, sql && full, "no-owner", "SQL of a full backup"},
        {spec->no_acl, sql && full, "no-acl", "SQL of a full backup"},
        {spec->disable_triggers, sql && !full, "disable-triggers", "SQL of a data backup"},
    };
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (options[i].given && !options[i].fits)
            return err_set(e, ERR_USAGE, "--%s is for %s", options[i].option, options[i].of);
    return true;
}

bool backup_export(struct arena *a, const struct export_spec *spec, struct err *e)
{
    if (!check_options(spec, e))
        return false;
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
