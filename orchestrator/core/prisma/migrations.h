/*
 * migrations.h - the migrations folder, as `migrate deploy` reads it.
 *
 * Every real folder below it is a migration (links are not), in the order of
 * Prisma >= 6.6 (localeCompare, which for the usual names is byte order).
 */
#ifndef MIGSAFE_CORE_PRISMA_MIGRATIONS_H
#define MIGSAFE_CORE_PRISMA_MIGRATIONS_H

#include "base/str.h"

struct migration {
    const char *name;     /* of the folder */
    const char *path;     /* of migration.sql */
    const char *sql;      /* its text; NULL when there is no migration.sql (P3015 when reached) */
    size_t length;        /* bytes of sql */
    const char *checksum; /* SHA-256, hex, as Prisma stores it; NULL without sql */
};

struct migration_list {
    struct migration *items;
    size_t count;
};

/* ERR_NOT_FOUND: no such folder.  ERR_SYSTEM: a script may not be read. */
MUST_CHECK bool migrations_read(struct arena *a, const char *folder, struct migration_list *list,
                                struct err *e);
const struct migration *migration_find(const struct migration_list *list, const char *name);

/* JavaScript's a.localeCompare(b), right for names of ASCII characters: punctuation, digits,
 * letters; capitals count only where nothing else differs, small before capital.  Other characters
 * follow in byte order. */
int migration_order(const char *a, const char *b);

/* Is the file what the ledger's checksum was made of?  True for the file as it is, with CRLF as LF,
 * with LF as CRLF, without its `-- migsafe: allow` lines; old short checksums (hex without leading
 * zeros per byte) too. */
bool migration_matches(const struct migration *m, const char *checksum);

#endif
