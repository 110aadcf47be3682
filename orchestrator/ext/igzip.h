/*
 * igzip.h - gzip members at level 1, two to three times as fast as libdeflate's and about
 * as small.  The only header that knows ISA-L.
 *
 *     out_n = igzip_pack(g, bytes, n, out, room);    room >= igzip_bound(n)
 *
 * It packs only: what is read may come from anybody, and ISA-L is assembler.
 */
#ifndef MIGSAFE_EXT_IGZIP_H
#define MIGSAFE_EXT_IGZIP_H

#include "base/base.h"
#include "base/err.h"

struct igzip;                      /* of one thread */
void igzip_close(struct igzip *g); /* accepts NULL */
DEFINE_AUTO(igzip, struct igzip *, igzip_close);
/* NULL: out of memory. */
MUST_CHECK struct igzip *igzip_open(void);

/* The most that a member of n bytes of text takes. */
size_t igzip_bound(size_t n);
/* A whole member of n bytes, less than 4 GB, into `room` bytes, igzip_bound(n) or more.  Returns
 * its size, or 0 when that was not kept. */
MUST_CHECK size_t igzip_pack(struct igzip *g, const void *bytes, size_t n, void *out, size_t room);

#endif
