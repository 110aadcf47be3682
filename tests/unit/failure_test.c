#include "core/prisma/failure.h"

#include "core/prisma/printed.h"

#include "tap.h"

static struct failure failed(struct arena *a, const char *out, const char *err)
{
    return failure_classify(a, &(struct prisma_end){.exit_status = 1, .out = out, .err = err});
}

#define P3018(state, text)                                                                         \
    "Error: P3018\n\nA migration failed to apply. New migrations cannot be applied before the "    \
    "error is recovered from. Read more about how to resolve migration issues in a production "    \
    "database: https://pris.ly/d/migrate-resolve\n\nMigration name: 20240115_x\n\nDatabase error " \
    "code: " state "\n\nDatabase error:\n" text "\n\nDbError { severity: \"ERROR\", "              \
    "parsed_severity: Some(Error), code: SqlState(E" state "), message: \"m\" }\n\n"

static const char begun[] = "1 migration found in prisma/migrations\n\n"
                            "Applying migration `20240101_a`\nApplying migration `20240115_x`\n";

TEST(success_needs_status_and_words)
{
    AUTO(arena) struct arena *a = arena_new();
    struct prisma_end end = {.out = "\n\033[32mAll migrations have been successfully "
                                    "applied.\033[39m\n"};
    CHECK(failure_classify(a, &end).class == FAILURE_NONE);
    end.out = "3 migrations found in prisma/migrations\n\n\nNo pending migrations to apply.\n";
    CHECK(failure_classify(a, &end).class == FAILURE_NONE);
    CHECK(failure_success_line(end.out) && !failure_success_line("") &&
          !failure_success_line(NULL));
    CHECK(!failure_success_line("> No pending migrations to apply. (he said)\n"));

    end.exit_status = 1;
    struct failure f = failure_classify(a, &end);
    CHECK(f.class == FAILURE_UNKNOWN);
    CHECK_STR(f.message, "Prisma said that it had finished, but ended with status 1");
}

TEST(engine_death_with_status_0_is_no_success)
{
    AUTO(arena) struct arena *a = arena_new();
    struct failure f = failure_classify(
        a,
        &(struct prisma_end){.out = begun, .err = "Loaded Prisma config from prisma.config.ts.\n"});
    CHECK(f.class == FAILURE_UNKNOWN);
    CHECK_STR(f.message, "Prisma ended with status 0 but did not say that it had finished");
    CHECK_STR(f.migration, "20240115_x");
}

TEST(killed_and_timed_out_are_unknown_unless_an_error_was_printed)
{
    AUTO(arena) struct arena *a = arena_new();
    struct prisma_end end = {.exit_status = 137, .signal = 9, .out = begun, .err = ""};
    struct failure f = failure_classify(a, &end);
    CHECK(f.class == FAILURE_UNKNOWN);
    CHECK_STR(f.message, "Prisma was ended by signal 9");
    CHECK_STR(f.migration, "20240115_x");

    end.timed_out = true;
    end.err = "some library wants to be upgraded\n";
    CHECK_STR(failure_classify(a, &end).message, "Prisma was stopped at the time limit");
    end.err = P3018("40P01", "ERROR: deadlock detected");
    f = failure_classify(a, &end);
    CHECK(f.class == FAILURE_TRANSIENT);
    CHECK_STR(f.message, "ERROR: deadlock detected");

    f = failure_classify(a, &(struct prisma_end){.exit_status = 143, .out = NULL, .err = NULL});
    CHECK(f.class == FAILURE_UNKNOWN);
    CHECK_STR(f.message, "Prisma ended with status 143 and printed no error");
    CHECK_STR(f.migration, "");
}

