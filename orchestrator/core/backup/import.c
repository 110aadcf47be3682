#include "core/backup/import.h"

#include "base/fs.h"
#include "base/stop.h"
#include "core/backup/tar.h"
#include "core/backup/verify.h"
#include "ext/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 256 * 1024 };

struct import {
    struct arena *arena;
    const struct import_spec *spec;
    const char *id, *folder; /* <id>.partial; NULL until it is made */
    int lock;
    struct strlist names; /* of the files that were written */
    char *piece;
};

/* Reads the next bytes of the file that is taken over. */
typedef bool read_fn(void *context, void *buffer, size_t max, size_t *n, struct err *e);

/* --- writing ------------------------------------------------------------------------------------
 */

static bool begin(struct import *i, const char *id, struct err *e)
{
    const char *folder;
    i->id = id;
    if (store_begin(i->arena, i->spec->backup_dir, id, &i->lock, &folder, e)) {
        i->folder = folder;
        return true;
    }
    if (e->kind != ERR_BUSY)
        return false;
    err_set(e, ERR_USAGE, "backup \"%s\" is in \"%s\" already", id, i->spec->backup_dir);
    err_hint(e, "An import keeps the id: remove or move the one that is there first.");
    return false;
}

static bool write_file(struct import *i, const char *name, read_fn *read, void *context,
                       struct err *e)
{
    const char *path = fs_join(i->arena, i->folder, name);
    AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(e, ERR_SYSTEM, "could not create \"%s\"", path);
    strlist_add(&i->names, name);
    for (size_t n = 1; n > 0;) {
        if (!stop_check(e) || !read(context, i->piece, PIECE_BYTES, &n, e))
            return false;
        if (!fd_write(fd, i->piece, n))
            return err_sys(e, ERR_SYSTEM, "could not write \"%s\"", path);
    }
    return true;
}

/* --- a tar --------------------------------------------------------------------------------------
 */

static bool read_packed(void *context, void *buffer, size_t max, size_t *n, struct err *e)
{
    return unpack_read(context, buffer, max, n, e);
}

static bool read_member(void *context, void *buffer, size_t max, size_t *n, struct err *e)
{
    return tar_read(context, buffer, max, n, e);
}

static bool take_tar(struct import *i, struct err *e)
{
    const char *label = arena_printf(i->arena, "file \"%s\"", i->spec->path);
    AUTO(unpack) struct unpack *from = unpack_open(i->arena, i->spec->path, label, e);
    struct tar tar = {
        .arena = i->arena, .read = read_packed, .context = from, .names = strlist_on(i->arena)};
    if (from == NULL)
        return false;
    for (bool more = true; more;) {
        if (!tar_next(&tar, &more, e))
            return err_wrap(e, "%s", label);
        if (!more)
            break;
        if ((i->folder == NULL && !begin(i, tar.id, e)) ||
            !write_file(i, tar.name, read_member, &tar, e))
            return false;
    }
    return i->folder != NULL || err_set(e, ERR_DAMAGED, "%s holds nothing", label);
}

/* --- a folder -----------------------------------------------------------------------------------
 */

static bool read_plain(void *context, void *buffer, size_t max, size_t *n, struct err *e)
{
    const int *fd = context;
    ssize_t got;
    do
        got = read(*fd, buffer, max);
    while (got < 0 && errno == EINTR);
    *n = got < 0 ? 0 : (size_t)got;
    return got >= 0 || err_sys(e, ERR_SYSTEM, "could not read it");
}

static bool take_file(struct import *i, const char *name, struct err *e)
{
    const char *path = fs_join(i->arena, i->spec->path, name);
    struct stat st;
    AUTO(fd) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ELOOP))
        return err_set(e, ERR_DAMAGED, "file \"%s\" is missing", path);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(e, ERR_SYSTEM, "could not open \"%s\"", path);
    return S_ISREG(st.st_mode)
               ? write_file(i, name, read_plain, &fd, e) || err_wrap(e, "\"%s\"", path)
               : err_set(e, ERR_DAMAGED, "\"%s\" is no file", path);
}

