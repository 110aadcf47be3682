#include "core/restore/archive.h"

#include "base/fs.h"
#include "base/proc.h"
#include "core/restore/load.h"
#include "core/restore/tool_run.h"

#include <unistd.h>

enum { LEAST_WORK_MEM_MB = 256, TEXT_TIMEOUT_MS = 60 * 60 * 1000, KEPT_BYTES = 64 * 1024 };

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
static bool look_at_server(struct arena *a, const struct connection *to, const char *lc_monetary,
                           struct tool_spec *tool, struct err *e)
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
    bool money = load_money(db, lc_monetary);
    tool->options = arena_printf(
        a, "-c synchronous_commit=off -c default_transaction_read_only=off%s%s%s",
        small ? arena_printf(a, " -c maintenance_work_mem=%dMB", LEAST_WORK_MEM_MB) : "",
        money ? " -c lc_monetary=" : "", money ? lc_monetary : "");
    return true;
}

static bool is_type(const struct toc_entry *entry, const char *type)
{
    return strcmp(entry->type, type) == 0;
}

static bool is_right(const struct toc_entry *entry)
{
    return str_ends(entry->type, "ACL"); /* DEFAULT ACL too */
}

/* Entries of no section (comments, rights) belong to where they stand. */
static bool is_of_part(const struct toc_entry *entry, enum toc_section at, enum archive_part part)
{
    bool right = is_right(entry);
    bool metadata =
        is_type(entry, "BLOB METADATA") || (at == TOC_DATA && entry->section == TOC_NONE);
    bool before = !right && (at < TOC_DATA || metadata);
    if (part == ARCHIVE_BEFORE_ROWS)
        return before;
    return !before && (right || at == TOC_POST_DATA);
}

/* Parts of an archive's part, in the order in which they are made, and which of them are apart. */
enum share { INDEXES, ATTACHES, THE_REST, RIGHTS, FILLS, LAST, SHARES };

struct split {
    bool attaches, rights;
};

static bool is_index(const struct toc_entry *entry)
{
    return is_type(entry, "INDEX") || is_type(entry, "CONSTRAINT");
}

/* Event triggers, and what is said of them.  pg_restore makes them before it fills materialized
 * views: they would tell of that, or refuse it. */
static bool is_last(const struct toc_entry *entry)
{
    return is_type(entry, "EVENT TRIGGER") || (entry->section == TOC_NONE && entry->tag != NULL &&
                                               str_starts(entry->tag, "EVENT TRIGGER "));
}

/* left_over: is it of what is made after all indexes? */
static enum share share_of(const struct toc_entry *entry, bool left_over, const struct split *split)
{
    if (is_last(entry))
        return LAST;
    if (split->rights && is_right(entry))
        return RIGHTS;
    if (split->rights && is_type(entry, "MATERIALIZED VIEW DATA"))
        return FILLS;
    if (!split->attaches || left_over)
        return THE_REST;
    if (is_type(entry, "INDEX ATTACH"))
        return ATTACHES;
    return is_index(entry) ? INDEXES : THE_REST;
}

struct place {
    int64_t dump_id;
    size_t at;
};

static int by_dump_id(const void *x, const void *y)
{
    const struct place *a = x, *b = y;
    return a->dump_id < b->dump_id ? -1 : a->dump_id > b->dump_id;
}

static bool depends_on_any(const struct toc *toc, const struct toc_entry *entry,
                           const struct place *places, const bool *chosen)
{
    for (size_t i = 0; i < entry->depend_count; i++) {
        const struct place like = {.dump_id = strtoll(entry->depend_ids[i], NULL, 10)};
        const struct place *found = bsearch(&like, places, toc->count, sizeof(like), by_dump_id);
        if (found != NULL && chosen[found->at])
            return true;
    }
    return false;
}

/* What is made after the indexes, by entry.  An index may be among it: a materialized view that
 * groups by a primary key comes after that key, and its own indexes after it.  pg_dump writes an
 * entry behind those it depends on. */
static const bool *left_over(struct arena *a, const struct toc *toc)
{
    bool *left = arena_array(a, toc->count + 1, sizeof(*left));
    struct place *places = arena_array(a, toc->count + 1, sizeof(*places));
    for (size_t i = 0; i < toc->count; i++)
        places[i] = (struct place){.dump_id = toc->entries[i].dump_id, .at = i};
    qsort(places, toc->count, sizeof(*places), by_dump_id);
    for (size_t i = 0; i < toc->count; i++) {
        const struct toc_entry *entry = &toc->entries[i];
        bool first = is_index(entry) || is_type(entry, "INDEX ATTACH");
        left[i] =
            entry->section == TOC_POST_DATA && (!first || depends_on_any(toc, entry, places, left));
    }
    return left;
}

static void add_list(struct arena *a, const struct archive_spec *spec, const struct split *split,
                     enum share share, struct str *list)
{
    enum toc_section at = TOC_PRE_DATA;
    const bool *left = left_over(a, spec->toc);
    for (size_t i = 0; i < spec->toc->count; i++) {
        const struct toc_entry *entry = &spec->toc->entries[i];
        if (entry->section != TOC_NONE)
            at = entry->section;
        if (is_of_part(entry, at, spec->part) && share_of(entry, left[i], split) == share &&
            (spec->left_out == NULL || !spec->left_out[i]))
            str_printf(list, "%lld;\n", (long long)entry->dump_id);
    }
}

