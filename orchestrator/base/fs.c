#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void dir_close(DIR *dir)
{
    if (dir != NULL)
        closedir(dir);
}
DEFINE_AUTO(dir, DIR *, dir_close);

void fd_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_mode : 0;
}

bool fs_exists(const char *path)
{
    return mode_of(path) != 0;
}

bool fs_is_dir(const char *path)
{
    return S_ISDIR(mode_of(path));
}

bool fs_is_file(const char *path)
{
    return S_ISREG(mode_of(path));
}

bool fs_is_executable(const char *path)
{
    return fs_is_file(path) && access(path, X_OK) == 0;
}

char *fs_join(struct arena *a, const char *dir, const char *name)
{
    if (name[0] == '/' || dir[0] == '\0')
        return arena_strdup(a, name);
    return arena_printf(a, "%s%s%s", dir, str_ends(dir, "/") ? "" : "/", name);
}

char *fs_dirname(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return arena_strdup(a, ".");
    return slash == path ? arena_strdup(a, "/") : arena_strndup(a, path, (size_t)(slash - path));
}

const char *fs_basename(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

char *fs_absolute(struct arena *a, const char *path)
{
    char *real = realpath(path, NULL);
    if (real != NULL) {
        char *copy = arena_strdup(a, real);
        free(real);
        return copy;
    }
    if (path[0] == '/')
        return arena_strdup(a, path);
    char *cwd = getcwd(NULL, 0);
    char *joined = fs_join(a, cwd == NULL ? "." : cwd, str_starts(path, "./") ? path + 2 : path);
    free(cwd);
    return joined;
}

char *fs_relative(struct arena *a, const char *from, const char *to)
{
    size_t common = 0; /* up to the end of the last part that both share */
    for (size_t i = 0;; i++) {
        bool from_ends = from[i] == '\0' || from[i] == '/', to_ends = to[i] == '\0' || to[i] == '/';
        if (from_ends && to_ends)
            common = i;
        if (from[i] != to[i] || from[i] == '\0')
            break;
    }
    struct str s = str_on(a);
    for (const char *p = from + common; *p != '\0'; p++)
        if (*p == '/' && p[1] != '\0')
            str_item(&s, "/", "..");
    const char *rest = to + common + strspn(to + common, "/");
    if (*rest != '\0')
        str_item(&s, "/", rest);
    return s.length == 0 ? arena_strdup(a, ".") : s.text;
}

static bool read_failed(const char *path, struct err *e)
{
    return err_sys(e, errno == ENOENT || errno == ENOTDIR ? ERR_NOT_FOUND : ERR_SYSTEM,
                   "could not read \"%s\"", path);
}

bool fs_read(struct arena *a, const char *path, size_t max, char **text, size_t *length,
             struct err *e)
{
    AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return read_failed(path, e);
    if (!S_ISREG(st.st_mode))
        return err_set(e, ERR_SYSTEM, "\"%s\" is not a file", path);
    if ((uint64_t)st.st_size > max)
        return err_set(e, ERR_SYSTEM, "\"%s\" is larger than %zu bytes", path, max);

    size_t size = (size_t)st.st_size, used = 0;
    *text = arena_alloc(a, size + 1);
    while (used < size) {
        ssize_t n = read(fd, *text + used, size - used);
        if (n < 0 && errno != EINTR)
            return read_failed(path, e);
        if (n == 0)
            break;
        used += n > 0 ? (size_t)n : 0;
    }
    if (length != NULL)
        *length = used;
    return true;
}

bool fd_write(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);
        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            bytes += done;
            n -= (size_t)done;
        }
    }
    return true;
}

int fd_memory_file(struct arena *a, const char *text, const char **path, struct err *e)
{
    AUTO(fd) int fd = memfd_create("migsafe", MFD_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0600) != 0 || !fd_write(fd, text, strlen(text))) {
        err_sys(e, ERR_SYSTEM, "could not write a file in memory");
        return -1;
    }
    *path = arena_printf(a, "/proc/%d/fd/%d", (int)getpid(), fd);
    int opened = fd;
    fd = -1;
    return opened;
}

bool fs_append_synced(int fd, const char *line, size_t n, const char *path, struct err *e)
{
    struct stat before;
    bool known = fstat(fd, &before) == 0;
    if (fd_write(fd, line, n) && fsync(fd) == 0)
        return true;
    err_sys(e, ERR_SYSTEM, "could not write \"%s\"", path);
    /* A full disk takes a part of it: what is written next must not be torn by that. */
    if (known && S_ISREG(before.st_mode))
        (void)!ftruncate(fd, before.st_size);
    return false;
}

bool fs_sync_dir(const char *path, struct err *e)
{
    AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return err_sys(e, ERR_SYSTEM, "could not sync \"%s\"", path);
    return true;
}

