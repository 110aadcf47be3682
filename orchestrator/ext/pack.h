/*
 * pack.h - gzip, and files that may be gzipped.  The only header that knows zlib.
 *
 * Everything passes through in pieces: memory does not grow with the file.
 */
#ifndef MIGSAFE_EXT_PACK_H
#define MIGSAFE_EXT_PACK_H

#include "base/arena.h"
#include "base/err.h"

struct unpack; /* a file being read: what gzip packed is unpacked, anything else read as it is */

void unpack_close(struct unpack *u); /* accepts NULL */
DEFINE_AUTO(unpack, struct unpack *, unpack_close);

/* name: for errors.  NULL: ERR_NOT_FOUND, ERR_SYSTEM. */
MUST_CHECK struct unpack *unpack_open(struct arena *a, const char *path, const char *name,
                                      struct err *e);
/* Fills the buffer unless the end comes first; *n 0 is the end.  ERR_DAMAGED: cut off, or its
 * checksum is wrong; ERR_SYSTEM. */
MUST_CHECK bool unpack_read(struct unpack *u, void *buffer, size_t max, size_t *n, struct err *e);

struct gunzip; /* gzip members one after another, from memory to memory; heap */

void gunzip_close(struct gunzip *g); /* accepts NULL */
DEFINE_AUTO(gunzip, struct gunzip *, gunzip_close);

struct gunzip_step {
    const void *in; /* moves on by what was taken */
    size_t in_n;    /* less than 2 GB, as room */
    void *out;
    size_t room, out_n; /* out_n: how much was unpacked */
    bool ended;         /* the member ended where `in` is now; the next step begins a member */
};
/* NULL: ERR_SYSTEM. */
MUST_CHECK struct gunzip *gunzip_open(struct err *e);
/* Goes on until `in` is used up, `out` is full or the member ends.  name: for errors.
 * ERR_DAMAGED: no gzip, or a checksum is wrong; ERR_SYSTEM. */
MUST_CHECK bool gunzip_step(struct gunzip *g, struct gunzip_step *step, const char *name,
                            struct err *e);

struct pack; /* a descriptor being written to, packed or as it is */

void pack_close(struct pack *p); /* gives up what is not finished; accepts NULL */
DEFINE_AUTO(pack, struct pack *, pack_close);

/* fd stays the caller's.  name: for errors. */
MUST_CHECK struct pack *pack_open(struct arena *a, int fd, bool gzip, const char *name,
                                  struct err *e);
MUST_CHECK bool pack_write(struct pack *p, const void *bytes, size_t n, struct err *e);
/* Everything is with the system then, not yet on disk. */
MUST_CHECK bool pack_finish(struct pack *p, struct err *e);

#endif