static bool run_share(struct arena *a, const struct archive_spec *spec, struct tool_spec tool,
                      const struct split *split, enum share share, struct err *e)
{
    struct strlist args = strlist_on(a);
    struct str list = str_on(a);
    const char *path;
    add_list(a, spec, split, share, &list);
    if (list.length == 0)
        return true;
    AUTO(fd) int fd = fd_memory_file(a, list.text, &path, e);
    if (fd < 0)
        return false;
    for (size_t i = 0; i < tool.args->count; i++)
        strlist_add(&args, tool.args->items[i]);
    if (share == ATTACHES || share == RIGHTS)
        strlist_add(&args, "--jobs=1"); /* the last one counts */
    strlist_printf(&args, "--use-list=%s", path);
    strlist_add(&args, spec->folder);
    tool.args = &args;
    return tool_run(a, "pg_restore", &tool, e);
}

static bool is_delegated(const struct toc_entry *entry)
{
    return is_right(entry) && entry->definition != NULL &&
           strstr(entry->definition, "SET SESSION AUTHORIZATION") != NULL;
}

/* pg_restore -j attaches the indexes of partitions beside foreign keys that refer to the same
 * tables: the server sees a deadlock now and then (about one time in eight with one such key).  So
 * where there are such indexes all of them come first.  And they are attached one after the other:
 * of two levels at once neither sees the other's, so that the index of the uppermost table would
 * stay invalid, and no key could refer to it.
 *
 * Rights that another role than the owner has given are given by that role, which may need the
 * right to the schema for it: that comes before, unless both are given at once. */
static bool run_part(struct arena *a, const struct archive_spec *spec, const struct tool_spec *tool,
                     struct err *e)
{
    struct split split = {0};
    for (size_t i = 0; i < spec->toc->count && spec->jobs > 1 && spec->part == ARCHIVE_AFTER_ROWS;
         i++) {
        split.attaches |= is_type(&spec->toc->entries[i], "INDEX ATTACH");
        split.rights |= is_delegated(&spec->toc->entries[i]);
    }
    for (enum share share = 0; share < SHARES; share++)
        if (!run_share(a, spec, *tool, &split, share, e))
            return false;
    return true;
}

static bool take(void *context, const char *bytes, size_t n, struct err *e UNUSED)
{
    str_add_n(context, bytes, n);
    return true;
}

static void blank_line(char *line)
{
    for (; line != NULL && *line != '\n' && *line != '\0'; line++)
        *line = ' ';
}

/* It begins with settings of pg_restore, the first of its lines that are so. */
static void keep_lock_timeout(char *sql)
{
    char *line = strstr(sql, "\nSET lock_timeout = 0;\n");
    if (line != NULL)
        blank_line(line + 1);
}

/* pg_restore fences its text for psql with a line at its start and one at its end. */
static void remove_fence(char *sql)
{
    static const char opened[] = "\n\\restrict ", closed[] = "\n\\unrestrict ";
    char *first = strstr(sql, opened), *last = NULL;
    if (first == NULL)
        return;
    blank_line(first + 1);
    for (char *p = strstr(first, closed); p != NULL; p = strstr(p + 1, closed))
        last = p;
    blank_line(last == NULL ? NULL : last + 1);
}

bool archive_text(struct arena *a, const struct archive_spec *spec, int server_version,
                  const char **sql, struct err *e)
{
    struct proc_result result;
    struct str text = str_on(a);
    const char *path, *list;
    if (!connection_tool(a, spec->pg_bin, "pg_restore", server_version, &path, e))
        return false;
    struct str entries = str_on(a);
    add_list(a, spec, &(struct split){0}, THE_REST, &entries);
    add_list(a, spec, &(struct split){0}, LAST, &entries); /* one session, in this order */
    AUTO(fd) int fd = fd_memory_file(a, entries.text, &list, e);
    if (fd < 0)
        return false;
    const struct proc_spec proc = {
        .argv = (const char *const[]){path, "--format=directory", "--file=-", "--no-subscriptions",
                                      arena_printf(a, "--use-list=%s", list), spec->folder, NULL},
        .env = (const char *const[]){"PG*", NULL},
        .timeout_ms = TEXT_TIMEOUT_MS,
        .out_max = KEPT_BYTES,
        .take = take,
        .context = &text,
    };
    bool ok = proc_run(a, &proc, &result, e) &&
              (result.exit_status == 0 || tool_error(a, "pg_restore", result.err, e));
    remove_fence(text.text);
    keep_lock_timeout(text.text);
    *sql = text.text;
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
    if (spec->data_only)
        strlist_add(&args, "--data-only");
    if (spec->no_owner)
        strlist_add(&args, "--no-owner");
    if (spec->no_acl)
        strlist_add(&args, "--no-acl");
    if (!look_at_server(a, &to, spec->lc_monetary, &tool, e))
        return false;
    if (spec->part != ARCHIVE_ALL && spec->toc != NULL)
        return run_part(a, spec, &tool, e);
    if (spec->part != ARCHIVE_ALL)
        strlist_printf(&args, "--section=%s", sections[spec->part]);
    strlist_add(&args, spec->folder);
    return tool_run(a, "pg_restore", &tool, e);
}
