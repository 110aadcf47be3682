/*
 * The life of a backup's folder: <id>.partial, <id>, <id>.removed.
 */
#include "core/backup/store.h"

#include "base/clock.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char partial_end[] = ".partial", removed_end[] = ".removed";

/* Younger ones may not be locked yet. */
enum { SWEEP_AFTER_S = 60 };

static char *reduced(struct arena *a, const char *database)
{
    char *db = arena_strdup(a, database);
    for (char *p = db; *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
        else if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9')))
            *p = '_';
    }
    return db;
}

char *store_id_make(struct arena *a, const char *database, const char *stamp, const char *kind,
                    int again)
{
    const char *db = reduced(a, database);
    return again < 2 ? arena_printf(a, "%s_%s_%s", db, stamp, kind)
                     : arena_printf(a, "%s_%s_%s_%d", db, stamp, kind, again);
}

/* Cuts `end` off *length when the text ends so. */
static bool cut_end(const char *text, size_t *length, const char *end)
{
    size_t n = strlen(end);
    if (*length < n || strncmp(text + *length - n, end, n) != 0)
        return false;
    *length -= n;
    return true;
}

/* "_20261120_194609" at the end of text. */
static bool cut_stamp(struct arena *a, const char *text, size_t *length, int64_t *at)
{
    enum { STAMP = 16 };
    if (*length < STAMP)
        return false;
    const char *s = text + *length - STAMP;
    for (int i = 0; i < STAMP; i++)
        if (i == 0 || i == 9 ? s[i] != '_' : s[i] < '0' || s[i] > '9')
            return false;
    *at = clock_parse_rfc3339(arena_printf(a, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s.000Z", s + 1, s + 5,
                                           s + 7, s + 10, s + 12, s + 14));
    *length -= STAMP;
    return *at >= 0;
}

bool store_id_parse(struct arena *a, const char *name, struct store_id *id)
{
    size_t n = strlen(name), digits = 0;
    if (n == 0 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != n)
        return false;
    while (digits < n && name[n - 1 - digits] >= '0' && name[n - 1 - digits] <= '9')
        digits++;
    if (digits > 0 && digits < n && name[n - digits - 1] == '_')
        n -= digits + 1;
    bool full = cut_end(name, &n, "_full");
    if (!full && !cut_end(name, &n, "_data"))
        return false;
    id->kind = full ? "full" : "data";
    if (!cut_stamp(a, name, &n, &id->taken_at) || n == 0)
        return false;
    id->database = arena_strndup(a, name, n);
    return true;
}

static char *partial_of(struct arena *a, const char *backup_dir, const char *id)
{
    return arena_printf(a, "%s%s", fs_join(a, backup_dir, id), partial_end);
}

bool store_begin(struct arena *a, const char *backup_dir, const char *id, int *fd,
                 const char **folder, struct err *e)
{
    if (!fs_mkdirs(a, backup_dir, e))
        return false;
    *folder = partial_of(a, backup_dir, id);
    if (mkdir(*folder, 0700) < 0)
        return err_sys(e, errno == EEXIST ? ERR_BUSY : ERR_SYSTEM, "could not create folder \"%s\"",
                       *folder);
    /* Only now: another of this id may have been finished just before, which gave its folder free.
     */
    if (fs_exists(fs_join(a, backup_dir, id))) {
        rmdir(*folder);
        return err_set(e, ERR_BUSY, "backup \"%s\" exists already", id);
    }
    *fd = open(*folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return err_sys(e, ERR_SYSTEM, "could not open folder \"%s\"", *folder);
    /* Some network file systems cannot lock; then only its age protects it. */
    (void)flock(*fd, LOCK_EX | LOCK_NB);
    return true;
}

bool store_finish(struct arena *a, const char *backup_dir, const char *id, struct err *e)
{
    const char *partial = partial_of(a, backup_dir, id);
    return fs_sync_dir(partial, e) && fs_rename(a, partial, fs_join(a, backup_dir, id), e);
}

bool store_abandon(struct arena *a, const char *backup_dir, const char *id, struct err *e)
{
    return fs_remove_tree(a, partial_of(a, backup_dir, id), e) &&
           fs_remove_tree(a, fs_join(a, backup_dir, id), e);
}

bool store_remove(struct arena *a, const struct stored *s, struct err *e)
{
    const char *removed = arena_printf(a, "%s%s", s->folder, removed_end);
    return (fs_remove_tree(a, removed, e) && fs_rename(a, s->folder, removed, e) &&
            fs_remove_tree(a, removed, e)) ||
           err_wrap(e, "could not remove backup \"%s\"", s->id);
}

/* Nobody works in it: old enough, and nobody holds its lock.  Where any age will do its time is not
 * looked at: it can be later than time(NULL), whose clock ticks more coarsely than that of files.
 */
static bool is_abandoned(const char *folder, int64_t least_age_s)
{
    struct stat st;
    AUTO(fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 && fstat(fd, &st) == 0 &&
           (least_age_s == 0 || time(NULL) - st.st_mtime >= least_age_s) &&
           flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* What a run that is known to be dead had begun need not be old. */
static int64_t least_age(struct arena *a, const struct store_id *id, const struct store_dead *dead)
{
    bool its = dead != NULL && str_same(id->database, reduced(a, dead->database)) &&
               id->taken_at >= dead->began_at;
    return its ? 0 : SWEEP_AFTER_S;
}

bool store_sweep(struct arena *a, const char *backup_dir, const struct store_dead *dead,
                 struct err *e)
{
    struct strlist names;
    struct store_id id;
    if (!fs_exists(backup_dir))
        return true;
    if (!fs_list(a, backup_dir, FS_DIRS, &names, e))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i], *folder = fs_join(a, backup_dir, name);
        size_t n = strlen(name);
        bool removed = cut_end(name, &n, removed_end);
        if ((!removed && !cut_end(name, &n, partial_end)) ||
            !store_id_parse(a, arena_strndup(a, name, n), &id) ||
            (!removed && !is_abandoned(folder, least_age(a, &id, dead))))
            continue;
        if (!fs_remove_tree(a, folder, e))
            return err_wrap(e, "could not remove a leftover");
    }
    return true;
}
