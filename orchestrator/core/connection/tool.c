#include "core/connection/connection.h"

#include "base/fs.h"
#include "base/proc.h"
#include "base/stop.h"

enum { VERSION_TIMEOUT_MS = 10000, VERSION_BYTES = 1024, VERSION_UNIT = 10000 };

/* What stands where, by the packages of Debian, Red Hat and Alpine. */
static const struct {
    const char *before, *after;
} folders[] = {
    {"/usr/lib/postgresql/", "/bin"}, {"/usr/pgsql-", "/bin"}, {"/usr/libexec/postgresql", ""}};

/* The major version that "pg_dump (PostgreSQL) 15.18 (Debian ...)" tells; 0: it cannot be run, or
 * says something else.  said gets its first line. */
static int major_of(struct arena *a, const char *program, const char **said)
{
    struct proc_result result;
    struct err ignored = {0};
    const struct proc_spec spec = {
        .argv = (const char *const[]){program, "--version", NULL},
        .timeout_ms = VERSION_TIMEOUT_MS,
        .out_max = VERSION_BYTES,
    };
    *said = "it cannot be run";
    if (!proc_run(a, &spec, &result, &ignored) || result.exit_status != 0)
        return 0;
    *said = arena_strndup(a, result.out, strcspn(result.out, "\n"));
    const char *number = strstr(result.out, "(PostgreSQL) ");
    return number == NULL ? 0 : (int)strtol(number + strlen("(PostgreSQL) "), NULL, 10);
}

static bool not_found(const char *tool, int major, struct err *e)
{
    err_set(e, ERR_CHILD, "no %s of PostgreSQL %d found", tool, major);
    err_hint(e,
             "Install the package postgresql-client-%d, or name the folder of the programs by the "
             "setting pg-bin.",
             major);
    return false;
}

static bool in_folder(struct arena *a, const char *pg_bin, const char *tool, int major,
                      const char **path, struct err *e)
{
    const char *program = fs_join(a, pg_bin, tool), *said;
    if (!fs_is_executable(program)) {
        not_found(tool, major, e);
        err_detail(e, "Setting pg-bin is \"%s\", where there is no %s.", pg_bin, tool);
        return false;
    }
    if (major_of(a, program, &said) != major) {
        if (!stop_check(e))
            return false;
        not_found(tool, major, e);
        err_detail(e, "\"%s\" is another one: %s.", program, said);
        return false;
    }
    *path = program;
    return true;
}

/* The folders of PATH that have such a program, the packages' own folders first. */
static struct strlist candidates(struct arena *a, const char *tool, int major)
{
    struct strlist found = strlist_on(a);
    for (size_t i = 0; i < ARRAY_LEN(folders); i++)
        strlist_printf(&found, "%s%d%s/%s", folders[i].before, major, folders[i].after, tool);
    const char *path = getenv("PATH");
    for (const char *p = path == NULL ? "" : path; *p != '\0'; p += *p == ':') {
        size_t n = strcspn(p, ":");
        if (*p == '/')
            strlist_add(&found, fs_join(a, arena_strndup(a, p, n), tool));
        p += n;
    }
    return found;
}

static bool find(struct arena *a, const char *pg_bin, const char *tool, int server_version,
                 const char **path, struct err *e)
{
    int major = server_version / VERSION_UNIT;
    const char *said, *other = NULL;
    if (pg_bin != NULL)
        return in_folder(a, pg_bin, tool, major, path, e);
    struct strlist programs = candidates(a, tool, major);
    for (size_t i = 0; i < programs.count; i++) {
        const char *program = programs.items[i];
        if (!fs_is_executable(program))
            continue;
        if (major_of(a, program, &said) == major) {
            *path = program;
            return true;
        }
        if (other == NULL)
            other = arena_printf(a, "\"%s\" is another one: %s.", program, said);
    }
    /* Stopped while one told its version: that one may well be right. */
    if (!stop_check(e))
        return false;
    not_found(tool, major, e);
    if (other != NULL)
        err_detail(e, "%s", other);
    return false;
}

bool connection_tool(struct arena *a, const char *pg_bin, const char *tool, int server_version,
                     const char **path, struct err *e)
{
    /* Who is stopped while a program tells its version has not learned that there is none. */
    return find(a, pg_bin, tool, server_version, path, e) || (stop_requested() && stop_check(e));
}
