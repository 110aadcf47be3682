/*
 * digest.h - SHA-256 and HMAC.  The only header that knows libcrypto.
 */
#ifndef MIGSAFE_EXT_DIGEST_H
#define MIGSAFE_EXT_DIGEST_H

#include "base/arena.h"
#include "base/err.h"

/* 64 hex digits, lower case, of bytes in memory. */
char *digest_sha256(struct arena *a, const void *bytes, size_t n) RETURNS_NONNULL;

/* Of a file, read in pieces: any size.  ERR_SYSTEM, ERR_NOT_FOUND. */
MUST_CHECK bool digest_file(struct arena *a, const char *path, char **hex, struct err *e);

#endif
