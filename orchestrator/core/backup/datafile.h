/*
 * datafile.h - a file of a backup in the making: members are added by several threads,
 * each where the one before ended.
 *
 *     datafile_lock(f);
 *     ok = datafile_add(f, &piece, e);   once, or several times for one long row
 *     datafile_unlock(f);
 */
#ifndef MIGSAFE_CORE_BACKUP_DATAFILE_H
#define MIGSAFE_CORE_BACKUP_DATAFILE_H

#include "base/arena.h"
#include "base/err.h"
#include "ext/digest.h"

#include <pthread.h>

/* About how much text lies between two places where a reader may start. */
enum { DATAFILE_SEGMENT = 64 << 20 };

struct datafile {
    const char *path;
    pthread_mutex_t mutex; /* of all that follows */
    int fd;
    struct digest *sum;
    char sha256[65]; /* once it has ended */
    int64_t bytes, text_bytes;
    int64_t *starts; /* offsets of members that begin a row; the first is 0 */
    size_t start_count, start_size;
    int64_t start_text;  /* of text that was before the last of them */
    int64_t synced_from; /* what the system was asked to write out already */
    bool synced;         /* all of it is on disk */
};

struct datafile_piece {
    const void *bytes; /* packed */
    size_t n, text_n;
    bool starts_row;
};

void datafile_init(struct datafile *f, const char *path);
void datafile_release(struct datafile *f); /* closes what is open; accepts a zeroed one */
void datafile_lock(struct datafile *f);
void datafile_unlock(struct datafile *f);
/* The file is made by the first.  ERR_SYSTEM names it. */
MUST_CHECK bool datafile_add(struct datafile *f, const struct datafile_piece *piece, struct err *e);
/* Fills sha256 and closes the file; nothing can be added then. */
MUST_CHECK bool datafile_end(struct datafile *f, struct err *e);

#endif