bool fs_write_atomic(struct arena *a, const char *path, const char *bytes, size_t n, struct err *e)
{
    const char *aside = arena_printf(a, "%s.tmp%d", path, (int)getpid());
    AUTO(fd) int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(e, ERR_SYSTEM, "could not create \"%s\"", aside);
    if (!fs_append_synced(fd, bytes, n, aside, e) || !fs_rename(a, aside, path, e)) {
        unlink(aside);
        return false;
    }
    return true;
}

static bool make_folders(struct arena *a, const char *path, mode_t mode, struct err *e)
{
    if (fs_is_dir(path))
        return true;
    const char *parent = fs_dirname(a, path);
    if (!str_same(parent, path) && !make_folders(a, parent, mode, e))
        return false;
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return err_sys(e, ERR_SYSTEM, "could not create folder \"%s\"", path);
    if (!fs_is_dir(path)) {
        errno = ENOTDIR;
        return err_sys(e, ERR_SYSTEM, "could not create folder \"%s\"", path);
    }
    return true;
}

/* The owner can only be kept by root, and else is who writes. */
static bool take_over(int fd, const struct stat *st)
{
    return (fchown(fd, st->st_uid, st->st_gid) == 0 || errno == EPERM) &&
           fchmod(fd, st->st_mode & 07777) == 0;
}

bool fs_write_users(struct arena *a, const char *path, const char *text, unsigned mode,
                    struct err *e)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (!make_folders(a, fs_dirname(a, path), 0777, e))
        return false;
    const char *aside = arena_printf(a, "%s.tmp%d", path, (int)getpid());
    AUTO(fd) int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0 || (there && !take_over(fd, &st))) {
        err_sys(e, ERR_SYSTEM, "could not create \"%s\"", aside);
    } else if (fs_append_synced(fd, text, strlen(text), aside, e) && fs_rename(a, aside, path, e)) {
        return true;
    }
    unlink(aside);
    return false;
}

bool fs_sync_tree(struct arena *a, const char *path, struct err *e)
{
    struct strlist names;
    if (fs_is_dir(path)) {
        if (!fs_list(a, path, FS_ALL, &names, e))
            return false;
        for (size_t i = 0; i < names.count; i++)
            if (!fs_sync_tree(a, fs_join(a, path, names.items[i]), e))
                return false;
    }
    return fs_sync_dir(path, e);
}

bool fs_mkdirs(struct arena *a, const char *path, struct err *e)
{
    return make_folders(a, path, 0700, e);
}

bool fs_rename(struct arena *a, const char *from, const char *to, struct err *e)
{
    if (rename(from, to) < 0)
        return err_sys(e, ERR_SYSTEM, "could not rename \"%s\" to \"%s\"", from, to);
    return fs_sync_dir(fs_dirname(a, to), e);
}

bool fs_remove_tree(struct arena *a, const char *path, struct err *e)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT || err_sys(e, ERR_SYSTEM, "could not remove \"%s\"", path);
    struct strlist names;
    if (S_ISDIR(st.st_mode)) {
        if (!fs_list(a, path, FS_ALL, &names, e))
            return false;
        for (size_t i = 0; i < names.count; i++)
            if (!fs_remove_tree(a, fs_join(a, path, names.items[i]), e))
                return false;
    }
    if (remove(path) < 0)
        return err_sys(e, ERR_SYSTEM, "could not remove \"%s\"", path);
    return true;
}

static bool is_kind(int dir, const char *name, enum fs_kind kind)
{
    struct stat st;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    if (kind == FS_ALL)
        return true;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    return kind == FS_DIRS ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode);
}

bool fs_list(struct arena *a, const char *path, enum fs_kind kind, struct strlist *names,
             struct err *e)
{
    *names = strlist_on(a);
    AUTO(dir) DIR *dir = opendir(path);
    if (dir == NULL)
        return read_failed(path, e);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (is_kind(dirfd(dir), entry->d_name, kind))
            strlist_add(names, arena_strdup(a, entry->d_name));
    strlist_sort(names);
    return true;
}

bool fs_tree_bytes(struct arena *a, const char *path, int64_t *bytes, struct err *e)
{
    struct stat st;
    struct strlist names;
    if (lstat(path, &st) < 0)
        return read_failed(path, e);
    *bytes = S_ISREG(st.st_mode) ? (int64_t)st.st_size : 0;
    if (!S_ISDIR(st.st_mode))
        return true;
    if (!fs_list(a, path, FS_ALL, &names, e))
        return false;
    for (size_t i = 0; i < names.count; i++) {
        int64_t part;
        if (!fs_tree_bytes(a, fs_join(a, path, names.items[i]), &part, e))
            return false;
        *bytes += part;
    }
    return true;
}

bool fs_free_bytes(const char *path, int64_t *bytes, struct err *e)
{
    struct statvfs vfs;
    if (statvfs(path, &vfs) < 0)
        return err_sys(e, ERR_SYSTEM, "could not read the free space of \"%s\"", path);
    *bytes = (int64_t)(vfs.f_bavail * vfs.f_frsize);
    return true;
}
