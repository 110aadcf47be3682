#include "ext/igzip.h"

#include <isa-l/igzip_lib.h>

enum {
    LEVEL = 1,
    STORED_BYTES = 65535, /* the most of a block that is not packed, */
    STORED_HEADER = 5,    /* and what comes before each */
    WRAPPER_BYTES = 18,   /* header and trailer of a member */
    /* It never writes beyond `avail_out`, but gives up with fewer than some bytes left. */
    SPARE_BYTES = 64,
};

struct igzip {
    struct isal_zstream stream;
    uint8_t level_buffer[ISAL_DEF_LVL1_DEFAULT];
};

struct igzip *igzip_open(void)
{
    return calloc(1, sizeof(struct igzip));
}

void igzip_close(struct igzip *g)
{
    free(g);
}

size_t igzip_bound(size_t n)
{
    return n + (n / STORED_BYTES + 1) * STORED_HEADER + WRAPPER_BYTES + SPARE_BYTES;
}

size_t igzip_pack(struct igzip *g, const void *bytes, size_t n, void *out, size_t room)
{
    struct isal_zstream *s = &g->stream;
    if (n > UINT32_MAX || room < igzip_bound(n))
        return 0;
    isal_deflate_stateless_init(s);
    s->level = LEVEL;
    s->level_buf = g->level_buffer;
    s->level_buf_size = sizeof(g->level_buffer);
    s->gzip_flag = IGZIP_GZIP;
    s->end_of_stream = 1;
    /* It only reads there. */
    s->next_in = (uint8_t *)(uintptr_t)bytes;
    s->avail_in = (uint32_t)n;
    s->next_out = out;
    s->avail_out = room > UINT32_MAX ? UINT32_MAX : (uint32_t)room;
    return isal_deflate_stateless(s) == COMP_OK && s->avail_in == 0 ? s->total_out : 0;
}