TEST(p3018_is_judged_by_its_sqlstate)
{
    AUTO(arena) struct arena *a = arena_new();
    struct failure f =
        failed(a, begun, P3018("55P03", "ERROR: canceling statement due to lock timeout"));
    CHECK(f.class == FAILURE_TRANSIENT && f.lock_timeout);
    CHECK_STR(f.code, "P3018");
    CHECK_STR(f.sqlstate, "55P03");
    CHECK_STR(f.migration, "20240115_x");
    CHECK_STR(f.message, "ERROR: canceling statement due to lock timeout");

    static const char *const transient[] = {
        P3018("40001", "ERROR: a"), P3018("40P01", "ERROR: a"), P3018("55006", "ERROR: a"),
        P3018("57014", "ERROR: a"), P3018("57P01", "FATAL: a"), P3018("57P02", "FATAL: a"),
        P3018("57P03", "FATAL: a"), P3018("57P05", "FATAL: a"), P3018("25P03", "FATAL: a"),
        P3018("25P04", "FATAL: a"), P3018("53300", "FATAL: a"), P3018("53200", "ERROR: a"),
        P3018("08000", "ERROR: a"), P3018("08006", "ERROR: a"), P3018("40003", "ERROR: a")};
    static const char *const permanent[] = {
        P3018("42601", "ERROR: a"), P3018("42P07", "ERROR: a"), P3018("23505", "ERROR: a"),
        P3018("23502", "ERROR: a"), P3018("22P02", "ERROR: a"), P3018("25001", "ERROR: a"),
        P3018("25P02", "ERROR: a"), P3018("25006", "ERROR: a"), P3018("53100", "ERROR: a"),
        P3018("P0001", "ERROR: a"), P3018("XX000", "ERROR: a"), P3018("57P04", "FATAL: a"),
        P3018("0A000", "ERROR: a"), P3018("2BP01", "ERROR: a"), P3018("42501", "ERROR: a")};
    for (size_t i = 0; i < ARRAY_LEN(transient); i++) {
        f = failed(a, begun, transient[i]);
        CHECK(f.class == FAILURE_TRANSIENT && !f.lock_timeout);
    }
    for (size_t i = 0; i < ARRAY_LEN(permanent); i++)
        CHECK(failed(a, begun, permanent[i]).class == FAILURE_PERMANENT);
    f = failed(a, begun, P3018("none", "ERROR: no state at all"));
    CHECK(f.class == FAILURE_PERMANENT);
    CHECK_STR(f.sqlstate, "");
}

TEST(prisma_codes_have_classes)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct {
        const char *code;
        enum failure_class class;
    } rows[] = {
        {"P1000", FAILURE_PERMANENT}, {"P1001", FAILURE_BEFORE},    {"P1002", FAILURE_BEFORE},
        {"P1003", FAILURE_PERMANENT}, {"P1008", FAILURE_TRANSIENT}, {"P1009", FAILURE_BEFORE},
        {"P1010", FAILURE_PERMANENT}, {"P1011", FAILURE_PERMANENT}, {"P1012", FAILURE_PERMANENT},
        {"P1013", FAILURE_PERMANENT}, {"P1014", FAILURE_PERMANENT}, {"P1017", FAILURE_TRANSIENT},
        {"P2024", FAILURE_TRANSIENT}, {"P2034", FAILURE_TRANSIENT}, {"P2037", FAILURE_BEFORE},
        {"P3005", FAILURE_PERMANENT}, {"P3009", FAILURE_PERMANENT}, {"P3015", FAILURE_PERMANENT},
        {"P3019", FAILURE_PERMANENT}, {"P3024", FAILURE_PERMANENT}, {"P4002", FAILURE_PERMANENT},
        {"P6008", FAILURE_BEFORE},    {"P7777", FAILURE_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct failure f = failed(a, "", arena_printf(a, "Error: %s: words\n\nmore", rows[i].code));
        CHECK(f.class == rows[i].class);
        CHECK_STR(f.code, rows[i].code);
        CHECK_STR(f.message, "words");
        f = failed(a, "", arena_printf(a, "Error: %s\n\nwords\n\nmore", rows[i].code));
        CHECK(f.class == rows[i].class);
        CHECK_STR(f.message, "words");
    }
}

TEST(a_connection_lost_in_the_middle_is_not_before)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char lost[] = "Error: P1001: Can't reach database server at `h:5432`\n\nPlease";
    struct failure f = failed(a, "", lost);
    CHECK(f.class == FAILURE_BEFORE);
    CHECK_STR(f.message, "Can't reach database server at `h:5432`");
    CHECK(failed(a, begun, lost).class == FAILURE_TRANSIENT);
}

TEST(the_advisory_lock_is_named)
{
    AUTO(arena) struct arena *a = arena_new();
    struct failure f = failed(
        a, "",
        "Error: P1002\n\nThe database server was reached but timed out.\n\nPlease try again."
        "\n\nPlease make sure your database server is running at `h:5432`.\n\nContext: Timed "
        "out trying to acquire a postgres advisory lock (SELECT pg_advisory_lock(72707369)). "
        "Timeout: 10000ms. See https://pris.ly/d/migrate-advisory-locking for details.\n");
    CHECK(f.class == FAILURE_BEFORE && f.lock_timeout);
    CHECK(strstr(f.message, "reached but timed out. Context: Timed out trying to acquire") != NULL);
}

