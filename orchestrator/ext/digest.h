/*
 * digest.h - SHA-256, HMAC, base64.  The only header that knows libcrypto.
 */
#ifndef MIGSAFE_EXT_DIGEST_H
#define MIGSAFE_EXT_DIGEST_H

#include "base/arena.h"
#include "base/err.h"

/* 64 hex digits, lower case, of bytes in memory. */
char *digest_sha256(struct arena *a, const void *bytes, size_t n) RETURNS_NONNULL;

/* Of a file, read in pieces: any size.  ERR_SYSTEM, ERR_NOT_FOUND. */
MUST_CHECK bool digest_file(struct arena *a, const char *path, char **hex, struct err *e);

/* A SHA-256 that grows. */
struct digest;
void digest_close(struct digest *d); /* accepts NULL */
DEFINE_AUTO(digest, struct digest *, digest_close);
struct digest *digest_open(void) RETURNS_NONNULL;
void digest_add(struct digest *d, const void *bytes, size_t n);
/* Of all that was added, as 64 hex digits; nothing can be added then. */
void digest_end(struct digest *d, char hex[65]);

/* HMAC-SHA256 in base64. */
char *digest_hmac(struct arena *a, const void *key, size_t key_length, const void *bytes, size_t n)
    RETURNS_NONNULL;

/* NULL when text is not base64 with its padding. */
unsigned char *digest_from_base64(struct arena *a, const char *text, size_t *length);

#endif
