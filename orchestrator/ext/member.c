#include "ext/member.h"

#include "base/str.h"
#include "ext/igzip.h"
#include "ext/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <unistd.h>
#include <zstd.h>

enum {
    SLACK_BYTES = 64 << 10,
    OUT_BYTES = MEMBER_TEXT_BYTES + SLACK_BYTES,
    /* What a member of ours may be in a file: text that cannot be packed grows by far less. */
    MEMBER_BYTES = MEMBER_TEXT_BYTES + SLACK_BYTES,
    IN_BYTES = 2 * MEMBER_BYTES,
    ZSTD_MAGIC_BYTES = 4,
};

static const char *const suffixes[] = {
    [MEMBER_NONE] = "", [MEMBER_GZIP] = ".gz", [MEMBER_ZSTD] = ".zst"};

const char *member_suffix(enum member_codec codec)
{
    return suffixes[codec];
}

enum member_codec member_codec_of(const char *file_name)
{
    if (str_ends(file_name, suffixes[MEMBER_GZIP]))
        return MEMBER_GZIP;
    return str_ends(file_name, suffixes[MEMBER_ZSTD]) ? MEMBER_ZSTD : MEMBER_NONE;
}

struct packer {
    enum member_codec codec;
    struct igzip *fast; /* gzip:1 */
    struct libdeflate_compressor *gzip;
    ZSTD_CCtx *zstd;
    char *buffer;
    size_t size;
};

void packer_close(struct packer *p)
{
    if (p == NULL)
        return;
    igzip_close(p->fast);
    libdeflate_free_compressor(p->gzip);
    ZSTD_freeCCtx(p->zstd);
    free(p->buffer);
    free(p);
}

static bool zstd_set(ZSTD_CCtx *zstd, int level)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, 1)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1));
}

static bool level_exists(enum member_codec codec, int level)
{
    return codec == MEMBER_NONE || (level >= 1 && level <= (codec == MEMBER_GZIP ? 12 : 19));
}

static bool open_codec(struct packer *p, int level)
{
    if (p->codec == MEMBER_GZIP && level == 1)
        return (p->fast = igzip_open()) != NULL;
    if (p->codec == MEMBER_GZIP)
        return (p->gzip = libdeflate_alloc_compressor(level)) != NULL;
    return p->codec == MEMBER_NONE ||
           ((p->zstd = ZSTD_createCCtx()) != NULL && zstd_set(p->zstd, level));
}

struct packer *packer_open(enum member_codec codec, int level, struct err *e)
{
    if (!level_exists(codec, level)) {
        err_set(e, ERR_INTERNAL, "no such level of compression: %d", level);
        return NULL;
    }
    AUTO(packer) struct packer *p = calloc(1, sizeof(*p));
    if (p != NULL)
        p->codec = codec;
    if (p == NULL || !open_codec(p, level)) {
        err_set(e, ERR_SYSTEM, "could not pack: out of memory");
        return NULL;
    }
    return TAKE(p);
}

static bool make_room(struct packer *p, size_t n)
{
    if (p->size >= n)
        return true;
    free(p->buffer);
    p->buffer = malloc(n);
    p->size = p->buffer == NULL ? 0 : n;
    return p->buffer != NULL;
}

static size_t bound_of(const struct packer *p, size_t n)
{
    if (p->fast != NULL)
        return igzip_bound(n);
    return p->gzip != NULL ? libdeflate_gzip_compress_bound(p->gzip, n) : ZSTD_compressBound(n);
}

bool packer_pack(struct packer *p, const void *bytes, size_t n, const void **out, size_t *out_n,
                 struct err *e)
{
    if (p->codec == MEMBER_NONE) {
        *out = bytes;
        *out_n = n;
        return true;
    }
    if (!make_room(p, bound_of(p, n)))
        return err_set(e, ERR_SYSTEM, "could not pack %zu bytes: out of memory", n);
    *out = p->buffer;
    if (p->codec == MEMBER_GZIP) {
        *out_n = p->fast != NULL ? igzip_pack(p->fast, bytes, n, p->buffer, p->size)
                                 : libdeflate_gzip_compress(p->gzip, bytes, n, p->buffer, p->size);
        return *out_n > 0 || err_set(e, ERR_INTERNAL, "could not pack %zu bytes", n);
    }
    *out_n = ZSTD_compress2(p->zstd, p->buffer, p->size, bytes, n);
    return !ZSTD_isError(*out_n) ||
           err_set(e, ERR_SYSTEM, "could not pack %zu bytes: %s", n, ZSTD_getErrorName(*out_n));
}