TEST(p3009_names_its_migration)
{
    AUTO(arena) struct arena *a = arena_new();
    struct failure f = failed(
        a, "2 migrations found in prisma/migrations\n",
        "Error: P3009\n\nmigrate found failed migrations in the target database, new migrations "
        "will "
        "not be applied. Read more about how to resolve migration issues in a production database: "
        "https://pris.ly/d/migrate-resolve\nThe `20240115_x` migration started at 2026-11-21 "
        "01:02:03.000004 UTC failed\n\n");
    CHECK(f.class == FAILURE_PERMANENT);
    CHECK_STR(f.migration, "20240115_x");
    CHECK_STR(f.message, "migrate found failed migrations in the target database, new migrations "
                         "will not be applied. The `20240115_x` migration started at 2026-11-21 "
                         "01:02:03.000004 UTC failed");
}

TEST(the_log_of_an_earlier_failure_is_not_this_one)
{
    AUTO(arena) struct arena *a = arena_new();
    struct failure f = failed(
        a, "",
        "Error: P3009\n\nmigrate found failed migrations in the target database, new migrations "
        "will "
        "not be applied.\nThe `20240115_x` migration started at 2026-11-21 UTC failed with the "
        "following logs:\n" P3018("55P03", "ERROR: canceling statement due to lock timeout"));
    CHECK(f.class == FAILURE_PERMANENT && !f.lock_timeout);
    CHECK_STR(f.code, "P3009");
    CHECK_STR(f.sqlstate, "");
    CHECK_STR(f.migration, "20240115_x");
    CHECK(strstr(f.message, "lock timeout") == NULL && str_ends(f.message, "following logs:"));
}

TEST(the_javascript_engine_is_judged_by_its_texts)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct {
        const char *text, *state;
        enum failure_class class;
    } rows[] = {
        {"Transaction write conflict", "", FAILURE_TRANSIENT},
        {"Too many DB connections opened", "53300", FAILURE_TRANSIENT},
        {"No such table: X", "42P01", FAILURE_PERMANENT},
        {"Error accessing result set, column not found: X", "42703", FAILURE_PERMANENT},
        {"Unique constraint failed: X", "23505", FAILURE_PERMANENT},
        {"Null constraint failed: X", "23502", FAILURE_PERMANENT},
        {"Foreign key constraint failed: X", "23503", FAILURE_PERMANENT},
        {"Error in the underlying connector (WASM_ERROR): unknown variant", "", FAILURE_PERMANENT},
        {"Error querying the database: ERROR: canceling statement due to lock timeout", "55P03",
         FAILURE_TRANSIENT},
        {"Error querying the database: ERROR: deadlock detected\nDETAIL: Process 1 waits for ...",
         "40P01", FAILURE_TRANSIENT},
        {"Error querying the database: FATAL: terminating connection due to administrator command",
         "57P01", FAILURE_TRANSIENT},
        {"Error querying the database: ERROR: canceling statement due to user request", "57014",
         FAILURE_TRANSIENT},
        {"Error querying the database: ERROR: canceling statement due to statement timeout",
         "57014", FAILURE_TRANSIENT},
        {"Error querying the database: ERROR: cannot execute CREATE TABLE in a read-only "
         "transaction",
         "25006", FAILURE_PERMANENT},
        {"Error querying the database: ERROR: column \"x\" of relation \"y\" already exists", "",
         FAILURE_PERMANENT},
        {"Error querying the database: ERROR: division by zero", "", FAILURE_PERMANENT},
        {"Server has closed the connection.", "", FAILURE_TRANSIENT},
        {"Connection terminated unexpectedly", "", FAILURE_TRANSIENT},
        {"something nobody has seen", "", FAILURE_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct failure f =
            failed(a, "",
                   arena_printf(a,
                                "Error: external connector error\n%s\n   0: sql_schema_connector::"
                                "flavour::postgres::apply\n             at a.rs:1\n",
                                rows[i].text));
        CHECK(f.class == rows[i].class);
        CHECK_STR(f.sqlstate, rows[i].state);
        CHECK_STR(f.code, "");
        CHECK(strstr(f.message, "0: sql") == NULL && strstr(f.message, "Error querying") == NULL);
        CHECK(f.lock_timeout == (strcmp(rows[i].state, "55P03") == 0));
    }
    struct failure f =
        failed(a, "", "Error: Can't reach database server at `h:5432`\n\nPlease make");
    CHECK(f.class == FAILURE_BEFORE);
}

