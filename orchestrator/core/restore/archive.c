#include "core/restore/archive.h"

#include "base/fs.h"
#include "core/restore/tool_run.h"

#include <unistd.h>

enum { LEAST_WORK_MEM_MB = 256 };

/* What a connection string takes as dbname: the one thing of it that pg_restore is told in argv. */
static const char *conninfo_dbname(struct arena *a, const char *name)
{
    struct str s = str_on(a);
    str_add(&s, "dbname='");
    for (; *name != '\0'; name++) {
        if (*name == '\'' || *name == '\\')
            str_add(&s, "\\");
        str_add_n(&s, name, 1);
    }
    str_add(&s, "'");
    return s.text;
}

/* The options of its sessions.  Nobody sees the side database before the swap, whose commit flushes
 * all of it; indexes are built in memory where the server's own limit is a small one. */
static bool look_at_server(struct arena *a, const struct connection *to, struct tool_spec *tool,
                           struct err *e)
{
    const struct session_use use = {.query_deadline_ms = 10000};
    AUTO(pg) struct pg *db = connection_open(to, &use, e);
    const char *kilobytes =
        db == NULL
            ? NULL
            : pg_value(a, db, "SELECT setting FROM pg_settings WHERE name = 'maintenance_work_mem'",
                       PG_NONE, e);
    if (kilobytes == NULL)
        return false;
    bool small = strtoll(kilobytes, NULL, 10) < LEAST_WORK_MEM_MB * 1024LL;
    tool->server_version = pg_server_version(db);
    tool->options = arena_printf(
        a, "-c synchronous_commit=off -c default_transaction_read_only=off%s",
        small ? arena_printf(a, " -c maintenance_work_mem=%dMB", LEAST_WORK_MEM_MB) : "");
    return true;
}

/* Entries of no section (comments, rights) belong to where they stand. */
static bool is_of_part(const struct toc_entry *entry, enum toc_section at, enum archive_part part)
{
    bool right = str_ends(entry->type, "ACL"); /* DEFAULT ACL too */
    bool metadata =
        strcmp(entry->type, "BLOB METADATA") == 0 || (at == TOC_DATA && entry->section == TOC_NONE);
    bool before = !right && (at < TOC_DATA || metadata);
    if (part == ARCHIVE_BEFORE_ROWS)
        return before;
    return !before && (right || at == TOC_POST_DATA);
}

static char *list_of(struct arena *a, const struct toc *toc, enum archive_part part)
{
    struct str s = str_on(a);
    enum toc_section at = TOC_PRE_DATA;
    for (size_t i = 0; i < toc->count; i++) {
        const struct toc_entry *entry = &toc->entries[i];
        if (entry->section != TOC_NONE)
            at = entry->section;
        if (is_of_part(entry, at, part))
            str_printf(&s, "%lld;\n", (long long)entry->dump_id);
    }
    return s.text;
}

static bool run_part(struct arena *a, const struct archive_spec *spec, struct tool_spec *tool,
                     struct strlist *args, struct err *e)
{
    const char *tmp = getenv("TMPDIR");
    char *path = fs_join(a, tmp == NULL || tmp[0] != '/' ? "/tmp" : tmp, "migsafe.XXXXXX");
    const char *list = list_of(a, spec->toc, spec->part);
    AUTO(fd) int fd = mkstemp(path);
    if (fd < 0)
        return err_sys(e, ERR_SYSTEM, "could not make \"%s\"", path);
    strlist_printf(args, "--use-list=%s", path);
    strlist_add(args, spec->folder);
    bool ok =
        fs_append_synced(fd, list, strlen(list), path, e) && tool_run(a, "pg_restore", tool, e);
    unlink(path);
    return ok;
}

bool restore_archive(struct arena *a, const struct archive_spec *spec, struct err *e)
{
    struct connection to = connection_to(spec->server, spec->target);
    struct strlist args = strlist_on(a);
    struct tool_spec tool = {.to = &to, .pg_bin = spec->pg_bin, .args = &args};
    static const char *const fixed[] = {"--exit-on-error", "--no-password", "--no-subscriptions"};
    static const char *const sections[] = {
        [ARCHIVE_BEFORE_ROWS] = "pre-data", [ARCHIVE_AFTER_ROWS] = "post-data"};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        strlist_add(&args, fixed[i]);
    strlist_printf(&args, "--format=%s", spec->format != NULL ? spec->format : "directory");
    strlist_printf(&args, "--jobs=%d", spec->jobs > 0 ? spec->jobs : 1);
    strlist_printf(&args, "--dbname=%s", conninfo_dbname(a, spec->target));
    if (spec->schema_only)
        strlist_add(&args, "--schema-only");
    if (spec->no_owner)
        strlist_add(&args, "--no-owner");
    if (spec->no_acl)
        strlist_add(&args, "--no-acl");
    if (!look_at_server(a, &to, &tool, e))
        return false;
    if (spec->part != ARCHIVE_ALL && spec->toc != NULL)
        return run_part(a, spec, &tool, &args, e);
    if (spec->part != ARCHIVE_ALL)
        strlist_printf(&args, "--section=%s", sections[spec->part]);
    strlist_add(&args, spec->folder);
    return tool_run(a, "pg_restore", &tool, e);
}
