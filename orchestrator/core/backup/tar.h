/*
 * tar.h - read a tar made by `migsafe export --format tar`, or by tar(1) of a backup's folder.
 *
 * What it holds is whatever somebody sent: only files are taken, of one folder whose name
 * is the id of a backup, with plain names, each once.  Links, devices, folders within,
 * names with slashes: ERR_DAMAGED.  Sizes may be in octal, base-256 or pax headers.
 */
#ifndef MIGSAFE_CORE_BACKUP_TAR_H
#define MIGSAFE_CORE_BACKUP_TAR_H

#include "base/str.h"

enum { TAR_BLOCK = 512 };

struct tar {
    struct arena *arena;
    /* Fills the buffer unless the end comes first; *n 0 is the end. */
    bool (*read)(void *context, void *buffer, size_t max, size_t *n, struct err *e);
    void *context;
    const char *id;       /* of the backup, once a name has been read */
    struct strlist names; /* of the files so far */
    /* The file that is being read: */
    const char *name; /* "3387.dat.gz" */
    int64_t left;     /* bytes of it */
    int64_t padding;
};

/* The next file: its name and size; *more false at the end of the tar. */
MUST_CHECK bool tar_next(struct tar *t, bool *more, struct err *e);
/* Its bytes; *n 0 is its end. */
MUST_CHECK bool tar_read(struct tar *t, void *buffer, size_t max, size_t *n, struct err *e);

/* Is that the head of a tar, and does its first name lie in a folder named like a backup? */
bool tar_is_backup(const char *head, size_t n);

/* "id/name", also with "./" before it.  *name NULL: the folder itself. */
MUST_CHECK bool tar_check_name(struct arena *a, const char *path, const char **id,
                               const char **name, struct err *e);

#endif
