/*
 * random.h - random numbers from the kernel: run ids, jitter.
 */
#ifndef MIGSAFE_BASE_RANDOM_H
#define MIGSAFE_BASE_RANDOM_H

#include "base/arena.h"

uint64_t random_u64(void);
/* digits hex digits, at most 16. */
char *random_hex(struct arena *a, int digits) RETURNS_NONNULL;

#endif
