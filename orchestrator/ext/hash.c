#include "ext/hash.h"

/* In this file, compiled for what it is used for: rows are short. */
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { STATE_ALIGNED = 64 };

struct hash {
    XXH3_state_t state;
};

uint64_t hash_of(const void *bytes, size_t n)
{
    return XXH3_64bits(bytes, n);
}

struct hash *hash_new(struct arena *a)
{
    char *room = arena_alloc(a, sizeof(struct hash) + STATE_ALIGNED);
    size_t over = (uintptr_t)room % STATE_ALIGNED;
    void *at = room + (STATE_ALIGNED - over);
    return at;
}

void hash_begin(struct hash *h)
{
    XXH3_64bits_reset(&h->state);
}

void hash_add(struct hash *h, const void *bytes, size_t n)
{
    XXH3_64bits_update(&h->state, bytes, n);
}

uint64_t hash_end(const struct hash *h)
{
    return XXH3_64bits_digest(&h->state);
}
