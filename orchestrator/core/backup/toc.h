/*
 * toc.h - the table of contents (toc.dat) of a pg_dump directory archive: read, added to,
 * written.
 *
 * Formats 1.14 (pg_dump 12 to 15), 1.15 (16) and 1.16 (17, 18) as pg_backup_archiver.c has
 * them (WriteHead, WriteToc, ReadToc).  The reader checks every length against the file;
 * the writer gives back what was read byte for byte, and toc_read_checked proves that of
 * each archive before anything is added to it.
 */
#ifndef MIGSAFE_CORE_BACKUP_TOC_H
#define MIGSAFE_CORE_BACKUP_TOC_H

#include "base/str.h"

enum toc_section { TOC_NONE = 1, TOC_PRE_DATA, TOC_DATA, TOC_POST_DATA };

/* Texts are NULL where the archive has none. */
struct toc_entry {
    int64_t dump_id;
    bool has_data;               /* hadDumper: the entry has a data file */
    const char *table_oid, *oid; /* catalog's; "0" when it has none, as NULL is written */
    const char *tag, *type, *schema, *tablespace, *access_method, *owner;
    const char *definition, *drop, *copy;
    int64_t relkind;         /* 1.16 */
    const char *with_oids;   /* always "false", as NULL is written */
    const char **depend_ids; /* decimal dump ids */
    size_t depend_count;
    int64_t depends;  /* the first of them; 0: none; not written */
    const char *file; /* as written: without .gz; "" or NULL: none */
    enum toc_section section;
};

enum toc_compression { TOC_PLAIN, TOC_GZIP, TOC_LZ4, TOC_ZSTD };

struct toc {
    int minor, revision; /* 1.minor.revision of the format */
    int64_t compression; /* 1.14: the level, -1 default, 0 none; later: enum toc_compression */
    int64_t made_at[7];
    const char *database, *server_version, *tool_version;
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

/* The bytes of a toc.dat. */
void toc_format(struct arena *a, const struct toc *toc, const char **bytes, size_t *n);
/* Reads folder's toc.dat and tells whether writing it again would give the same bytes.
 * ERR_DAMAGED says at which byte not. */
MUST_CHECK bool toc_read_checked(struct arena *a, const char *folder, struct toc *toc,
                                 struct err *e);
MUST_CHECK bool toc_write(struct arena *a, const char *folder, const struct toc *toc,
                          struct err *e);
/* Says how data files are packed, in the form that the format has.  1.14 knows a level of gzip
 * only: other kinds are "packed" there, and its pg_restore does not read them. */
void toc_set_compression(struct toc *toc, enum toc_compression how, int level);
/* Does it say that backslashes in plain strings are escapes (standard_conforming_strings off)? */
bool toc_old_strings(const struct toc *toc);
/* The database itself, its comment, rights or settings. */
bool toc_is_of_database(const struct toc_entry *entry);
/* Of which database it says it is.  What else it tells of the database that stood for that one (its
 * comment, rights and settings) goes. */
void toc_set_database(struct arena *a, struct toc *toc, const char *name, const char *owner);
/* Greater than every dump id and every id depended on. */
int64_t toc_next_id(const struct toc *toc);
/* Puts entries (of section DATA) before the first of section POST_DATA: a serial restore goes in
 * this order. */
void toc_insert(struct arena *a, struct toc *toc, const struct toc_entry *entries, size_t count);

/* The state in "SELECT pg_catalog.setval('public.s', 5, true);", what a SEQUENCE SET entry does. */
MUST_CHECK bool toc_sequence(const struct toc_entry *entry, int64_t *last_value, bool *is_called,
                             struct err *e);

#endif