struct member_reader {
    bool may_be_empty;
    enum member_codec codec;
    int fd;
    char *name;
    int64_t from, at, to; /* at: the next byte that comes from the file; to -1: its end */
    bool no_more;         /* nothing comes from the file any more */
    char *in, *out;       /* of IN_BYTES and OUT_BYTES */
    size_t in_from, in_n; /* in: what is not yet unpacked */
    bool within;          /* in the middle of a member */
    struct libdeflate_decompressor *whole;
    struct gunzip *gzip; /* for what libdeflate cannot: it takes whole members only */
    ZSTD_DCtx *zstd;
};

void member_close(struct member_reader *r)
{
    if (r == NULL)
        return;
    if (r->fd >= 0)
        close(r->fd);
    libdeflate_free_decompressor(r->whole);
    gunzip_close(r->gzip);
    ZSTD_freeDCtx(r->zstd);
    free(r->in);
    free(r->out);
    free(r->name);
    free(r);
}

static bool make_buffers(struct member_reader *r, const char *name)
{
    r->name = strdup(name);
    r->in = malloc(IN_BYTES);
    r->out = r->codec == MEMBER_NONE ? NULL : malloc(OUT_BYTES);
    if (r->codec == MEMBER_GZIP)
        r->whole = libdeflate_alloc_decompressor();
    if (r->codec == MEMBER_ZSTD)
        r->zstd = ZSTD_createDCtx();
    return r->name != NULL && r->in != NULL && (r->out != NULL || r->codec == MEMBER_NONE) &&
           (r->whole != NULL || r->codec != MEMBER_GZIP) &&
           (r->zstd != NULL || r->codec != MEMBER_ZSTD);
}

struct member_reader *member_open(const struct member_range *range, struct err *e)
{
    AUTO(member) struct member_reader *r = calloc(1, sizeof(*r));
    if (r != NULL) {
        *r = (struct member_reader){.codec = range->codec,
                                    .may_be_empty = range->may_be_empty,
                                    .fd = -1,
                                    .from = range->from,
                                    .at = range->from,
                                    .to = range->to};
    }
    if (r == NULL || !make_buffers(r, range->name)) {
        err_set(e, ERR_SYSTEM, "could not read %s: out of memory", range->name);
        return NULL;
    }
    r->fd = open(range->path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0) {
        err_sys(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM, "could not open %s", range->name);
        return NULL;
    }
    return TAKE(r);
}

/* Whether the file may end here: the range, or the piece that begins it, has to be there. */
static bool may_end(const struct member_reader *r, struct err *e)
{
    if (r->at == 0 && r->to < 0)
        return r->codec == MEMBER_NONE || r->may_be_empty ||
               err_set(e, ERR_DAMAGED, "%s is empty", r->name);
    if (r->to >= 0 ? r->at >= r->to : r->at > r->from)
        return true;
    return err_set(e, ERR_DAMAGED, "%s is cut off: it ends at or before byte %lld", r->name,
                   (long long)r->at);
}

static bool fill_once(struct member_reader *r, struct err *e)
{
    size_t end = r->in_from + r->in_n, room = IN_BYTES - end;
    if (r->to >= 0 && (int64_t)room > r->to - r->at)
        room = r->to > r->at ? (size_t)(r->to - r->at) : 0;
    ssize_t got = room == 0 ? 0 : pread(r->fd, r->in + end, room, r->at);
    if (got < 0)
        return errno == EINTR || err_sys(e, ERR_SYSTEM, "could not read %s", r->name);
    r->no_more = got == 0;
    r->in_n += (size_t)got;
    r->at += got;
    return got > 0 || may_end(r, e);
}

