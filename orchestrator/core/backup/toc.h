/*
 * toc.h - the table of contents (toc.dat) of a pg_dump directory archive.
 *
 * Formats 1.14 (pg_dump 12 to 15), 1.15 (16) and 1.16 (17, 18); the reader checks
 * every length against the file.
 */
#ifndef MIGSAFE_CORE_BACKUP_TOC_H
#define MIGSAFE_CORE_BACKUP_TOC_H

#include "base/str.h"

enum toc_section { TOC_NONE = 1, TOC_PRE_DATA, TOC_DATA, TOC_POST_DATA };

/* Texts are NULL where the archive has none. */
struct toc_entry {
    int64_t dump_id;
    int64_t depends; /* the first dump_id that it depends on; 0: none */
    const char *oid; /* of the object; "0" when it has none */
    const char *tag, *type, *schema, *owner;
    const char *definition, *copy;
    const char *file; /* as written: without .gz; "" or NULL: none */
    enum toc_section section;
};

struct toc {
    const char *server_version, *tool_version;
    struct toc_entry *entries;
    size_t count;
};

/* Of an archive of any kind, by its first bytes: only the versions.  ERR_DAMAGED. */
MUST_CHECK bool toc_head(struct arena *a, const char *bytes, size_t n, struct toc *toc,
                         struct err *e);

/* ERR_DAMAGED: not an archive's, torn, or of a newer format. */
MUST_CHECK bool toc_parse(struct arena *a, const char *bytes, size_t n, struct toc *toc,
                          struct err *e);
MUST_CHECK bool toc_read(struct arena *a, const char *folder, struct toc *toc, struct err *e);

/* The state in "SELECT pg_catalog.setval('public.s', 5, true);", what a SEQUENCE SET entry does. */
MUST_CHECK bool toc_sequence(const struct toc_entry *entry, int64_t *last_value, bool *is_called,
                             struct err *e);

#endif