TEST(errors_without_a_code_are_read)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct {
        const char *err, *message;
        enum failure_class class;
    } rows[] = {
        {"Error: ERROR: current transaction is aborted, commands ignored until end of transaction "
         "block\n   0: sql_schema_connector::x\n",
         "ERROR: current transaction is aborted, commands ignored until end of transaction block",
         FAILURE_PERMANENT},
        {"Error: ERROR: permission denied for schema public\n   0: sql_schema_connector::x\n",
         "ERROR: permission denied for schema public", FAILURE_PERMANENT},
        {"Error: Schema engine error:\nFATAL: the database system is starting up\n",
         "FATAL: the database system is starting up", FAILURE_BEFORE},
        {"Error: Error in Schema engine.\nReason: [/a/b.rs:12] called `Option::unwrap()`\n",
         "Error in Schema engine. Reason: [/a/b.rs:12] called `Option::unwrap()`", FAILURE_UNKNOWN},
        {"Error: request to https://binaries.prisma.sh/all_commits/x/schema-engine.gz failed, "
         "reason: "
         "getaddrinfo ENOTFOUND\n",
         "request to https://binaries.prisma.sh/all_commits/x/schema-engine.gz failed, reason: "
         "getaddrinfo ENOTFOUND",
         FAILURE_BEFORE},
        {"Failed to load config file \"/app\" as a TypeScript/JavaScript module. Error: "
         "PrismaConfigEnvError: Cannot resolve environment variable: DATABASE_URL.\n",
         "Failed to load config file \"/app\" as a TypeScript/JavaScript module. Error: "
         "PrismaConfigEnvError: Cannot resolve environment variable: DATABASE_URL.",
         FAILURE_PERMANENT},
        {"Loaded Prisma config from prisma.config.ts.\n\nError: The datasource.url property is "
         "required "
         "in your Prisma config file when using prisma migrate deploy.\n",
         "The datasource.url property is required in your Prisma config file when using prisma "
         "migrate deploy.",
         FAILURE_PERMANENT},
        {"Error: Prisma schema validation - (get-config wasm)\nError code: "
         "P1012\n\033[1;91merror\033[0m:"
         " \033[1mEnvironment variable not found: DATABASE_URL.\033[0m\n  \033[1;94m-->\033[0m  "
         "schema.prisma:10\n\033[1;94m   | \033[0m\n",
         "Environment variable not found: DATABASE_URL.", FAILURE_PERMANENT},
        {"node:internal/modules/cjs/loader:1228\n  throw err;\n  ^\n\nError: Cannot find module "
         "'pg'\n"
         "Require stack:\n- /app/x.js\n    at Module.load (node:internal)\n",
         "Cannot find module 'pg' Require stack: - /app/x.js", FAILURE_PERMANENT},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct failure f = failed(a, "", rows[i].err);
        CHECK_STR(f.message, rows[i].message);
        CHECK(f.class == rows[i].class);
    }
    CHECK_STR(failed(a, "", rows[7].err).code, "P1012");
    CHECK_STR(failed(a, begun, rows[0].err).migration, "20240115_x");
    CHECK_STR(failed(a, begun, rows[0].err).sqlstate, "25P02");
}

TEST(colours_are_taken_out)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(printed_plain(a, "\033[1m  1\033[1;31m CREATE\033[0m\r\nx\033[\033"),
              "  1 CREATE\nx");
    struct failure f = failed(a, "", "\033[1;91mError: \033[39mP1001: Can't reach\n");
    CHECK_STR(f.code, "P1001");
    f = failed(a, begun,
               P3018("42601", "ERROR: syntax error at or near \"FOO\"\n\nPosition:\n"
                              "\033[1m  0\033[0m\n\033[1m  1\033[1;31m CREATE FOO\033[0m"));
    CHECK_STR(f.message, "ERROR: syntax error at or near \"FOO\"");
}

TEST(the_printed_target_is_found)
{
    AUTO(arena) struct arena *a = arena_new();
    struct printed p = printed_read(
        a,
        "Prisma schema loaded from prisma/schema.prisma\nDatasource \"db\": PostgreSQL database "
        "\"app\", schema \"public\" at \"localhost:5432\"\n\n1 migration found",
        "");
    CHECK_STR(p.database, "app");
    CHECK_STR(p.location, "localhost:5432");
    p = printed_read(
        a, "Datasource \"db\": PostgreSQL database \"app\", schemas \"a, b\" at \"h\"\n", "");
    CHECK_STR(p.location, "h");
    p = printed_read(a, "Datasource \"db\": PostgreSQL database using driver adapter \"x\"\n", "");
    CHECK(p.database == NULL && p.location == NULL);
    p = printed_read(a, NULL, NULL);
    CHECK(p.database == NULL && !p.success);
}

TEST(classes_have_names)
{
    CHECK_STR(failure_class_name(FAILURE_TRANSIENT), "transient");
    CHECK_STR(failure_class_name(FAILURE_UNKNOWN), "unknown");
}