/* At least `least` bytes in the buffer, or all that there are. */
static bool fill(struct member_reader *r, size_t least, struct err *e)
{
    if (r->in_n >= least || r->no_more)
        return true;
    memmove(r->in, r->in + r->in_from, r->in_n);
    r->in_from = 0;
    while (r->in_n < IN_BYTES && !r->no_more)
        if (!fill_once(r, e))
            return false;
    return true;
}

static void used(struct member_reader *r, size_t n)
{
    r->in_from += n;
    r->in_n -= n;
}

/* Where the next byte to unpack is in the file. */
static long long place(const struct member_reader *r)
{
    return (long long)(r->at - (int64_t)r->in_n);
}

/* A member that does not fit, and one that is damaged: zlib can tell how. */
static bool gunzip_on(struct member_reader *r, size_t *n, struct err *e)
{
    if (r->gzip == NULL && (r->gzip = gunzip_open(e)) == NULL)
        return false;
    struct gunzip_step step = {
        .in = r->in + r->in_from, .in_n = r->in_n, .out = r->out, .room = OUT_BYTES};
    long long at = place(r);
    if (!gunzip_step(r->gzip, &step, r->name, e)) {
        err_detail(e, "The piece that cannot be unpacked begins at or after byte %lld.", at);
        return false;
    }
    used(r, r->in_n - step.in_n);
    r->within = !step.ended;
    *n = step.out_n;
    return true;
}

static bool read_gzip(struct member_reader *r, size_t *n, struct err *e)
{
    size_t taken;
    if (!r->within && libdeflate_gzip_decompress_ex(r->whole, r->in + r->in_from, r->in_n, r->out,
                                                    OUT_BYTES, &taken, n) == LIBDEFLATE_SUCCESS) {
        used(r, taken);
        return true;
    }
    return gunzip_on(r, n, e);
}

static bool read_zstd(struct member_reader *r, size_t *n, struct err *e)
{
    static const unsigned char magic[ZSTD_MAGIC_BYTES] = {0x28, 0xB5, 0x2F, 0xFD};
    const char *from = r->in + r->in_from;
    /* libzstd would also read the formats of its youth, which have other numbers. */
    size_t seen = r->in_n < ZSTD_MAGIC_BYTES ? r->in_n : ZSTD_MAGIC_BYTES;
    if (!r->within && memcmp(from, magic, seen) != 0)
        return err_set(e, ERR_DAMAGED, "%s is damaged: no zstd frame at byte %lld", r->name,
                       place(r));
    ZSTD_inBuffer in = {.src = from, .size = r->in_n};
    ZSTD_outBuffer out = {.dst = r->out, .size = OUT_BYTES};
    long long at = place(r);
    size_t left = ZSTD_decompressStream(r->zstd, &out, &in);
    if (ZSTD_isError(left)) {
        err_set(e, ERR_DAMAGED, "%s is damaged: %s", r->name, ZSTD_getErrorName(left));
        err_detail(e, "The piece that cannot be unpacked begins at or after byte %lld.", at);
        return false;
    }
    used(r, in.pos);
    r->within = left > 0;
    *n = out.pos;
    return true;
}

/* What is not packed, as it comes. */
static bool read_plain(struct member_reader *r, const char **text, size_t *n, struct err *e)
{
    if (!fill(r, 1, e))
        return false;
    *text = r->in + r->in_from;
    *n = r->in_n;
    used(r, r->in_n);
    return true;
}

bool member_read(struct member_reader *r, const char **text, size_t *n, struct err *e)
{
    if (r->codec == MEMBER_NONE)
        return read_plain(r, text, n, e);
    *text = r->out;
    *n = 0;
    do {
        if (!fill(r, r->within ? 1 : MEMBER_BYTES, e))
            return false;
        if (r->in_n == 0 && !r->within)
            return true;
        bool had_any = r->in_n > 0; /* without, there may still be text that found no room */
        if (!(r->codec == MEMBER_GZIP ? read_gzip(r, n, e) : read_zstd(r, n, e)))
            return false;
        if (*n == 0 && !had_any)
            return err_set(e, ERR_DAMAGED, "%s is cut off: its last %s has no end", r->name,
                           r->codec == MEMBER_GZIP ? "gzip member" : "zstd frame");
    } while (*n == 0);
    return true;
}
