#include "core/backup/files.h"

#include "base/fs.h"
#include "base/stop.h"
#include "core/backup/toc.h"
#include "ext/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static const char toc_name[] = "toc.dat";

static bool sum_files(struct arena *a, const char *folder, struct manifest *m, struct err *e)
{
    struct strlist names;
    if (!fs_list(a, folder, FS_FILES, &names, e))
        return false;
    m->files = arena_array(a, names.count + 1, sizeof(*m->files));
    m->bytes = 0;
    for (m->file_count = 0; m->file_count < names.count; m->file_count++) {
        struct manifest_file *file = &m->files[m->file_count];
        const char *path = fs_join(a, folder, names.items[m->file_count]);
        char *hex;
        if (!stop_check(e) || !fs_tree_bytes(a, path, &file->bytes, e) ||
            !digest_file(a, path, &hex, e))
            return false;
        /* pg_dump goes by the umask. */
        if (chmod(path, 0600) < 0)
            return err_sys(e, ERR_SYSTEM, "could not change the mode of \"%s\"", path);
        file->name = fs_basename(path);
        file->sha256 = hex;
        m->bytes += file->bytes;
    }
    return true;
}

static int by_name(const void *key, const void *file)
{
    return strcmp(key, ((const struct manifest_file *)file)->name);
}

/* files are sorted by name. */
static const struct manifest_file *find_file(const struct manifest *m, const char *name)
{
    return bsearch(name, m->files, m->file_count, sizeof(*m->files), by_name);
}

static int by_oid(const void *x, const void *y)
{
    const struct toc_entry *const *a = x, *const *b = y;
    return strcmp((*a)->oid, (*b)->oid);
}

static int oid_of_entry(const void *key, const void *entry)
{
    return strcmp(key, (*(const struct toc_entry *const *)entry)->oid);
}

/* The entries with data of a table, by oid. */
static const struct toc_entry **data_entries(struct arena *a, const struct toc *toc, size_t *count)
{
    const struct toc_entry **list = arena_array(a, toc->count + 1, sizeof(*list));
    *count = 0;
    for (size_t i = 0; i < toc->count; i++)
        if (strcmp(toc->entries[i].type, "TABLE DATA") == 0)
            list[(*count)++] = &toc->entries[i];
    qsort(list, *count, sizeof(*list), by_oid);
    return list;
}

static bool take_file(struct arena *a, const struct toc_entry *entry, const struct manifest *m,
                      struct manifest_table *t, struct err *e)
{
    if (entry->file == NULL || entry->file[0] == '\0')
        return true;
    const struct manifest_file *file = find_file(m, entry->file);
    if (file == NULL)
        file = find_file(m, arena_printf(a, "%s.gz", entry->file));
    if (file == NULL)
        return err_set(e, ERR_CHILD, "pg_dump left no file \"%s\" for table %s", entry->file,
                       pg_ident2(a, t->schema, t->name));
    t->file = file->name;
    t->sha256 = file->sha256;
    t->bytes = file->bytes;
    /* pg_dump writes one member. */
    t->members = arena_array(a, 1, sizeof(*t->members));
    t->member_count = file->bytes > 0 && str_ends(file->name, ".gz");
    return true;
}

static bool match_tables(struct arena *a, const struct toc *toc, const struct frozen *f,
                         struct manifest *m, struct err *e)
{
    size_t count, next = 0;
    const struct toc_entry **entries = data_entries(a, toc, &count);
    for (size_t i = 0; i < f->count; i++) {
        if (!f->tables[i].counted)
            continue;
        struct manifest_table *t = &m->tables[next++];
        const struct toc_entry **entry = bsearch(f->tables[i].oid, entries, count,
                                                 sizeof(const struct toc_entry *), oid_of_entry);
        if (entry == NULL)
            return err_set(e, ERR_CHILD, "pg_dump left out table %s",
                           pg_ident2(a, t->schema, t->name));
        if (!take_file(a, *entry, m, t, e))
            return false;
    }
    return true;
}

/* What the archive will set, not what the sequence says now: nextval is not part of any snapshot.
 */
static bool take_sequences(struct arena *a, const struct toc *toc, struct manifest *m,
                           struct err *e)
{
    m->sequences = arena_array(a, toc->count + 1, sizeof(*m->sequences));
    for (size_t i = 0; i < toc->count; i++) {
        const struct toc_entry *entry = &toc->entries[i];
        struct manifest_sequence *s = &m->sequences[m->sequence_count];
        if (strcmp(entry->type, "SEQUENCE SET") != 0)
            continue;
        s->schema = entry->schema == NULL ? "" : entry->schema;
        s->name = entry->tag;
        if (!toc_sequence(entry, &s->last_value, &s->is_called, e))
            return false;
        m->sequence_count++;
    }
    return true;
}

bool files_take(struct arena *a, const char *folder, const struct frozen *f, struct manifest *m,
                struct err *e)
{
    struct toc toc;
    if (!sum_files(a, folder, m, e) || !toc_read(a, folder, &toc, e))
        return false;
    m->tool_version = toc.tool_version;
    return match_tables(a, &toc, f, m, e) && take_sequences(a, &toc, m, e);
}

struct manifest files_without_toc(struct arena *a, const struct manifest *m)
{
    struct manifest data = *m;
    data.files = arena_array(a, m->file_count + 1, sizeof(*data.files));
    data.file_count = 0;
    data.bytes = 0;
    for (size_t i = 0; i < m->file_count; i++) {
        if (strcmp(m->files[i].name, toc_name) == 0)
            continue;
        data.files[data.file_count++] = m->files[i];
        data.bytes += m->files[i].bytes;
    }
    return data;
}

static bool copy_file(const char *from, const char *to, int64_t bytes, struct err *e)
{
    AUTO(fd) int in = open(from, O_RDONLY | O_CLOEXEC);
    AUTO(fd) int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (in < 0 || out < 0)
        return err_sys(e, ERR_SYSTEM, "could not copy \"%s\" to \"%s\"", from, to);
    for (int64_t left = bytes; left > 0;) {
        ssize_t n = stop_requested() ? 0 : sendfile(out, in, NULL, (size_t)left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return stop_check(e) &&
                   err_sys(e, ERR_SYSTEM, "could not copy \"%s\" to \"%s\"", from, to);
        left -= n;
    }
    return true;
}

bool files_link(struct arena *a, const struct manifest *m, const char *from, const char *to,
                struct err *e)
{
    bool links = true; /* until the file system, or a limit of it, says no */
    for (size_t i = 0; i < m->file_count; i++) {
        const char *source = fs_join(a, from, m->files[i].name);
        const char *target = fs_join(a, to, m->files[i].name);
        links = links && link(source, target) == 0;
        if (!links && !copy_file(source, target, m->files[i].bytes, e))
            return false;
    }
    return true;
}
