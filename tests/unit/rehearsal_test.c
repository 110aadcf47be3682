#include "core/connection/connection.h"
#include "core/rehearsal/measure.h"
#include "core/rehearsal/outlook.h"
#include "core/rehearsal/reach.h"

#include "tap.h"

TEST(a_url_to_another_database)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(connection_url_to(a, "postgresql://u:p@h:5432/app?schema=s&x=1#f", "b c"),
              "postgresql://u:p@h:5432/b%20c?schema=s&x=1#f");
    CHECK_STR(connection_url_to(a, " postgres://u@h/app\n", "x"), "postgres://u@h/x");
    CHECK_STR(connection_url_to(a, "postgresql://h?host=/tmp", "x"), "postgresql://h/x?host=/tmp");
}

static const struct {
    const char *sql, *found;
} cases[] = {
    {"CREATE TABLE t (a int);", NULL},
    {"create  role x;", "CREATE ROLE"},
    {"ALTER TABLE t ADD a int; ALTER SYSTEM SET x = 1", "ALTER SYSTEM"},
    {"DO $$ BEGIN EXECUTE 'CREATE /* */ ROLE x'; END $$", NULL},
    {"DO $$ BEGIN EXECUTE 'CREATE ROLE x'; END $$", "CREATE ROLE"},
    {"-- CREATE ROLE x\nSELECT 1", NULL},
    {"  /* CREATE\nROLE x */ SELECT 1", NULL},
    {"SELECT 'a -- b'; CREATE USER x", "CREATE USER"},
    {"CREATE USER MAPPING FOR x SERVER s", NULL},
    {"COMMENT ON DATABASE app IS 'x'", "ON DATABASE"},
    {"alter\ndatabase app SET work_mem = '1MB'", "ALTER DATABASE"},
    {"GRANT SELECT ON t TO x", NULL},
    {"GRANT a, b TO x", "GRANT of a role"},
    {"REVOKE a FROM x", "GRANT of a role"},
    {"REVOKE ALL ON t FROM x", NULL},
    {"SELECT public.dblink_exec('x')", "public.dblink_exec()"},
    {"CREATE TABLE http_log (a int)", NULL},
    {"SELECT http_get ('x')", "http_get()"},
    {"SELECT net.http_post('x')", "net.http_post()"},
    {"COPY t FROM PROGRAM 'x'", "FROM PROGRAM"},
    {"CREATE TABLE \"create\" (\"role\" text)", NULL},
    {"", NULL},
};

TEST(what_reaches_past_the_copy)
{
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *found = reach_of(a, cases[i].sql);
        if (!str_same(found, cases[i].found))
            printf("# %s: %s\n", cases[i].sql, found == NULL ? "nothing" : found);
        CHECK(str_same(found, cases[i].found));
    }
}

static struct rehearsal_outlook_facts plenty(void)
{
    return (struct rehearsal_outlook_facts){.setting = "auto",
                                            .bytes = 1LL << 30,
                                            .free_bytes = 100LL << 30,
                                            .backup_ms = 10000,
                                            .limit_ms = 600000,
                                            .limit_name = "rehearse-limit"};
}

TEST(whether_to_rehearse)
{
    AUTO(arena) struct arena *a = arena_new();
    struct rehearsal_outlook_facts f = plenty();
    struct rehearsal_outlook o = rehearsal_outlook(a, &f);
    CHECK(o.rehearse && o.standby && o.why == NULL);
    CHECK(o.estimated_ms > 30000 && o.estimated_ms < 60000);
    f.limit_ms = 20000;
    o = rehearsal_outlook(a, &f);
    CHECK(!o.rehearse && strstr(o.why, "rehearse-limit") != NULL);
    f.setting = "always"; /* an estimate refuses nothing that is asked for */
    CHECK(rehearsal_outlook(a, &f).rehearse);
    f.setting = "never";
    CHECK(!rehearsal_outlook(a, &f).rehearse);
    f = plenty();
    f.limit_ms = 0;
    f.backup_ms = 1000000;
    CHECK(rehearsal_outlook(a, &f).rehearse);
    f.reaches_past = "CREATE ROLE";
    f.reaching = "m";
    CHECK(!rehearsal_outlook(a, &f).rehearse);
    f.setting = "always";
    CHECK(!rehearsal_outlook(a, &f).rehearse);
    f = plenty();
    f.powerless = "low";
    CHECK_STR(rehearsal_outlook(a, &f).why, "role low may not create databases");
}

TEST(room_for_the_copies)
{
    AUTO(arena) struct arena *a = arena_new();
    struct rehearsal_outlook_facts f = plenty();
    f.free_bytes = 2LL << 30;
    struct rehearsal_outlook o = rehearsal_outlook(a, &f);
    CHECK(o.rehearse && !o.standby && strstr(o.no_standby, "2.0 GB") != NULL);
    f.free_bytes = 1LL << 30;
    CHECK(!rehearsal_outlook(a, &f).rehearse);
    f.setting = "always"; /* seen to be too small */
    CHECK(!rehearsal_outlook(a, &f).rehearse);
    f = plenty();
    f.free_bytes = -1;
    o = rehearsal_outlook(a, &f);
    CHECK(o.rehearse && o.standby);
    f.bytes = OUTLOOK_UNSEEN_COPY + 1;
    o = rehearsal_outlook(a, &f);
    CHECK(o.rehearse && !o.standby);
    f.bytes = OUTLOOK_UNSEEN_RESTORE + 1;
    CHECK(!rehearsal_outlook(a, &f).rehearse);
    f.setting = "always";
    CHECK(rehearsal_outlook(a, &f).rehearse);
    f.bytes = -1;
    f.setting = "auto";
    CHECK(!rehearsal_outlook(a, &f).rehearse);
}

