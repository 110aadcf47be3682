#include "core/backup/sync.h"

#include "base/fs.h"
#include "base/stop.h"

#include <fcntl.h>
#include <unistd.h>

static bool sync_file(const struct sync_file *file, bool wait, struct err *e)
{
    AUTO(fd) int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(e, ERR_SYSTEM, "could not write \"%s\"", file->path);
    if (!wait) {
        /* A hint: what it could not do, fsync does or tells. */
        (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
        return true;
    }
    return fsync(fd) == 0 || err_sys(e, ERR_SYSTEM, "could not write \"%s\"", file->path);
}

static bool each(struct sync *s, bool wait, const atomic_bool *enough, struct err *e)
{
    _Atomic size_t *next = wait ? &s->waited : &s->asked;
    while (!atomic_load(enough)) {
        size_t i = atomic_fetch_add(next, 1);
        if (i >= s->count)
            return true;
        if (!stop_check(e) || !sync_file(&s->files[i], wait, e))
            return false;
        if (wait) /* another worker may wait for it while this one still asks */
            s->files[i].done = true;
    }
    return true;
}

bool sync_some(struct sync *s, const atomic_bool *enough, struct err *e)
{
    return each(s, false, enough, e) && each(s, true, enough, e);
}
