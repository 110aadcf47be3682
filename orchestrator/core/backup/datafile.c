#include "core/backup/datafile.h"

#include "base/fs.h"

#include <fcntl.h>
#include <unistd.h>

enum { WRITE_OUT = 8 << 20, FIRST_STARTS = 8 };

void datafile_init(struct datafile *f, const char *path)
{
    *f = (struct datafile){.path = path, .fd = -1, .mutex = PTHREAD_MUTEX_INITIALIZER};
}

void datafile_release(struct datafile *f)
{
    if (f->path == NULL)
        return;
    fd_close(f->fd);
    digest_close(f->sum);
    free(f->starts);
    pthread_mutex_destroy(&f->mutex);
    *f = (struct datafile){.fd = -1};
}

void datafile_lock(struct datafile *f)
{
    pthread_mutex_lock(&f->mutex);
}

void datafile_unlock(struct datafile *f)
{
    pthread_mutex_unlock(&f->mutex);
}

static bool make(struct datafile *f, struct err *e)
{
    f->fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (f->fd < 0)
        return err_sys(e, ERR_SYSTEM, "could not write \"%s\"", f->path);
    f->sum = digest_open();
    return true;
}

static void note_start(struct datafile *f)
{
    if (f->start_count == f->start_size) {
        f->start_size = f->start_size == 0 ? FIRST_STARTS : 2 * f->start_size;
        f->starts = reallocarray(f->starts, f->start_size, sizeof(*f->starts));
        if (f->starts == NULL)
            abort(); /* as an arena does */
    }
    f->starts[f->start_count++] = f->bytes;
    f->start_text = f->text_bytes;
}

bool datafile_add(struct datafile *f, const struct datafile_piece *piece, struct err *e)
{
    if (f->fd < 0 && !make(f, e))
        return false;
    if (piece->starts_row &&
        (f->start_count == 0 || f->text_bytes - f->start_text >= DATAFILE_SEGMENT))
        note_start(f);
    if (!fd_write(f->fd, piece->bytes, piece->n))
        return err_sys(e, ERR_SYSTEM, "could not write \"%s\"", f->path);
    digest_add(f->sum, piece->bytes, piece->n);
    f->bytes += (int64_t)piece->n;
    f->text_bytes += (int64_t)piece->text_n;
    /* The disk works meanwhile: little is left for the fsync at the end. */
    if (f->bytes - f->synced_from >= WRITE_OUT) {
        sync_file_range(f->fd, f->synced_from, f->bytes - f->synced_from, SYNC_FILE_RANGE_WRITE);
        f->synced_from = f->bytes;
    }
    return true;
}

bool datafile_end(struct datafile *f, struct err *e)
{
    digest_end(f->sum, f->sha256);
    digest_close(TAKE(f->sum));
    int fd = f->fd;
    f->fd = -1;
    return close(fd) == 0 || err_sys(e, ERR_SYSTEM, "could not write \"%s\"", f->path);
}
