#include "core/report/report.h"

#include "base/fs.h"
#include "base/log.h"

#include "tap.h"

static struct run_report restored(struct arena *a)
{
    struct run_report r = report_new(a, "20261120_194609_ab12", "deploy");
    r.database = "app";
    r.host = "db";
    r.git_commit = "1a2b3c4d5e6f7a8b";
    report_add_migration(&r, "2026_a", "aa");
    report_add_migration(&r, "2026_b", "bb");
    report_add_attempt(&r, &(struct prisma_outcome){
                               .failure = {.class = FAILURE_TRANSIENT,
                                           .code = "P3018",
                                           .sqlstate = "55P03",
                                           .migration = "2026_b",
                                           .message = "canceling statement due to lock timeout"},
                               .blocker = {.pid = 4711,
                                           .application = "worker",
                                           .query = "SELECT 1",
                                           .waiting_statement = "ALTER TABLE t",
                                           .waited_ms = 5000},
                               .elapsed_ms = 5100});
    report_add_backup(&r, &(struct report_backup){.id = "app_x_data", .kind = "data"});
    report_add_backup(&r, &(struct report_backup){.id = "app_x_full",
                                                  .kind = "full",
                                                  .path = "/b/app_x_full",
                                                  .bytes = 2048,
                                                  .rows = 1234});
    report_add_step(&r, "backup", "done", 40);
    report_add_step(&r, "migrate", "undone", 6000);
    findings_add(&r.findings, (struct finding){.rule = "drop-table",
                                               .level = FINDING_ERROR,
                                               .target = "public.A",
                                               .message = "table is gone",
                                               .advice = "Look."});
    findings_add(&r.baseline,
                 (struct finding){.rule = "no-primary-key", .target = "public.B", .message = "m"});
    static struct lost_writes lost[] = {
        {.schema = "public", .table = "User", .rows_now = 12, .rows_then = 10, .written = 2},
        {.schema = "public", .table = "_prisma_migrations", .rows_now = 1, .written = 1}};
    static struct lost_rows_table rows[] = {
        {.schema = "public", .table = "User", .inserts = 2, .of_migration = true}};
    report_set_rollback(&r, &(struct rollback_result){.kept = "app__kept",
                                                      .kept_bytes = 4096,
                                                      .swap = {.blocked_ms = 113},
                                                      .lost = lost,
                                                      .lost_count = 2,
                                                      .rows = {.path = "/r/lost-writes.sql.gz",
                                                               .tables = rows,
                                                               .count = 1,
                                                               .note = "no time"}});
    strlist_add(&r.warnings, "the fence was off");
    struct err e = {0};
    err_set(&e, ERR_RESTORED, "migration 2026_b failed");
    err_detail(&e, "It waited.");
    report_end(&r, "restored", 20, &e);
    return r;
}

TEST(a_branch_without_a_commit)
{
    AUTO(arena) struct arena *a = arena_new();
    struct run_report r = restored(a);
    r.git_commit = NULL;
    r.git_branch = "main";
    CHECK(strstr(report_text(a, &r), ", no commit yet of main") != NULL);
}

TEST(tables_that_one_side_lacks_have_no_number_of_rows)
{
    AUTO(arena) struct arena *a = arena_new();
    struct run_report r = restored(a);
    static struct lost_writes lost[] = {
        {.schema = "s", .table = "made", .rows_now = 1, .rows_then = -1, .written = 1},
        {.schema = "s", .table = "gone", .rows_now = -1, .rows_then = 8000, .written = -1}};
    r.lost = lost;
    r.lost_count = 2;
    const char *text = report_text(a, &r);
    CHECK(strstr(text, "  s.made: 1 row written; none in the backup, 1 in the kept database\n"));
    CHECK(strstr(text, "  s.gone: 8 000 in the backup, no such table in the kept database\n"));
    r.lost_rows.path = NULL;
    CHECK(strstr(report_advice(&r), "since the backup (1 table) are only in the kept"));
    lost[0].rows_now = -1;
    CHECK(strstr(report_advice(&r), "only in the kept") == NULL);
}

