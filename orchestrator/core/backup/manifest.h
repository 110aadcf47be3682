/*
 * manifest.h - what a backup folder says of itself: manifest.json, format 1.
 *
 * Written last (aside, fsync, rename, fsync of the folder): a folder without it
 * is not a backup.  Reading is strict: a missing key, a wrong type, a file name
 * with a slash, or somebody else's JSON is damage; a newer format is refused
 * clearly; keys that are unknown are not looked at.
 *
 * tables holds ordinary tables (partitions too, their parents not: these have no
 * rows of their own), temporary ones and members of extensions left out.  Rows
 * are those of the table itself: SELECT count(*) FROM ONLY.
 */
#ifndef MIGSAFE_CORE_BACKUP_MANIFEST_H
#define MIGSAFE_CORE_BACKUP_MANIFEST_H

#include "core/prisma/ledger.h"
#include "core/schema/database.h"
#include "ext/json.h"

enum { MANIFEST_FORMAT = 1 };

struct manifest_column {
    const char *name, *type;
    int64_t values; /* how many are not NULL */
    bool generated; /* not in the data file: the server computes it */
    /* Of a composite type, or of an array or domain of one, "name type, name type"; or NULL: it has
     * none, or an older migsafe took the backup. */
    const char *fields;
};

struct manifest_table {
    const char *schema, *name;
    const char *oid; /* a rename keeps it; NULL in backups from before it was written down */
    struct manifest_column *columns;
    size_t column_count;
    int64_t rows;              /* in the snapshot */
    int64_t bytes;             /* of its data file; -1: none of its own */
    const char *file, *sha256; /* below the folder; NULL: none */
    /* offsets in the file at which a member (gzip) or frame (zstd) begins that begins a row, about
     * every 64 MiB of text: a reader may start there; the first is 0 */
    int64_t *members;
    size_t member_count;
    /* Optional keys, absent in backups from before the own engine: */
    int64_t text_bytes;  /* of COPY text, the end mark left out; -1: not known */
    const char *content; /* 16 hex digits: the sum of XXH3-64 of each row's text with its line
                          * end, modulo 2^64: the same for the same rows in any order; or NULL */
    const char *load_root_schema, *load_root_name; /* load through this partitioned table: the
                                                    * rows' own place may differ after a restore
                                                    * (hash partitions of an enum); or NULL */
    const char *extension, *condition; /* of configuration_tables: whose, and its WHERE; or NULL */
    /* the server's counters near the snapshot (pg_stat_user_tables): what others wrote since */
    int64_t inserted, updated, deleted;
};

struct manifest_sequence {
    const char *schema, *name;
    int64_t last_value;
    bool is_called;
};

struct manifest_file { /* every file but manifest.json and SHA256SUMS */
    const char *name, *sha256;
    int64_t bytes;
};

struct manifest_check { /* one verification of the backup; result: "ok", or what was wrong */
    const char *level, *at, *result;
};

struct manifest {
    const char *id, *kind, *reason, *label, *run; /* label, run: NULL when none */
    bool pinned;
    const char *started_at, *finished_at;
    struct database_facts database;
    const char *server_version, *tool_version, *migsafe_version;
    const char *snapshot, *lsn, *snapshot_xmax; /* xmax: transactions from it on came after */
    const char *git_commit, *git_branch;        /* NULL outside a repository */
    bool git_dirty;
    struct ledgers ledgers;
    struct manifest_table *tables;
    size_t table_count;
    struct manifest_sequence *sequences;
    size_t sequence_count;
    struct manifest_file *files;
    size_t file_count;
    int64_t large_objects, bytes; /* bytes: of all files */
    /* Optional keys: */
    struct manifest_table *configuration_tables; /* of extensions, the rows that a user put in */
    size_t configuration_count;
    const char *compression;   /* "gzip:1", "zstd:3", "none"; NULL: gzip by pg_dump */
    const char *data_encoding; /* of the data files; NULL: the database's */
    const char *lc_monetary;   /* in which the data files have money; NULL: not known */
    const char *server;        /* its identity (sql/server_identity.sql); NULL: not known */
    const char *not_stock;     /* why pg_restore alone cannot restore it as it is ("unzstd *.dat.zst
                                * first"), or NULL: it can */
    struct manifest_check *verified;
    size_t verified_count;
};

/* ERR_DAMAGED (unreadable, foreign, newer format) with path and key; ERR_NOT_FOUND. */
MUST_CHECK bool manifest_read(struct arena *a, const char *folder, struct manifest *m,
                              struct err *e);
MUST_CHECK bool manifest_write(struct arena *a, const char *folder, const struct manifest *m,
                               struct err *e);
struct json *manifest_json(const struct manifest *m) RETURNS_NONNULL; /* caller owns */
/* In which the data files have money, by the database's settings where the key is lacking; or NULL.
 */
const char *manifest_lc_monetary(const struct manifest *m);
int64_t manifest_rows(const struct manifest *m); /* of all tables */
const struct manifest_table *manifest_table_find(const struct manifest *m, const char *schema,
                                                 const char *name);

#endif
