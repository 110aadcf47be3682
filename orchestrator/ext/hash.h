/*
 * hash.h - XXH3-64: fast, and no protection against anybody who means harm.  The only
 * header that knows xxhash.
 */
#ifndef MIGSAFE_EXT_HASH_H
#define MIGSAFE_EXT_HASH_H

#include "base/base.h"

uint64_t hash_of(const void *bytes, size_t n);

#endif
