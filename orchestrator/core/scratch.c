#include "core/scratch.h"

#include "base/log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { YOUNG_S = 60 /* may not be locked yet */ };

static bool is_scratch(const char *name)
{
    static const char *const prefixes[] = {"drill_", "export_", "import_", "restore_"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (str_starts(name, prefixes[i]))
            return true;
    return false;
}

static bool is_abandoned(const char *path)
{
    struct stat st;
    AUTO(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    return fd >= 0 && fstat(fd, &st) == 0 && time(NULL) - st.st_mtime > YOUNG_S &&
           flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void scratch_sweep(struct arena *a, const char *state_dir)
{
    struct strlist names;
    struct err e = {0};
    if (!fs_list(a, state_dir, FS_ALL, &names, &e))
        return;
    for (size_t i = 0; i < names.count; i++) {
        const char *path = fs_join(a, state_dir, names.items[i]);
        if (is_scratch(names.items[i]) && is_abandoned(path) && !fs_remove_tree(a, path, &e))
            log_err_as(LOG_WARNING, &e);
    }
}

static bool lock(struct scratch *s, struct err *e)
{
    return flock(s->fd, LOCK_EX | LOCK_NB) == 0 ||
           err_sys(e, ERR_SYSTEM, "could not lock \"%s\"", s->path);
}

static char *begin(struct arena *a, const char *state_dir, const char *what, struct scratch *s,
                   struct err *e)
{
    *s = (struct scratch){.fd = -1};
    if (!fs_mkdirs(a, state_dir, e))
        return NULL;
    scratch_sweep(a, state_dir);
    return fs_join(a, state_dir, arena_printf(a, "%s_XXXXXX", what));
}

bool scratch_file(struct arena *a, const char *state_dir, const char *what, struct scratch *s,
                  struct err *e)
{
    char *path = begin(a, state_dir, what, s, e);
    s->fd = path == NULL ? -1 : mkostemp(path, O_CLOEXEC); /* 0600 */
    if (s->fd < 0)
        return path != NULL && err_sys(e, ERR_SYSTEM, "could not make a file in \"%s\"", state_dir);
    s->path = path;
    return lock(s, e);
}

bool scratch_folder(struct arena *a, const char *state_dir, const char *what, struct scratch *s,
                    struct err *e)
{
    char *path = begin(a, state_dir, what, s, e);
    if (path == NULL)
        return false;
    if (mkdtemp(path) == NULL) /* 0700 */
        return err_sys(e, ERR_SYSTEM, "could not make a folder in \"%s\"", state_dir);
    s->path = path;
    s->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return s->fd < 0 ? err_sys(e, ERR_SYSTEM, "could not open \"%s\"", path) : lock(s, e);
}

void scratch_remove(const struct scratch *s)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    if (s->path == NULL)
        return;
    if (!fs_remove_tree(a, s->path, &e))
        log_err_as(LOG_WARNING, &e);
    fd_close(s->fd);
}
