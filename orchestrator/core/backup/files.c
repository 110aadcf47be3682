#include "core/backup/files.h"

#include "base/fs.h"
#include "base/pool.h"
#include "base/stop.h"
#include "core/backup/sync.h"
#include "ext/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static const char toc_name[] = "toc.dat";

/* What is known of a file since it was written. */
struct known {
    struct manifest_file file;
    bool synced;
};

static int by_name(const void *x, const void *y)
{
    return strcmp(((const struct known *)x)->file.name, ((const struct known *)y)->file.name);
}

/* Sorted by name. */
static struct known *known_files(struct arena *a, const struct plan *p, size_t *count)
{
    struct known *known = arena_array(a, p->count + p->large_count + 1, sizeof(*known));
    *count = 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct manifest_table *t = p->tables[i].to;
        known[(*count)++] =
            (struct known){{t->file, t->sha256, t->bytes}, p->tables[i].file.synced};
    }
    for (size_t i = 0; i < p->large_count; i++) {
        const struct datafile *f = &p->large[i].file;
        known[(*count)++] =
            (struct known){{fs_basename(f->path), arena_strdup(a, f->sha256), f->bytes}, f->synced};
    }
    qsort(known, *count, sizeof(*known), by_name);
    return known;
}

static bool sum_file(struct arena *a, const char *path, struct manifest_file *file, struct err *e)
{
    char *hex;
    if (!stop_check(e) || !fs_tree_bytes(a, path, &file->bytes, e) ||
        !digest_file(a, path, &hex, e))
        return false;
    /* pg_dump goes by the umask. */
    if (chmod(path, 0600) < 0)
        return err_sys(e, ERR_SYSTEM, "could not change the mode of \"%s\"", path);
    file->sha256 = hex;
    return true;
}

bool files_take(struct arena *a, const char *folder, const struct plan *p, struct manifest *m,
                struct strlist *left, struct err *e)
{
    struct strlist names;
    size_t known_count;
    if (!fs_list(a, folder, FS_FILES, &names, e))
        return false;
    struct known *known = known_files(a, p, &known_count);
    m->files = arena_array(a, names.count + 1, sizeof(*m->files));
    m->bytes = 0;
    *left = strlist_on(a);
    for (m->file_count = 0; m->file_count < names.count; m->file_count++) {
        struct manifest_file *file = &m->files[m->file_count];
        const struct known key = {.file.name = names.items[m->file_count]};
        const struct known *same = bsearch(&key, known, known_count, sizeof(*known), by_name);
        *file = same != NULL ? same->file : key.file;
        if (same == NULL && !sum_file(a, fs_join(a, folder, file->name), file, e))
            return false;
        if (same == NULL || !same->synced)
            strlist_add(left, file->name);
        m->bytes += file->bytes;
    }
    return true;
}

static bool sync_left(void *context, int worker UNUSED, struct err *e)
{
    static const atomic_bool all = false;
    return sync_some(context, &all, e);
}

bool files_sync(struct arena *a, const char *folder, const struct strlist *names, int jobs,
                struct err *e)
{
    struct sync s = {.files = arena_array(a, names->count + 1, sizeof(*s.files)),
                     .count = names->count};
    const struct pool_spec pool = {.threads = jobs < 1          ? 1
                                              : jobs > POOL_MAX ? POOL_MAX
                                                                : jobs,
                                   .work = sync_left,
                                   .context = &s};
    for (size_t i = 0; i < s.count; i++)
        s.files[i].path = fs_join(a, folder, names->items[i]);
    return pool_run(&pool, e);
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
    return fsync(out) == 0 || err_sys(e, ERR_SYSTEM, "could not write \"%s\"", to);
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
