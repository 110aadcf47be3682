/*
 * checksum.h - what Prisma stores of a migration's script, and whether a script is still the one.
 */
#ifndef MIGSAFE_CORE_PRISMA_CHECKSUM_H
#define MIGSAFE_CORE_PRISMA_CHECKSUM_H

#include "base/arena.h"

/* SHA-256 in hex.  Node reads the script as UTF-8, so bytes that are none count as U+FFFD. */
char *script_checksum(struct arena *a, const char *script, size_t length) RETURNS_NONNULL;

/* As Prisma compares (the script as it is, CRLF as LF, LF as CRLF; old checksums without leading
 * zeros per byte), and each of these also without the script's `-- migsafe: allow` lines. */
bool script_checksum_matches(const char *script, size_t length, const char *checksum);

#endif