/* What the manifest names, whatever else is there. */
static bool take_folder(struct import *i, struct err *e)
{
    struct manifest m;
    struct store_id id;
    if (!manifest_read(i->arena, i->spec->path, &m, e))
        return false;
    if (!store_id_parse(i->arena, m.id, &id))
        return err_set(e, ERR_DAMAGED, "the manifest in \"%s\" has an id that is none",
                       i->spec->path);
    if (!begin(i, m.id, e) || !take_file(i, "manifest.json", e) || !take_file(i, "SHA256SUMS", e))
        return false;
    for (size_t k = 0; k < m.file_count; k++)
        if (!take_file(i, m.files[k].name, e))
            return false;
    return true;
}

/* --- all of it ----------------------------------------------------------------------------------
 */

/* Nothing but what a backup has: a restore would read what else lies there. */
static bool check_names(struct import *i, const struct manifest *m, struct err *e)
{
    const struct manifest sorted = store_sorted(i->arena, m);
    for (size_t k = 0; k < i->names.count; k++) {
        const char *name = i->names.items[k];
        if (strcmp(name, "manifest.json") != 0 && strcmp(name, "SHA256SUMS") != 0 &&
            !store_has_file(&sorted, name))
            return err_set(e, ERR_DAMAGED,
                           "\"%s\" holds file \"%s\", which its manifest does not name",
                           i->spec->path, str_printable(i->arena, name));
    }
    return true;
}

static bool check(struct import *i, struct stored *s, struct err *e)
{
    struct verify_result result;
    const struct verify_spec spec = {
        .backup = s, .jobs = i->spec->jobs, .progress = i->spec->progress};
    *s = (struct stored){.id = i->id, .folder = i->folder};
    if (!manifest_read(i->arena, i->folder, &s->manifest, e)) {
        if (e->kind == ERR_NOT_FOUND)
            err_set(e, ERR_DAMAGED, "\"%s\" holds no manifest.json", i->spec->path);
        return false;
    }
    if (strcmp(s->manifest.id, i->id) != 0)
        return err_set(e, ERR_DAMAGED, "its manifest says it is \"%s\", not \"%s\"",
                       str_printable(i->arena, s->manifest.id), i->id);
    return check_names(i, &s->manifest, e) && backup_verify(i->arena, &spec, &result, e) &&
           verify_verdict(i->arena, s, result.damages, result.damage_count, e);
}

static bool finish(struct import *i, struct stored *s, struct err *e)
{
    const char *folder = fs_join(i->arena, i->spec->backup_dir, i->id);
    /* By its age and reason the next backup might remove it again. */
    if (!store_pin(i->arena, s, true, e) ||
        !store_add_verification(i->arena, s, "files", "ok", e) ||
        !fs_sync_tree(i->arena, i->folder, e) || !stop_check(e) ||
        !store_finish(i->arena, i->spec->backup_dir, i->id, e))
        return false;
    s->folder = folder;
    s->manifest.pinned = true;
    return true;
}

bool import_backup(struct arena *a, const struct import_spec *spec, struct stored *imported,
                   struct err *e)
{
    struct err ignored = {0};
    struct import i = {.arena = a,
                       .spec = spec,
                       .lock = -1,
                       .names = strlist_on(a),
                       .piece = arena_alloc(a, PIECE_BYTES)};
    bool ok = (fs_is_dir(spec->path) ? take_folder(&i, e) : take_tar(&i, e)) &&
              check(&i, imported, e) && finish(&i, imported, e);
    if (!ok && i.folder != NULL)
        (void)!store_abandon(a, spec->backup_dir, i.id, &ignored);
    fd_close(i.lock);
    return ok;
}

bool import_is_backup(struct arena *a, const char *path, bool *ours, struct err *e)
{
    char head[TAR_BLOCK];
    size_t n;
    if (fs_is_dir(path)) {
        *ours = fs_is_file(fs_join(a, path, "manifest.json"));
        return true;
    }
    *ours = false;
    if (!fs_is_file(path)) /* a pipe can be read only once */
        return true;
    AUTO(unpack)
    struct unpack *from = unpack_open(a, path, arena_printf(a, "file \"%s\"", path), e);
    if (from == NULL || !unpack_read(from, head, sizeof(head), &n, e))
        return false;
    *ours = tar_is_backup(head, n);
    return true;
}
