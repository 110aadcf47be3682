/*
 * member.h - text in pieces that are packed one by one: gzip members (libdeflate; level 1 by
 * igzip.h), zstd frames (libzstd), or as it is.  The only header that knows those two.
 *
 * Pieces written one after another are one file that gzread, zcat, zstd and pg_restore
 * read; a reader may start at any piece.  An end is packed by gzip level or zstd level.
 */
#ifndef MIGSAFE_EXT_MEMBER_H
#define MIGSAFE_EXT_MEMBER_H

#include "base/arena.h"
#include "base/err.h"

enum member_codec { MEMBER_NONE, MEMBER_GZIP, MEMBER_ZSTD };

/* About what one member holds: a writer cuts its text at a row end so that it is no more. */
enum { MEMBER_TEXT_BYTES = 1 << 20 };

/* "", ".gz", ".zst" */
const char *member_suffix(enum member_codec codec) RETURNS_NONNULL;
/* By the end of a file's name. */
enum member_codec member_codec_of(const char *file_name);

struct packer;                       /* of one thread; its buffers serve every member */
void packer_close(struct packer *p); /* accepts NULL */
DEFINE_AUTO(packer, struct packer *, packer_close);
/* Levels: gzip 1 to 12, zstd 1 to 19.  NULL: ERR_INTERNAL (a level that is none), ERR_SYSTEM. */
MUST_CHECK struct packer *packer_open(enum member_codec codec, int level, struct err *e);
/* One member of n bytes; *out is valid until the next call (with MEMBER_NONE it is `bytes`). */
MUST_CHECK bool packer_pack(struct packer *p, const void *bytes, size_t n, const void **out,
                            size_t *out_n, struct err *e);

/* Where a reader begins and ends in a file. */
struct member_range {
    const char *path;
    const char *name; /* for errors: names file and table */
    int64_t from, to; /* offsets of piece starts; to -1: the end of the file */
    enum member_codec codec;
    bool may_be_empty; /* no bytes at all: what pg_dump makes of an empty large object with zstd */
};
struct member_reader;
void member_close(struct member_reader *r); /* accepts NULL */
DEFINE_AUTO(member, struct member_reader *, member_close);
/* NULL: ERR_NOT_FOUND, ERR_SYSTEM. */
MUST_CHECK struct member_reader *member_open(const struct member_range *range, struct err *e);
/* The next text, in pieces of any size (a piece may end within a row), valid until the next call;
 * *n 0 is the end.  Memory does not grow with the file or with a member: pieces larger than
 * MEMBER_TEXT_BYTES (pg_dump writes one for a whole table) are unpacked as a stream.
 * ERR_DAMAGED: cut off, also when `to` is not the end of a piece or nothing is at `from`; a wrong
 * checksum; something that is no member; an empty file that should be packed.  ERR_SYSTEM. */
MUST_CHECK bool member_read(struct member_reader *r, const char **text, size_t *n, struct err *e);

#endif
