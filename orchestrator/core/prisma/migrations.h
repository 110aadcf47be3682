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
    const char *checksum; /* SHA-256 of the file, hex; what Prisma stores */
};

struct migration_list {
    struct migration *items;
    size_t count;
};

/* ERR_NOT_FOUND: no such folder. */
MUST_CHECK bool migrations_read(struct arena *a, const char *folder, struct migration_list *list,
                                struct err *e);
const struct migration *migration_find(const struct migration_list *list, const char *name);

/* Is the file what the ledger's checksum was made of?  True for the file as it is, with CRLF as LF,
 * with LF as CRLF, without its `-- migsafe: allow` lines; old short checksums (hex without leading
 * zeros per byte) too. */
bool migration_matches(const struct migration *m, const char *checksum);

#endif