TEST(locks_of_several_holders)
{
    AUTO(arena) struct arena *a = arena_new();
    struct measured_relation relations[] = {
        {.oid = 10, .name = "public.a", .bare = "a"},
        {.oid = 20, .name = "public.b", .bare = "b"},
        {.oid = 30, .name = "public._prisma_migrations", .bare = "_prisma_migrations"},
    };
    struct sampled_lock seen[] = {
        {.relation = 10, .mode = "AccessExclusiveLock", .first_ms = 100, .last_ms = 150},
        {.relation = 10, .mode = "AccessExclusiveLock", .first_ms = 200, .last_ms = 290},
        {.relation = 20, .mode = "RowExclusiveLock", .first_ms = 100, .last_ms = 900},
        {.relation = 20, .mode = "ShareLock", .first_ms = 100, .last_ms = 110},
        {.relation = 30, .mode = "AccessExclusiveLock", .first_ms = 0, .last_ms = 5000},
        {.relation = 40, .mode = "AccessExclusiveLock", .first_ms = 0, .last_ms = 5000},
    };
    struct rehearsal r = {0};
    measure_locks(a, &(struct measured_relations){relations, ARRAY_LEN(relations)},
                  &(struct sampled){seen, ARRAY_LEN(seen), 90, 12}, &r);
    CHECK(r.lock_count == 3); /* not Prisma's ledger, not what was not there before */
    CHECK_STR(r.locks[0].table, "public.b");
    CHECK(r.locks[0].held_ms == 800 && !r.locks[0].blocks_writes);
    CHECK_STR(r.locks[1].mode, "AccessExclusiveLock");
    CHECK(r.locks[1].held_ms == 90 && r.locks[1].blocks_reads);
    CHECK(r.locks[2].blocks_writes && !r.locks[2].blocks_reads);
    CHECK(r.blocking_ms == 90 && r.sample_ms == 12);
}

TEST(times_of_the_ledger)
{
    AUTO(arena) struct arena *a = arena_new();
    struct ledger_row rows[] = {
        {.name = "old", .started_at = "2026-01-01T00:00:00.000000Z"},
        {.name = "a",
         .started_at = "2026-01-01T00:00:00.900000Z",
         .finished_at = "2026-01-01T00:00:02.150000Z"},
        {.name = "b", .started_at = "2026-01-01T00:00:02.000000Z"},
    };
    struct strlist wanted = strlist_on(a);
    strlist_add(&wanted, "a");
    strlist_add(&wanted, "b");
    struct rehearsal r = {0};
    measure_migrations(a, &(struct ledger){.rows = rows, .count = ARRAY_LEN(rows)}, &wanted, &r);
    CHECK(r.migration_count == 1 && r.migrations[0].elapsed_ms == 1250);
}

TEST(a_rehearsal_read_back)
{
    AUTO(arena) struct arena *a = arena_new();
    struct rehearsal_lock lock = {"public.a", "ShareLock", 1200, true, false};
    struct rehearsal_table table = {"public.b", 4096, 8192};
    struct rehearsal_migration migration = {"m", 77};
    struct rehearsal r = {.done = true,
                          .restore_ms = 10,
                          .copy_ms = 20,
                          .migrate_ms = 30,
                          .total_ms = 70,
                          .migrations = &migration,
                          .migration_count = 1,
                          .locks = &lock,
                          .lock_count = 1,
                          .rewritten = &table,
                          .rewritten_count = 1,
                          .wal_bytes = 5,
                          .blocking_ms = 1200,
                          .sample_ms = 9};
    AUTO(json) struct json *j = json_object();
    rehearsal_json(&r, j);
    struct rehearsal back = rehearsal_from_json(a, j);
    AUTO(json) struct json *again = json_object();
    rehearsal_json(&back, again);
    CHECK_STR(json_text(a, again), json_text(a, j));
    struct strlist lines = rehearsal_lines(a, &back);
    CHECK_STR(
        strlist_join(&lines, "\n"),
        "ran on a copy for 30 ms: restored in 10 ms, copied in 20 ms; at most 5 bytes of WAL\n"
        "  m: 77 ms\n"
        "writers may have to wait for about 1.2 s in production\n"
        "  public.a: ShareLock for 1.2 s: writers wait\n"
        "rewritten: public.b, 4.0 kB before, 8.0 kB after");
    lines = rehearsal_lines(a, &(struct rehearsal){.why = "no room"});
    CHECK_STR(strlist_join(&lines, "\n"), "not rehearsed: no room");
    struct rehearsal none = rehearsal_from_json(a, NULL);
    CHECK(rehearsal_lines(a, &none).count == 0);
}