TEST(report_text_has_all_on_one_screen)
{
    AUTO(arena) struct arena *a = arena_new();
    struct run_report r = restored(a);
    r.started_at = "2026-11-20T19:46:09.123Z";
    r.elapsed_ms = 7000;
    r.migsafe_version = "1";
    CHECK_STR(report_text(a, &r),
              "deploy 20261120_194609_ab12 of app at db: restored (exit 20)\n"
              "2026-11-20 19:46:09 UTC, 7.0 s, commit 1a2b3c4d5e, migsafe 1\n\n"
              "error:\n  migration 2026_b failed\n    detail: It waited.\n\n"
              "migrations:\n  2026_a\n  2026_b\n\n"
              "runs of Prisma:\n"
              "  1: transient after 5.1 s, P3018, SQLSTATE 55P03, in 2026_b\n"
              "    canceling statement due to lock timeout\n"
              "    blocked 5.0 s by pid 4711 (worker): SELECT 1\n"
              "    waiting: ALTER TABLE t\n\n"
              "findings:\n  error: drop-table: public.A: table is gone\n    Look.\n\n"
              "backups:\n  app_x_data (data): 0 bytes, 0 rows\n"
              "  app_x_full (full): 2.0 kB, 1 234 rows\n\n"
              "replaced database, kept:\n"
              "  app__kept, 4.0 kB; newcomers waited 113 ms for the switch\n\n"
              "written since the backup, only in the kept database (the migration's own too):\n"
              "  public.User: 2 rows written; 10 in the backup, 12 in the kept database\n\n"
              "can be brought back:\n"
              "  migsafe replay 20261120_194609_ab12: /r/lost-writes.sql.gz\n"
              "  public.User: 2 inserted, 0 updated, 0 deleted, maybe by the migration\n"
              "  not in it: no time\n\n"
              "warnings:\n  the fence was off\n\n"
              "there before, not counted:\n  1 finding; `migsafe health` lists them\n\n"
              "steps:\n  backup 40 ms, migrate undone 6.0 s\n\n"
              "next: The database is as it was before the run. What others wrote since the backup "
              "is in /r/lost-writes.sql.gz: `migsafe replay 20261120_194609_ab12` shows it and "
              "brings it back. See what stood in the way, then deploy again with --again. When "
              "nobody needs the replaced database "
              "any more: DROP DATABASE \"app__kept\";\n");
}

TEST(report_survives_its_file)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct run_report r = restored(a), back;
    char dir[] = "/tmp/ms-report.XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    CHECK(report_write(a, dir, &r, &e) && report_read(a, dir, r.run, &back, &e));
    AUTO(json) struct json *one = report_json(&r);
    AUTO(json) struct json *two = report_json(&back);
    CHECK_STR(json_pretty(a, two), json_pretty(a, one));
    CHECK_STR(report_text(a, &back), report_text(a, &r));
    CHECK(back.error.kind == ERR_RESTORED && back.exit_status == 20);
    CHECK(!report_read(a, dir, "other", &back, &e) && e.kind == ERR_NOT_FOUND);
    CHECK(!report_read(a, dir, "../x", &back, &e) && e.kind == ERR_NOT_FOUND);
    CHECK(fs_write_atomic(a, fs_join(a, dir, "report.json"), "{}", 2, &e));
    CHECK(!report_read(a, dir, "..", &back, &e) && e.kind == ERR_NOT_FOUND);
    CHECK(fs_remove_tree(a, dir, &e));
}

TEST(damaged_reports_are_refused)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char *const bad[] = {
        "[]", "{}", "{\"format\":2,\"run\":\"x\",\"command\":\"deploy\"}",
        "{\"format\":1,\"run\":3,\"command\":\"deploy\"}", "{\"format\":1,\"run\":\"x\"}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};
        struct run_report r;
        AUTO(json) struct json *j = json_parse(bad[i], strlen(bad[i]), &e);
        CHECK(!report_from_json(a, j, &r, &e) && e.kind == ERR_DAMAGED);
    }
    const char *odd = "{\"format\":1,\"run\":\"x\",\"command\":\"deploy\",\"migrations\":[1,{}],"
                      "\"attempts\":[null],\"backups\":{},\"warnings\":[2],\"steps\":[[]],"
                      "\"lost_writes\":[{}],\"findings\":[1],\"error\":\"?\",\"kept\":7}";
    struct err e = {0};
    struct run_report r;
    AUTO(json) struct json *j = json_parse(odd, strlen(odd), &e);
    CHECK(report_from_json(a, j, &r, &e));
    CHECK(strlen(report_text(a, &r)) > 0 && strlen(report_markdown(a, &r)) > 0);
    AUTO(json) struct json *body = webhook_body(&r);
    CHECK_STR(json_str(body, "event", ""), "deploy.failed");
}

