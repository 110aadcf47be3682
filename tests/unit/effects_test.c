#include "core/prisma/effects.h"

#include "base/fs.h"
#include "ext/sql.h"

#include "tap.h"

/* "rows anything own concurrently path | touched, touched" for one script. */
static const char *said(struct arena *a, const char *sql)
{
    struct effects f = effects_of(a, sql);
    struct str s = str_on(a);
    if (!f.parsed)
        str_item(&s, " ", "unparsed");
    if (f.any_rows)
        str_item(&s, " ", "rows");
    if (f.anything)
        str_item(&s, " ", "anything");
    if (f.own_transaction)
        str_item(&s, " ", "own");
    if (f.concurrently)
        str_item(&s, " ", "alone");
    if (f.any_schema)
        str_item(&s, " ", "path");
    if (f.touched.count > 0)
        str_printf(&s, "|%s", strlist_join(&f.touched, ","));
    return s.text;
}

struct row {
    const char *sql, *want;
};

static void check_rows(const struct row *rows, size_t count)
{
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < count; i++) {
        const char *got = said(a, rows[i].sql);
        if (strcmp(got, rows[i].want) != 0)
            printf("# %s\n", rows[i].sql);
        CHECK_STR(got, rows[i].want);
    }
}

TEST(definitions_leave_rows_alone)
{
    static const struct row rows[] = {
        {"", ""},
        {"-- nothing but a comment\n", ""},
        {"CREATE TABLE \"User\" (\"id\" SERIAL PRIMARY KEY, at timestamptz DEFAULT f())", ""},
        {"ALTER TABLE \"User\" ADD COLUMN \"name\" TEXT", ""},
        {"ALTER TABLE t ADD COLUMN at timestamptz NOT NULL DEFAULT now()", ""},
        {"ALTER TABLE t ADD COLUMN id uuid DEFAULT gen_random_uuid()", ""},
        {"ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN a DROP DEFAULT", ""},
        {"ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES b(id) ON DELETE CASCADE", ""},
        {"ALTER TABLE t DROP CONSTRAINT c, ENABLE ROW LEVEL SECURITY", ""},
        {"ALTER TABLE t RENAME COLUMN a TO b", ""},
        {"ALTER TABLE t RENAME TO u", ""},
        {"CREATE UNIQUE INDEX i ON t (lower(a)) WHERE b > now()", ""},
        {"CREATE TYPE e AS ENUM ('a', 'b'); ALTER TYPE e ADD VALUE 'c'", ""},
        {"DROP INDEX i; DROP VIEW v; DROP TRIGGER g ON t; DROP FUNCTION f(int); DROP TYPE e", ""},
        {"CREATE VIEW v AS SELECT f(a) FROM t", ""},
        {"CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; END $$",
         ""},
        {"CREATE FUNCTION f() RETURNS void BEGIN ATOMIC DELETE FROM t; END", ""},
        {"CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()", ""},
        {"CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM u", ""},
        {"CREATE EXTENSION IF NOT EXISTS pgcrypto; CREATE SCHEMA s; DROP SCHEMA s", ""},
        {"COMMENT ON TABLE t IS 'DELETE FROM t'; GRANT SELECT ON t TO r", ""},
        {"SET lock_timeout = '2s'; SELECT 1; LOCK TABLE t; ANALYZE t", ""},
        {"ALTER SEQUENCE s OWNED BY t.id; CREATE SEQUENCE s2 START 5", ""},
        {"ALTER TABLE t DETACH PARTITION p", ""},
        {"COPY t TO '/tmp/x'", ""},
        {"SELECT pg_advisory_lock(1)", ""},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

TEST(blocks_that_may_commit_in_their_middle)
{
    static const struct {
        const char *sql;
        bool may_commit;
    } rows[] = {
        {"DO $$ BEGIN UPDATE t SET a = 1; COMMIT; UPDATE t SET a = 2; END $$", true},
        {"DO $$ BEGIN Call p(); END $$", true},
        {"DO LANGUAGE plpython3u $$ plpy.commit() $$", true},
        {"CALL p()", true},
        {"SELECT 1; CALL p()", true},
        {"DO $$ BEGIN UPDATE t SET a = 1; END $$", false},
        {"UPDATE t SET a = 'COMMIT; CALL p()'", false},
        {"CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$", false},
        {"no SQL at all", true},
    };
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        CHECK(effects_of(a, rows[i].sql).may_commit == rows[i].may_commit);
}

TEST(writes_are_seen)
{
    static const struct row rows[] = {
        {"INSERT INTO t VALUES (1)", "rows"},
        {"INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "rows"},
        {"INSERT INTO s.t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1", "rows|s.t"},
        {"UPDATE \"User\" SET a = 1", "rows|User"},
        {"DELETE FROM ONLY t USING u WHERE t.id = u.id", "rows|t"},
        {"MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE", "rows|t"},
        {"TRUNCATE a, s.b", "rows|a,s.b"},
        {"TRUNCATE a CASCADE", "rows anything|a"},
        {"DROP TABLE a, \"s\".\"B\" CASCADE", "rows|a,s.B"},
        {"DROP TABLE IF EXISTS db.s.a", "rows|s.a"},
        {"DROP SCHEMA s CASCADE", "rows|s.*"},
        {"DROP OWNED BY r", "rows anything"},
        {"DROP TYPE e CASCADE", "rows anything"},
        {"DROP EXTENSION citext CASCADE", "rows anything"},
        {"DROP EXTENSION x", "rows"},
        {"DROP SEQUENCE s", "rows"},
        {"DROP MATERIALIZED VIEW m", "rows"},
        {"DROP VIEW v CASCADE", "rows"},
        {"ALTER TABLE t ADD COLUMN a int, DROP COLUMN b", "rows|t"},
        {"ALTER TABLE s.t ALTER COLUMN a TYPE int USING a::int", "rows|s.t"},
        {"ALTER TYPE c DROP ATTRIBUTE x", "rows anything|c"},
        {"ALTER TABLE t ALTER COLUMN a RESTART WITH 5", "rows"},
        {"ALTER TABLE t ADD COLUMN a int DEFAULT nextval('q')", "rows"},
        {"ALTER TABLE t ADD COLUMN a text DEFAULT public.my()", "rows"},
        {"ALTER SEQUENCE q RESTART WITH 7", "rows"},
        {"COPY t FROM '/tmp/x'", "rows"},
        {"COPY (DELETE FROM t RETURNING *) TO '/tmp/x'", "rows|t"},
        {"CREATE TABLE n AS SELECT * FROM t", "rows"},
        {"SELECT * INTO n FROM t", "rows"},
        {"REFRESH MATERIALIZED VIEW CONCURRENTLY m", "rows"},
        {"SELECT setval('q', (SELECT max(id) FROM t))", "rows"},
        {"SELECT pg_catalog.setval(pg_get_serial_sequence('t', 'id'), coalesce(max(id), 1)) FROM t",
         "rows"},
        {"SELECT cleanup_old_rows()", "rows anything"},
        {"SELECT s.now()", "rows anything"},
        {"SELECT \"min count\"()", "rows anything"},
        {"DO $$ BEGIN DELETE FROM t; END $$", "rows anything"},
        {"CALL p()", "rows anything"},
        {"WITH gone AS (DELETE FROM a RETURNING id), w AS (INSERT INTO b SELECT id FROM gone) "
         "UPDATE c SET x = 1",
         "rows|c,a"},
        {"WITH gone AS (DELETE FROM a RETURNING *) SELECT * FROM gone", "rows|a"},
        {"WITH u AS (UPDATE a SET x = 1 RETURNING *) INSERT INTO b SELECT * FROM u", "rows|a"},
        {"EXPLAIN ANALYZE DELETE FROM t", "rows|t"},
        {"PREPARE q AS DELETE FROM t; EXECUTE q", "rows|t"},
        {"CREATE TABLE n AS WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d", "rows|t"},
        {"ALTER EXTENSION x UPDATE", "rows"},
        {"IMPORT FOREIGN SCHEMA s FROM SERVER f INTO p", "rows"}, /* not in the table */
    };
    check_rows(rows, ARRAY_LEN(rows));
}

TEST(transactions_are_seen)
{
    static const struct row rows[] = {
        {"BEGIN; ALTER TABLE t ADD a int; COMMIT", "own"},
        {"START TRANSACTION; ROLLBACK", "own"},
        {"SAVEPOINT a", "own"},
        {"CREATE INDEX CONCURRENTLY i ON t (a)", "alone"},
        {"DROP INDEX CONCURRENTLY i", "alone"},
        {"REINDEX INDEX CONCURRENTLY i", "alone"},
        {"REINDEX (VERBOSE, CONCURRENTLY) TABLE t", "alone"},
        {"REINDEX SCHEMA s", "alone"},
        {"REINDEX TABLE t", ""},
        {"VACUUM t", "alone"},
        {"CREATE DATABASE x", "alone"},
        {"DROP DATABASE x", "alone"},
        {"ALTER SYSTEM SET work_mem = '1MB'", "alone"},
        {"CLUSTER", "alone"},
        {"CLUSTER t USING i", ""},
        {"DISCARD ALL", "alone"},
        {"ALTER TABLE t DETACH PARTITION p CONCURRENTLY", "alone"},
        {"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "rows alone"},
        {"ALTER TYPE e ADD VALUE 'x'", ""},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

TEST(the_search_path_makes_names_vague)
{
    static const struct row rows[] = {
        {"SET search_path TO archive; DELETE FROM t", "rows path|t"},
        {"SET LOCAL search_path = a, b", "path"},
        {"SELECT pg_catalog.set_config('search_path', '', false)", "path"},
        {"SELECT set_config('work_mem', '1MB', false)", ""},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

TEST(renamed_tables_keep_their_old_names)
{
    static const struct row rows[] = {
        {"ALTER TABLE a RENAME TO b; DELETE FROM b", "rows|b,a"},
        {"ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME TO c; DROP TABLE c", "rows|c,b,a"},
        {"ALTER TABLE s.a SET SCHEMA t; UPDATE t.a SET x = 1", "rows|t.a,s.a"},
        {"ALTER TABLE a RENAME TO old; ALTER TABLE new RENAME TO a; DROP TABLE old", "rows|old,a"},
    };
    check_rows(rows, ARRAY_LEN(rows));
}

static const char *renamed(struct arena *a, const char *sql, struct effects_name n)
{
    struct effects f = effects_of(a, sql);
    bool is = effects_renamed(&f, &n, "public");
    return arena_printf(a, "%s%s.%s%s%s", is ? "" : "= ", n.schema, n.name,
                        n.column == NULL ? "" : ".", n.column == NULL ? "" : n.column);
}

TEST(renames_are_followed)
{
    AUTO(arena) struct arena *a = arena_new();
    const struct effects_name t = {"public", "t", NULL}, c = {"public", "t", "c"};
    CHECK_STR(renamed(a, "ALTER TABLE u RENAME TO v", t), "= public.t");
    CHECK_STR(renamed(a, "ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME TO v", t), "public.v");
    CHECK_STR(renamed(a, "ALTER TABLE public.t SET SCHEMA s; ALTER TABLE s.t RENAME TO u", t),
              "s.u");
    CHECK_STR(renamed(a, "ALTER TABLE s.t RENAME TO u; ALTER VIEW t RENAME TO w", t), "= public.t");
    CHECK_STR(renamed(a, "ALTER TABLE t RENAME c TO d; ALTER TABLE t RENAME TO u", t), "public.u");
    CHECK_STR(renamed(a, "ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME c TO d", c),
              "public.u.d");
    CHECK_STR(renamed(a, "ALTER TABLE t RENAME TO u; ALTER TABLE t RENAME c TO d", c),
              "= public.u.c");
    CHECK_STR(renamed(a, "SET search_path = public; ALTER TABLE t RENAME c TO d", c), "public.t.d");
}

TEST(what_does_not_parse_may_do_anything)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char *const scripts[] = {
        "ALTER TABLE t ADD COLUMN a int;\n\nCREATE FOO bar;",
        "SELECT JSON_TABLE('[]', '$' COLUMNS (a int))x FROM y COLUMNS z", /* later than 15 */
        "\xef\xbb\xbf ALTER TABLE t ADD a int", /* the server refuses a byte order mark as well */
        "INSERT INTO t VALUES ('unterminated",
        "\\i other.sql",
    };
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct effects f = effects_of(a, scripts[i]);
        CHECK(!f.parsed && f.any_rows && f.anything && f.own_transaction && f.concurrently);
        CHECK(effects_touch(&f, "any", "table", "public"));
        CHECK(f.why != NULL);
    }
    CHECK_STR(effects_of(a, scripts[0]).why, "line 3: syntax error at or near \"FOO\"");
    CHECK_STR(effects_of(a, "-- \xc3\xa4\xc3\xb6\n'\xc3\xbc' x").why,
              "line 2: syntax error at or near \"'\xc3\xbc'\"");
}

TEST(the_first_statement_is_given)
{
    AUTO(arena) struct arena *a = arena_new();
    struct effects f =
        effects_of(a, "-- AlterTable;\n/* a; /* b; */ */\n  ALTER TABLE \"\xc3\xa4\" ADD"
                      " a text DEFAULT ';' -- c\n ;;\n\nDROP INDEX i ;  -- end\n");
    CHECK(f.statements == 2);
    CHECK_STR(f.first_statement, "ALTER TABLE \"\xc3\xa4\" ADD a text DEFAULT ';' -- c");
    CHECK(effects_of(a, "/* c */").first_statement == NULL);
}

static bool note_line(void *context, const struct sql_statement *s, struct err *e UNUSED)
{
    str_printf(context, "%zu %s;", s->line, s->kind);
    return true;
}

static bool refuse(void *context UNUSED, const struct sql_statement *s UNUSED, struct err *e)
{
    return err_set(e, ERR_UNSAFE, "enough");
}

TEST(statements_have_lines)
{
    AUTO(arena) struct arena *a = arena_new();
    struct str s = str_on(a);
    struct err e = {0};
    CHECK(sql_each(a, "-- x\n\nSELECT 1; SELECT\n2;\n/*\n*/ DROP TABLE t", note_line, &s, &e));
    CHECK_STR(s.text, "3 SelectStmt;3 SelectStmt;6 DropStmt;");
    CHECK(!sql_each(a, "SELECT 1; SELECT 2", refuse, NULL, &e) && e.kind == ERR_UNSAFE);
    CHECK(!sql_each(a, "SELECT\n1 1", note_line, &s, &e) && e.kind == ERR_QUERY);
    CHECK_STR(e.sqlstate, "42601");
}

TEST(touching_needs_the_schema)
{
    AUTO(arena) struct arena *a = arena_new();
    struct effects f = effects_of(a, "DELETE FROM t; DELETE FROM s.u; DROP SCHEMA old CASCADE");
    CHECK(effects_touch(&f, "public", "t", "public"));
    CHECK(!effects_touch(&f, "other", "t", "public"));
    CHECK(effects_touch(&f, "s", "u", "public") && !effects_touch(&f, "public", "u", "public"));
    CHECK(effects_touch(&f, "old", "whatever", "public"));
    CHECK(!effects_touch(&f, "public", "v", "public"));
    f = effects_of(a, "SET search_path = x; DELETE FROM t");
    CHECK(effects_touch(&f, "x", "t", "public") && !effects_touch(&f, "x", "u", "public"));
    f = effects_of(a, "DO 'x'");
    CHECK(effects_touch(&f, "x", "y", "public"));
}

TEST(new_rows_are_writes_too)
{
    AUTO(arena) struct arena *a = arena_new();
    struct effects f = effects_of(a, "INSERT INTO t VALUES (1); INSERT INTO s.u SELECT 1;"
                                     "COPY v FROM '/x'; ALTER TABLE t RENAME TO w");
    CHECK(effects_write(&f, "public", "t", "public") &&
          !effects_touch(&f, "public", "t", "public"));
    CHECK(effects_write(&f, "s", "u", "public") && !effects_write(&f, "public", "u", "public"));
    CHECK(effects_write(&f, "public", "v", "public") &&
          !effects_write(&f, "public", "x", "public"));
    f = effects_of(a, "ALTER TABLE old RENAME TO t; INSERT INTO t VALUES (1)");
    CHECK(effects_write(&f, "public", "old", "public"));
    f = effects_of(a, "WITH x AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT * FROM x");
    CHECK(effects_write(&f, "public", "t", "public"));
    f = effects_of(a, "EXECUTE x");
    CHECK(effects_write(&f, "any", "table", "public"));
}

static const char *repeated(struct arena *a, const char *first, const char *again, int n,
                            const char *last)
{
    struct str s = str_on(a);
    str_add(&s, first);
    for (int i = 0; i < n; i++)
        str_add(&s, again);
    str_add(&s, last);
    return s.text;
}

TEST(size_and_depth_do_not_crash_it)
{
    AUTO(arena) struct arena *a = arena_new();
    CHECK(effects_of(a, repeated(a, "INSERT INTO t VALUES (0)", ",(1,'x')", 20000, "")).parsed);
    CHECK(effects_of(a, repeated(a, "", "INSERT INTO t VALUES (1);", 5000, "")).statements == 5000);
    /* Deep: refused or not, but never a crash.  500,000 levels overran the library's stack. */
    CHECK(!effects_of(a, repeated(a, "SELECT 1", "+1", 500000, "")).parsed);
    CHECK(!effects_of(a, repeated(a, "SELECT ", "(SELECT ", 4000, repeated(a, "1", ")", 4000, "")))
               .parsed);
    CHECK(!effects_of(a, repeated(a, "SELECT ", "not ", 20000, "true")).parsed);
    CHECK(effects_of(a, repeated(a, "SELECT 1", "+1", 100, "")).parsed);
    CHECK_STR(effects_of(a, repeated(a, "SELECT 1", " ", SQL_STATEMENT_MAX, ",2")).why,
              "line 1: the statement has more than 1048576 bytes");
    CHECK_STR(effects_of(a, repeated(a, "SELECT 1", " ", SQL_SCRIPT_MAX, "")).why,
              "the script has more than 8388608 bytes");
}

/* What the fixtures' heads say of rows, in the words of said(). */
TEST(the_fixtures_are_understood)
{
    AUTO(arena) struct arena *a = arena_new();
    static const struct row rows[] = {
        {"allowed_drop", "rows|Order"},
        {"concurrently_alone", "alone"},
        {"concurrently_invalid", "alone"},
        {"concurrently_mixed", "alone"},
        {"fail_halfway", "rows|Order"},
        {"fail_syntax", "unparsed rows anything own alone path"},
        {"good_add_column", ""},
        {"good_two", "rows|Order"},
        {"lock_wait", ""},
        {"lock_wait_second", "rows"},
        {"lose_delete", "rows|stock_movements"},
        {"lose_drop_column", "rows|Product"},
        {"lose_drop_table", "rows|stock_movements"},
        {"lose_rename", "rows|User"},
        {"lose_truncate", "rows|AuditLog"},
        {"not_valid_constraint", ""},
        {"null_out", "rows|Product"},
        {"own_commit", "rows own|Order"},
        {"own_transaction", "rows own|Order"},
        {"raise_exception", "rows anything"},
        {"set_lock_timeout", ""},
        {"set_search_path", "path"},
        {"slow", ""},
        {"temp_on_commit_drop", "rows|Product"},
        {"trigger_disabled", "rows|Order"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};
        char *sql = arena_strdup(a, "");
        CHECK(fs_read(a, arena_printf(a, "fixtures/migrations/%s/migration.sql", rows[i].sql),
                      1 << 20, &sql, NULL, &e));
        if (strcmp(said(a, sql), rows[i].want) != 0)
            printf("# %s\n", rows[i].sql);
        CHECK_STR(said(a, sql), rows[i].want);
    }
}
