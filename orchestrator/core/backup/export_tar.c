#include "core/backup/export_tar.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"

enum { TIMEOUT_MS = 24 * 60 * 60 * 1000, KEPT_BYTES = 64 * 1024 };

struct names {
    struct str text; /* each with a NUL behind it */
    size_t given;
    struct pack *to;
};

static bool feed(void *context, char *buffer, size_t max, size_t *n, struct err *e)
{
    struct names *names = context;
    size_t left = names->text.length - names->given;
    (void)e;
    *n = left < max ? left : max;
    memcpy(buffer, names->text.text + names->given, *n);
    names->given += *n;
    return true;
}

static bool take(void *context, const char *bytes, size_t n, struct err *e)
{
    struct names *names = context;
    return pack_write(names->to, bytes, n, e);
}

static void add_name(struct names *names, const char *id, const char *file)
{
    str_printf(&names->text, "%s/%s", id, file);
    str_add_n(&names->text, "", 1);
}

bool export_tar(struct arena *a, const struct stored *s, struct pack *to, struct err *e)
{
    struct names names = {.text = str_on(a), .to = to};
    struct proc_result result;
    add_name(&names, s->id, "manifest.json");
    add_name(&names, s->id, "SHA256SUMS");
    for (size_t i = 0; i < s->manifest.file_count; i++)
        add_name(&names, s->id, s->manifest.files[i].name);
    const char *const argv[] = {"tar",
                                "--create",
                                "--file=-",
                                "--format=posix",
                                "--pax-option=delete=atime,delete=ctime,delete=mtime",
                                "--owner=0",
                                "--group=0",
                                "--numeric-owner",
                                "--hard-dereference",
                                "--no-recursion",
                                "--null",
                                "--verbatim-files-from",
                                arena_printf(a, "--directory=%s", fs_dirname(a, s->folder)),
                                "--files-from=-",
                                NULL};
    const struct proc_spec proc = {
        .argv = argv,
        .env = (const char *const[]){"PG*", "TAR_OPTIONS", "LC_ALL=C", NULL},
        .timeout_ms = TIMEOUT_MS,
        .out_max = KEPT_BYTES,
        .feed = feed,
        .take = take,
        .context = &names,
    };
    log_debug("running %s", proc_line(a, argv));
    if (!proc_run(a, &proc, &result, e))
        return false;
    return result.exit_status == 0 ||
           err_set(e, ERR_CHILD, "tar failed: %s",
                   str_trim(a, arena_strndup(a, result.err, strcspn(result.err, "\n"))));
}
