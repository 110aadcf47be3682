/*
 * hash.h - XXH3-64: fast, and no protection against anybody who means harm.  The only
 * header that knows xxhash.
 */
#ifndef MIGSAFE_EXT_HASH_H
#define MIGSAFE_EXT_HASH_H

#include "base/arena.h"

uint64_t hash_of(const void *bytes, size_t n);

/* The same of bytes that come in pieces. */
struct hash;
struct hash *hash_new(struct arena *a) RETURNS_NONNULL;
void hash_begin(struct hash *h);
void hash_add(struct hash *h, const void *bytes, size_t n);
uint64_t hash_end(const struct hash *h);

#endif
