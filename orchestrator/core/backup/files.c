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
    const struct toc_entry *a = x, *b = y;
    return strcmp(a->oid, b->oid);
}

static int by_dump_id(const void *x, const void *y)
{
    const struct toc_entry *a = x, *b = y;
    return a->dump_id < b->dump_id ? -1 : a->dump_id > b->dump_id;
}

typedef int compare_fn(const void *x, const void *y);

/* The entries of one type, sorted. */
struct entries {
    struct toc_entry *items;
    size_t count;
    compare_fn *compare;
};

static struct entries entries_of(struct arena *a, const struct toc *toc, const char *type,
                                 compare_fn *compare)
{
    struct entries list = {.compare = compare};
    list.items = arena_array(a, toc->count + 1, sizeof(*list.items));
    for (size_t i = 0; i < toc->count; i++)
        if (strcmp(toc->entries[i].type, type) == 0)
            list.items[list.count++] = toc->entries[i];
    qsort(list.items, list.count, sizeof(*list.items), compare);
    return list;
}

static const struct toc_entry *find_entry(const struct entries *list, struct toc_entry like)
{
    return bsearch(&like, list->items, list->count, sizeof(*list->items), list->compare);
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
    const struct entries data = entries_of(a, toc, "TABLE DATA", by_oid);
    size_t next = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (!f->tables[i].counted)
            continue;
        struct manifest_table *t = &m->tables[next++];
        const struct toc_entry *entry =
            find_entry(&data, (struct toc_entry){.oid = f->tables[i].oid});
        if (entry == NULL)
            return err_set(e, ERR_CHILD, "pg_dump left out table %s",
                           pg_ident2(a, t->schema, t->name));
        if (!take_file(a, entry, m, t, e))
            return false;
    }
    return true;
}

static int sequence_by_oid(const void *key, const void *sequence)
{
    return strcmp(key, ((const struct frozen_sequence *)sequence)->oid);
}

/* What the archive will set, not what the sequence says now: nextval is not part of any snapshot.
 * Its name is looked up by oid, the archive's is in the encoding of the database. */
static bool take_sequences(struct arena *a, const struct toc *toc, const struct frozen *f,
                           struct manifest *m, struct err *e)
{
    const struct entries states = entries_of(a, toc, "SEQUENCE SET", by_dump_id);
    const struct entries made = entries_of(a, toc, "SEQUENCE", by_dump_id);
    m->sequences = arena_array(a, states.count + 1, sizeof(*m->sequences));
    for (size_t i = 0; i < states.count; i++) {
        struct manifest_sequence *s = &m->sequences[m->sequence_count];
        const struct toc_entry *entry =
            find_entry(&made, (struct toc_entry){.dump_id = states.items[i].depends});
        const struct frozen_sequence *named =
            entry == NULL ? NULL
                          : bsearch(entry->oid, f->sequences, f->sequence_count,
                                    sizeof(*f->sequences), sequence_by_oid);
        if (named == NULL)
            continue; /* of an extension */
        s->schema = named->schema;
        s->name = named->name;
        if (!toc_sequence(&states.items[i], &s->last_value, &s->is_called, e))
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
    return match_tables(a, &toc, f, m, e) && take_sequences(a, &toc, f, m, e);
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