TEST(markdown_escapes_what_others_wrote)
{
    AUTO(arena) struct arena *a = arena_new();
    struct run_report r = report_new(a, "r", "deploy");
    strlist_add(&r.warnings, "<b>|`a_b`\nx");
    report_end(&r, "migrated", 0, NULL);
    const char *text = report_markdown(a, &r);
    CHECK(strstr(text, "- &lt;b>\\|\\`a\\_b\\` x\n") != NULL);
    CHECK(str_starts(text, "## :white_check_mark: deploy r: migrated (exit 0)\n"));
}

TEST(webhook_body_has_every_key)
{
    AUTO(arena) struct arena *a = arena_new();
    struct run_report r = restored(a);
    r.next = "Look.";
    AUTO(json) struct json *body = webhook_body(&r);
    CHECK_STR(
        json_text(a, body),
        "{\"event\":\"deploy.restored\",\"status\":\"failed\",\"verdict\":\"restored\",\"exit\":20,"
        "\"run\":\"20261120_194609_ab12\",\"database\":\"app\",\"host\":\"db\","
        "\"migrations\":[\"2026_a\",\"2026_b\"],\"attempts\":1,\"error\":\"migration 2026_b "
        "failed\",\"backups\":[\"app_x_data\",\"app_x_full\"],\"backup_file\":\"/b/app_x_full\","
        "\"backup_size\":2048,\"kept_database\":\"app__kept\",\"lost_writes\":[{\"table\":"
        "\"public.User\",\"written\":2,\"rows_then\":10,\"rows_now\":12}],\"lost_writes_file\":\"/"
        "r/lost-writes.sql.gz\",\"replay\":\"migsafe replay "
        "20261120_194609_ab12\","
        "\"git_commit\":\"1a2b3c4d5e6f7a8b\",\"next\":\"Look.\"}");
    struct run_report backup = report_new(a, "r", "backup");
    report_end(&backup, NULL, 0, NULL);
    AUTO(json) struct json *small = webhook_body(&backup);
    CHECK_STR(json_str(small, "event", ""), "backup.done");
    CHECK_STR(json_str(small, "status", ""), "success");
    CHECK(json_count(small) == json_count(body));
}

TEST(secrets_do_not_reach_the_report)
{
    AUTO(arena) struct arena *a = arena_new();
    struct err e = {0};
    struct run_report r = report_new(a, "r", "deploy");
    log_secret("hunter2hunter2");
    report_add_attempt(&r, &(struct prisma_outcome){.failure = {.class = FAILURE_PERMANENT,
                                                                .message = "p hunter2hunter2"}});
    err_set(&e, ERR_CONNECT, "no hunter2hunter2");
    err_detail(&e, "hunter2hunter2");
    report_end(&r, "unchanged", 21, &e);
    AUTO(json) struct json *j = report_json(&r);
    CHECK(strstr(json_text(a, j), "hunter2") == NULL && strstr(r.error.message, "***") != NULL);
}

TEST(advice_fits_the_verdict)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct {
        const char *verdict, *words;
        int exit_status;
    } cases[] = {{"migrated", "Nothing.", 0},
                 {"refused", "Nothing was changed.", 10},
                 {"unchanged", "The migrations left nothing behind.", 21},
                 {"restored", "The database is as it was", 20},
                 {"broken", "A person must decide", 22},
                 {NULL, "Mend what the error names", 74}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct run_report r = report_new(a, "r", "deploy");
        report_end(&r, cases[i].verdict, cases[i].exit_status, NULL);
        CHECK(str_starts(r.next, cases[i].words));
    }
    struct run_report r = report_new(a, "r", "deploy");
    strlist_add(&r.warnings, "w");
    report_end(&r, "migrated", 0, NULL);
    CHECK_STR(r.next, "Look at the findings and warnings.");
}

TEST(long_lists_are_cut)
{
    AUTO(arena) struct arena *a = arena_new();
    struct run_report r = report_new(a, "r", "deploy");
    for (int i = 0; i < 50; i++)
        report_add_migration(&r, arena_printf(a, "m%02d", i), "c");
    const char *text = report_text(a, &r);
    CHECK(strstr(text, "m07\n  ... and 42 more\n") != NULL && strstr(text, "m08") == NULL);
    CHECK(r.migrations.count == 50);
}
