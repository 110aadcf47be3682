/*
 * sample_manifest.h - a manifest with something of everything in it, for unit tests.
 */
#ifndef MIGSAFE_TESTS_SAMPLE_MANIFEST_H
#define MIGSAFE_TESTS_SAMPLE_MANIFEST_H

#include "core/backup/manifest.h"

#define SAMPLE_SUM \
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" /* of "test" */

UNUSED static struct database_facts sample_database(struct arena *a)
{
    struct database_facts f = {.name = "App",
                               .oid = "16384",
                               .owner = "shop owner",
                               .encoding = "UTF8",
                               .collate = "C.UTF-8",
                               .ctype = "C.UTF-8",
                               .locale_provider = "c",
                               .tablespace = "pg_default",
                               .comment = "line one\nline \"two\"",
                               .acl = "{=Tc/app}",
                               .connection_limit = -1,
                               .bytes = 8000000,
                               .settings = strlist_on(a),
                               .role_settings = strlist_on(a),
                               .security_labels = strlist_on(a)};
    strlist_add(&f.settings, "search_path=\"A b\", public");
    strlist_add(&f.settings, "work_mem=64MB");
    strlist_add(&f.role_settings, "reader\nstatement_timeout=5s");
    strlist_add(&f.security_labels, "selinux\nsystem_u:object_r");
    return f;
}

UNUSED static struct manifest sample_manifest(struct arena *a, const char *id, const char *kind)
{
    static struct manifest_column columns[] = {
        {"id", "integer", 3},
        {"odd \"name\"\n", "character varying(20)", 1, false, "\"a b\" text, c integer"}};
    static int64_t members[] = {0, 2};
    static struct manifest_table tables[] = {
        {.schema = "public",
         .name = "User",
         .columns = columns,
         .column_count = ARRAY_LEN(columns),
         .rows = 3,
         .bytes = 4,
         .file = "3001.dat.gz",
         .sha256 = SAMPLE_SUM,
         .members = members,
         .member_count = ARRAY_LEN(members),
         .inserted = 999999999999999,
         .updated = 2,
         .deleted = -1},
        {.schema = "other", .name = "nothing", .rows = 4, .bytes = -1}};
    static struct manifest_sequence sequences[] = {{"public", "User_id_seq", INT64_MAX, true},
                                                   {"public", "down", INT64_MIN, false}};
    static struct manifest_file files[] = {{"3001.dat.gz", SAMPLE_SUM, 4},
                                           {"toc.dat", SAMPLE_SUM, 4}};
    static struct ledger_row rows[] = {{.id = "a-1",
                                        .checksum = "abc",
                                        .name = "20260101_init",
                                        .started_at = "2026-01-01T00:00:00Z",
                                        .finished_at = "2026-01-01T00:00:01Z",
                                        .applied_steps = 1},
                                       {.id = "a-2",
                                        .checksum = "def",
                                        .name = "20260102_more",
                                        .started_at = "2026-01-02T00:00:00Z",
                                        .rolled_back_at = "2026-01-02T00:00:01Z"}};
    static struct ledger ledgers[] = {{"public", rows, ARRAY_LEN(rows)}, {"empty", NULL, 0}};
    static struct manifest_check checks[] = {{"files", "2026-11-20T20:00:00.000Z", "ok"}};
    return (struct manifest){.id = id,
                             .kind = kind,
                             .reason = "pre-deploy",
                             .run = "20261120_194600_beef",
                             .pinned = true,
                             .started_at = "2026-11-20T19:46:09.000Z",
                             .finished_at = "2026-11-20T19:46:10.500Z",
                             .database = sample_database(a),
                             .server_version = "15.14",
                             .tool_version = "15.14",
                             .migsafe_version = "0.1.0",
                             .snapshot = "00000003-0000001B-1",
                             .lsn = "0/1A2B3C4D",
                             .snapshot_xmax = "4294967999",
                             .server = "7710646792409326632",
                             .git_commit = "0123456789abcdef0123456789abcdef01234567",
                             .git_dirty = true,
                             .ledgers = {.items = ledgers, .count = ARRAY_LEN(ledgers)},
                             .tables = tables,
                             .table_count = ARRAY_LEN(tables),
                             .sequences = sequences,
                             .sequence_count = ARRAY_LEN(sequences),
                             .files = files,
                             .file_count = ARRAY_LEN(files),
                             .large_objects = 2,
                             .bytes = 8,
                             .verified = checks,
                             .verified_count = ARRAY_LEN(checks)};
}

#endif
