#include "ext/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>
#define ZLIB_CONST
#include <zlib.h>

enum {
    BUFFER_BYTES = 128 * 1024,
    GZIP_ONLY = 16, /* on top of zlib's window bits */
};

struct unpack {
    gzFile file;
    const char *name;
};

struct pack {
    gzFile file;
    const char *name;
};

void unpack_close(struct unpack *u)
{
    if (u != NULL && u->file != NULL)
        gzclose_r(TAKE(u->file));
}

struct unpack *unpack_open(struct arena *a, const char *path, const char *name, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        err_sys(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, "could not open %s", name);
        return NULL;
    }
    struct unpack *u = ARENA_NEW(a, struct unpack);
    u->name = name;
    u->file = gzdopen(fd, "rb");
    if (u->file == NULL) {
        close(fd);
        err_set(e, ERR_SYSTEM, "could not read %s: out of memory", name);
        return NULL;
    }
    gzbuffer(u->file, BUFFER_BYTES);
    return u;
}

/* zlib puts "<fd:7>: " before it. */
static const char *without_path(const char *why)
{
    const char *found = strstr(why, ">: ");
    return found == NULL ? why : found + 3;
}

bool unpack_read(struct unpack *u, void *buffer, size_t max, size_t *n, struct err *e)
{
    int status = Z_OK;
    errno = 0;
    int got = gzread(u->file, buffer, max > INT_MAX ? INT_MAX : (unsigned)max);
    *n = got > 0 ? (size_t)got : 0;
    const char *why = gzerror(u->file, &status);
    if (status == Z_ERRNO)
        return err_sys(e, ERR_SYSTEM, "could not read %s", u->name);
    /* The rest of a torn file is given first. */
    if (status == Z_BUF_ERROR && got <= 0)
        return err_set(e, ERR_DAMAGED, "%s is cut off: its gzip stream has no end", u->name);
    if (status != Z_OK && status != Z_BUF_ERROR && status != Z_STREAM_END)
        return err_set(e, ERR_DAMAGED, "%s is damaged: %s", u->name, without_path(why));
    return true;
}

struct gunzip {
    z_stream zlib;
    bool ended;
};

void gunzip_close(struct gunzip *g)
{
    if (g != NULL)
        inflateEnd(&g->zlib);
    free(g);
}

struct gunzip *gunzip_open(struct err *e)
{
    struct gunzip *g = calloc(1, sizeof(*g));
    if (g != NULL && inflateInit2(&g->zlib, MAX_WBITS + GZIP_ONLY) == Z_OK)
        return g;
    free(g);
    err_set(e, ERR_SYSTEM, "could not unpack: out of memory");
    return NULL;
}

bool gunzip_step(struct gunzip *g, struct gunzip_step *step, const char *name, struct err *e)
{
    z_stream *z = &g->zlib;
    if (g->ended && inflateReset(z) != Z_OK)
        return err_set(e, ERR_INTERNAL, "could not unpack %s", name);
    z->next_in = step->in;
    z->avail_in = (unsigned)step->in_n;
    z->next_out = step->out;
    z->avail_out = (unsigned)step->room;
    int status = inflate(z, Z_NO_FLUSH);
    step->in = z->next_in;
    step->in_n = z->avail_in;
    step->out_n = step->room - z->avail_out;
    step->ended = g->ended = status == Z_STREAM_END;
    if (status == Z_MEM_ERROR)
        return err_set(e, ERR_SYSTEM, "could not unpack %s: out of memory", name);
    /* Z_BUF_ERROR: nothing to take, or no room. */
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        return err_set(e, ERR_DAMAGED, "%s is damaged: %s", name,
                       z->msg == NULL ? "no gzip member" : z->msg);
    return true;
}

void pack_close(struct pack *p)
{
    if (p != NULL && p->file != NULL)
        gzclose_w(TAKE(p->file));
}

struct pack *pack_open(struct arena *a, int fd, bool gzip, const char *name, struct err *e)
{
    /* gzclose closes what it was given. */
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (own < 0) {
        err_sys(e, ERR_SYSTEM, "could not write %s", name);
        return NULL;
    }
    struct pack *p = ARENA_NEW(a, struct pack);
    p->name = name;
    p->file = gzdopen(own, gzip ? "wb6" : "wbT");
    if (p->file == NULL) {
        close(own);
        err_set(e, ERR_SYSTEM, "could not write %s: out of memory", name);
        return NULL;
    }
    gzbuffer(p->file, BUFFER_BYTES);
    return p;
}

bool pack_write(struct pack *p, const void *bytes, size_t n, struct err *e)
{
    const char *at = bytes;
    while (n > 0) {
        unsigned piece = n > INT_MAX ? INT_MAX : (unsigned)n;
        errno = 0;
        if (gzwrite(p->file, at, piece) <= 0)
            return err_sys(e, ERR_SYSTEM, "could not write %s", p->name);
        at += piece;
        n -= piece;
    }
    return true;
}

bool pack_finish(struct pack *p, struct err *e)
{
    errno = 0;
    return gzclose_w(TAKE(p->file)) == Z_OK ||
           err_sys(e, ERR_SYSTEM, "could not write %s", p->name);
}
