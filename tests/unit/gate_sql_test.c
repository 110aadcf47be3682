#include "core/gate/gate_sql.h"

#include "core/gate/gate_judge.h"
#include "core/gate/gate_type.h"
#include "ext/sql.h"

#include "tap.h"

/* What is said of scripts without a database: "rule target" or, for errors, "rule! target", with
 * the line when it is not 1. */
static struct findings found_in(struct arena *a, const char *earlier, const char *const *scripts,
                                size_t count, enum gate_sending sending)
{
    const struct migration before = {
        .name = "0_before", .path = "/p/0_before/migration.sql", .sql = earlier};
    const struct migration *const history[] = {&before};
    struct migration *items = arena_array(a, count, sizeof(*items));
    const struct migration **pending = arena_array(a, count, sizeof(const struct migration *));
    for (size_t i = 0; i < count; i++) {
        const char *name = arena_printf(a, "%zu_m", i + 1);
        items[i] = (struct migration){
            .name = name, .path = arena_printf(a, "/p/%s/migration.sql", name), .sql = scripts[i]};
        pending[i] = &items[i];
    }
    const struct gate_sql_context c = {
        .pending = pending,
        .count = count,
        .default_schema = "public",
        .sending = sending,
        .earlier = history,
        .earlier_count = earlier == NULL ? 0 : 1,
    };
    struct findings found = findings_on(a);
    struct err e = {0};
    CHECK(gate_sql(a, &c, &found, &e));
    return found;
}

static const char *summary(struct arena *a, const struct findings *f)
{
    struct str s = str_on(a);
    for (size_t i = 0; i < f->count; i++) {
        const struct finding *item = &f->items[i];
        str_item(&s, ", ", item->rule);
        str_printf(&s, "%s %s", item->level == FINDING_ERROR ? "!" : "", item->target);
        if (item->line != 1)
            str_printf(&s, ":%zu", item->line);
    }
    return s.text;
}

struct row {
    const char *sql, *want;
};

static void check(const char *earlier, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO(arena) struct arena *a = arena_new();
        struct findings f = found_in(a, earlier, &rows[i].sql, 1, GATE_SENT_UNKNOWN);
        const char *got = summary(a, &f);
        if (strcmp(got, rows[i].want) != 0)
            printf("# %s\n", rows[i].sql);
        CHECK_STR(got, rows[i].want);
    }
}

/* The message of the first finding. */
static const char *first_message(struct arena *a, const char *earlier, const char *sql)
{
    struct findings f = found_in(a, earlier, &sql, 1, GATE_SENT_UNKNOWN);
    CHECK(f.count > 0);
    return f.count == 0 ? "" : f.items[0].message;
}

TEST(what_loses_nothing_is_not_said)
{
    static const struct row rows[] = {
        {"", ""},
        {"CREATE TABLE \"User\" (id int); CREATE INDEX i ON \"User\" (id)", ""},
        {"ALTER TABLE t ADD COLUMN a int, ALTER b SET NOT NULL, DROP CONSTRAINT c", ""},
        {"ALTER TABLE t ALTER a TYPE text USING a::text", ""},
        {"ALTER TABLE t RENAME a TO b; ALTER TABLE t RENAME TO u; ALTER TABLE u SET SCHEMA s", ""},
        {"DROP INDEX i; DROP VIEW v; DROP MATERIALIZED VIEW m CASCADE; DROP SEQUENCE s", ""},
        {"DROP FUNCTION f(int) CASCADE; DROP TYPE e; DROP DOMAIN d; DROP SCHEMA s; DROP EXTENSION "
         "x",
         ""},
        {"DROP FOREIGN TABLE f; DROP TRIGGER g ON t; DROP POLICY p ON t", ""},
        {"UPDATE t SET a = 1; DELETE FROM t WHERE a = 1; INSERT INTO t VALUES (1)", ""},
        {"DELETE FROM t WHERE a = a; DELETE FROM t WHERE 1 = 2; DELETE FROM t WHERE false", ""},
        {"CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'DELETE FROM t; DROP TABLE t'", ""},
        {"CREATE FUNCTION f() RETURNS void BEGIN ATOMIC DELETE FROM t; END", ""},
        {"CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM u", ""},
        {"DO $$ BEGIN DELETE FROM t; DROP TABLE t; END $$", ""},
        {"COMMENT ON TABLE t IS 'DROP TABLE t'; -- DROP TABLE t;", ""},
        {"ALTER TYPE composite DROP ATTRIBUTE a; ALTER VIEW v RENAME COLUMN a TO b", ""},
    };
    check(NULL, rows, ARRAY_LEN(rows));
}

TEST(tables_dropped)
{
    static const struct row rows[] = {
        {"DROP TABLE \"User\"", "drop-table public.User"},
        {"DROP TABLE IF EXISTS a, s.\"Odd \"\"Name\" CASCADE",
         "drop-table public.a, drop-table s.Odd \"Name"},
        {"-- why\n\nDROP TABLE Users;\nDROP TABLE \"Users\";",
         "drop-table public.users:3, drop-table public.Users:4"},
        {"DROP TABLE t; DROP TABLE IF EXISTS t", "drop-table public.t"},
        {"TRUNCATE t; ALTER TABLE t DROP a; DELETE FROM t; DROP TABLE t", "drop-table public.t"},
        {"CREATE TABLE t (id int); DROP TABLE t", ""},
        {"CREATE TABLE IF NOT EXISTS t (id int); DROP TABLE t", ""},
        {"CREATE TABLE t AS SELECT 1; TRUNCATE t; DROP TABLE public.t", ""},
        {"SELECT 1 AS a INTO t; DROP TABLE t", ""},
        {"CREATE TEMP TABLE t (a int); DELETE FROM t; DROP TABLE t; DROP TABLE u",
         "drop-table public.u"},
        {"CREATE TEMP TABLE t (a int); DROP TABLE t; DROP TABLE t", "drop-table public.t"},
        {"DROP TABLE t; CREATE TABLE t (id int)", "rows-lost public.t"},
        {"CREATE TABLE n (id int); INSERT INTO n SELECT id FROM t; DROP TABLE t; ALTER TABLE n "
         "RENAME TO t",
         "rows-lost public.t"},
        {"DROP TABLE t; CREATE TABLE t (id int); DROP TABLE t", "drop-table public.t"},
        {"DROP TABLE t; CREATE TABLE other.t (id int)", "drop-table public.t"},
        {"DROP TABLE public.t; CREATE TABLE IF NOT EXISTS t (id int); TRUNCATE t",
         "rows-lost public.t"},
    };
    check(NULL, rows, ARRAY_LEN(rows));
}

TEST(names_are_followed_back)
{
    static const struct row rows[] = {
        {"ALTER TABLE a RENAME TO b; DROP TABLE b", "drop-table public.a"},
        {"ALTER TABLE a RENAME TO b; DROP TABLE IF EXISTS a; CREATE TABLE a (i int); DROP TABLE a",
         ""},
        {"ALTER TABLE a RENAME TO b; ALTER TABLE c RENAME TO a; DROP TABLE a; TRUNCATE b",
         "drop-table public.c, rows-lost public.a"},
        {"ALTER TABLE a SET SCHEMA old; DROP TABLE old.a", "drop-table public.a"},
        {"ALTER TABLE a RENAME COLUMN x TO y; ALTER TABLE a DROP y", "drop-column public.a.x"},
        {"ALTER TABLE a RENAME x TO y; ALTER TABLE a RENAME TO b; ALTER TABLE b DROP y, DROP z",
         "drop-column public.a.x, drop-column public.a.z"},
        {"ALTER TABLE a RENAME x TO y; ALTER TABLE a DROP IF EXISTS x", ""},
        {"ALTER TABLE a ADD x int; ALTER TABLE a DROP x", ""},
        {"ALTER TABLE a ADD IF NOT EXISTS x int; ALTER TABLE a DROP x", ""},
        {"ALTER TABLE a DROP x; ALTER TABLE a DROP IF EXISTS x", "drop-column public.a.x"},
        {"ALTER SCHEMA a RENAME TO b; DROP TABLE b.t", "drop-table a.t"},
        {"DROP TABLE a.t; ALTER SCHEMA a RENAME TO b; DROP TABLE IF EXISTS b.t", "drop-table a.t"},
        {"SET search_path TO app; DROP TABLE t; RESET search_path; DROP TABLE t",
         "drop-table app.t, drop-table public.t"},
        {"SET SCHEMA 'app'; DROP TABLE t", "drop-table app.t"},
        {"SET search_path = \"$user\", public; DROP TABLE t", "drop-table public.t"},
        {"SET search_path = app, public; DROP TABLE t", "drop-table app.t"},
        {"SET search_path = app, public; CREATE TABLE t (i int); DROP TABLE t; DROP TABLE u",
         "drop-table app.u"},
        {"SELECT pg_catalog.set_config('search_path', '', false); DROP TABLE s.t",
         "drop-table s.t"},
    };
    check(NULL, rows, ARRAY_LEN(rows));
}

TEST(names_are_followed_through_files)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char *const scripts[] = {
        "ALTER TABLE a RENAME TO b; SET LOCAL search_path = x; DROP TABLE l",
        "\nDROP TABLE b; SET search_path = y;", "CREATE TABLE t (i int); DROP TABLE m",
        "DROP TABLE t"};
    struct findings f = found_in(a, NULL, scripts, ARRAY_LEN(scripts), GATE_SENT_WHOLE);
    CHECK_STR(summary(a, &f), "drop-table x.l, drop-table public.a:2, drop-table y.m");
    CHECK_STR(f.items[1].file, "/p/2_m/migration.sql");
    CHECK_STR(f.items[1].advice,
              "If it is meant: -- migsafe: allow drop-table public.a, in the migration.");
    CHECK_STR(f.items[1].message,
              "table is dropped: how many rows would be lost is known only with a database");
}

TEST(rows_lost)
{
    static const struct row rows[] = {
        {"TRUNCATE a, ONLY s.b", "rows-lost public.a, rows-lost s.b"},
        {"TRUNCATE a CASCADE; TRUNCATE a", "rows-lost public.a"},
        {"DELETE FROM a", "rows-lost public.a"},
        {"DELETE FROM a USING b", "rows-lost public.a"},
        {"DELETE FROM a WHERE true", "rows-lost public.a"},
        {"DELETE FROM ONLY a AS x WHERE 1=1 RETURNING *", "rows-lost public.a"},
        {"WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone",
         "rows-lost public.a"},
        {"WITH x AS (SELECT 1), y AS (DELETE FROM a WHERE i = 1) DELETE FROM b",
         "rows-lost public.b"},
        {"EXPLAIN ANALYZE DELETE FROM a", "rows-lost public.a"},
        {"CREATE TABLE a (i int); INSERT INTO a VALUES (1); DELETE FROM a", ""},
    };
    check(NULL, rows, ARRAY_LEN(rows));
}

TEST(rows_put_back_are_told_so)
{
    static const char *const puts_back[] = {
        "SELECT * INTO c FROM a; DELETE FROM a; INSERT INTO a SELECT * FROM c; DROP TABLE c",
        "CREATE TEMP TABLE c AS SELECT x.i FROM a x JOIN b ON true; TRUNCATE a; "
        "INSERT INTO a (i) SELECT c.i FROM c, b",
    };
    static const char *const does_not[] = {
        "SELECT * INTO c FROM a; DELETE FROM a; INSERT INTO a VALUES (1)",
        "SELECT * INTO c FROM a; DELETE FROM a; INSERT INTO b SELECT * FROM c",
        "SELECT * INTO c FROM b; DELETE FROM a; INSERT INTO a SELECT * FROM c",
        "DELETE FROM a; INSERT INTO a SELECT * FROM b",
        "SELECT * INTO c FROM a; INSERT INTO a SELECT * FROM c; DELETE FROM a",
    };
    AUTO(arena) struct arena *a = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(puts_back); i++)
        CHECK(strstr(first_message(a, NULL, puts_back[i]), "put back from a copy") != NULL);
    for (size_t i = 0; i < ARRAY_LEN(does_not); i++)
        CHECK(strstr(first_message(a, NULL, does_not[i]), "put back") == NULL);
}

static const char history[] =
    "CREATE TABLE \"User\" (id serial PRIMARY KEY, name text, nick varchar(20), at timestamp(3), "
    "tags text[], \"role\" \"Role\");"
    "ALTER TABLE \"User\" ADD COLUMN born date; ALTER TABLE \"User\" ALTER born TYPE timestamptz";

TEST(columns_dropped_or_renamed)
{
    static const struct row rows[] = {
        {"ALTER TABLE \"User\" DROP COLUMN name", "drop-column public.User.name"},
        {"ALTER TABLE \"User\" DROP name, ADD full_name text", "renamed-column public.User.name"},
        {"ALTER TABLE \"User\" ADD full_name text; ALTER TABLE \"User\" DROP name",
         "renamed-column public.User.name"},
        {"ALTER TABLE \"User\" ADD full_name varchar(10), DROP name",
         "drop-column public.User.name"},
        {"ALTER TABLE \"User\" ADD n varchar(20), DROP nick", "renamed-column public.User.nick"},
        {"ALTER TABLE \"User\" ADD n character varying(21), DROP nick",
         "drop-column public.User.nick"},
        {"ALTER TABLE \"User\" ADD i int, DROP id", "renamed-column public.User.id"},
        {"ALTER TABLE \"User\" ADD t timestamp(3), DROP at", "renamed-column public.User.at"},
        {"ALTER TABLE \"User\" ADD t timestamp, DROP at", "drop-column public.User.at"},
        {"ALTER TABLE \"User\" ADD t text[], DROP tags", "renamed-column public.User.tags"},
        {"ALTER TABLE \"User\" ADD t text, DROP tags", "drop-column public.User.tags"},
        {"ALTER TABLE \"User\" ADD r public.\"Role\", DROP \"role\"",
         "renamed-column public.User.role"},
        {"ALTER TABLE \"User\" ADD b timestamp with time zone, DROP born",
         "renamed-column public.User.born"},
        {"ALTER TABLE \"User\" DROP name, ADD name int", "drop-column public.User.name"},
        {"ALTER TABLE \"User\" DROP name, ADD name text, ADD other text",
         "drop-column public.User.name"},
        {"ALTER TABLE \"User\" DROP name; ALTER TABLE \"User\" ADD a text; ALTER TABLE \"User\" "
         "DROP a",
         "drop-column public.User.name"},
        {"ALTER TABLE \"User\" DROP name; ALTER TABLE \"Other\" ADD a text",
         "drop-column public.User.name"},
        {"ALTER TABLE \"User\" RENAME name TO n; ALTER TABLE \"User\" DROP n, ADD a text",
         "renamed-column public.User.name"},
        {"ALTER TABLE \"User\" DROP name, DROP nick, ADD a text, ADD b varchar(20)",
         "renamed-column public.User.name, renamed-column public.User.nick"},
        {"ALTER TABLE \"User\" ADD IF NOT EXISTS a text, DROP name",
         "renamed-column public.User.name"},
        {"ALTER TABLE unknown DROP name, ADD a text", "drop-column public.unknown.name"},
    };
    check(history, rows, ARRAY_LEN(rows));
    AUTO(arena) struct arena *a = arena_new();
    CHECK_STR(first_message(a, history, rows[7].sql),
              "column is dropped and \"t\" of the same type is added: how many values would be "
              "lost is known "
              "only with a database");
    CHECK_STR(first_message(a, history, rows[13].sql),
              "column is dropped and added again: how many values would be lost is known only with "
              "a database");
    CHECK_STR(first_message(a, history, rows[20].sql),
              "column is dropped and \"a\" is added, perhaps its new name, for which there is "
              "RENAME COLUMN: "
              "how many values would be lost is known only with a database");
}

TEST(values_carried_over_by_an_update)
{
    static const struct row rows[] = {
        {"ALTER TABLE t ADD b text; UPDATE t SET b = upper(a) WHERE a IS NOT NULL; ALTER TABLE t "
         "DROP a",
         "carried"},
        {"ALTER TABLE t ADD b text; UPDATE t AS x SET b = x.a; ALTER TABLE t DROP a", "carried"},
        {"ALTER TABLE t ADD IF NOT EXISTS b text; UPDATE t SET b = t.a; ALTER TABLE t DROP a",
         "carried"},
        {"ALTER TABLE t ADD b text, ADD c int; UPDATE t SET (c, b) = (1, a); ALTER TABLE t DROP a",
         "carried"},
        {"ALTER TABLE t ADD b text; UPDATE t SET b = s.a FROM (SELECT id, a FROM t) s WHERE s.id = "
         "t.id; ALTER TABLE t DROP a",
         "carried"},
        {"ALTER TABLE t ADD b text; ALTER TABLE t ADD c text; UPDATE t SET b = a; UPDATE t SET c = "
         "b; "
         "ALTER TABLE t DROP b; ALTER TABLE t DROP a",
         "carried"},
        {"ALTER TABLE t RENAME a TO old; ALTER TABLE t ADD a int; UPDATE t SET a = old::int; ALTER "
         "TABLE t DROP old",
         "carried"},
        {"ALTER TABLE t ADD n int; UPDATE t SET n = a::int; ALTER TABLE t DROP a; ALTER TABLE t "
         "RENAME n TO a",
         "carried"},
        {"ALTER TABLE t ADD b text; ALTER TABLE t DROP a; UPDATE t SET b = 'x'", "lost"},
        {"ALTER TABLE t ADD b text; UPDATE t SET b = 'a'; ALTER TABLE t DROP a", "lost"},
        {"ALTER TABLE t ADD b text; UPDATE t SET b = a; ALTER TABLE t DROP b, DROP a", "lost"},
        {"ALTER TABLE t ADD b text; UPDATE t SET b = u.a FROM u; ALTER TABLE t DROP a", "lost"},
        {"ALTER TABLE t ADD b text; UPDATE t SET b = x.a FROM u x; ALTER TABLE t DROP a", "lost"},
        {"ALTER TABLE t ADD b text; UPDATE t SET b = (SELECT a FROM u WHERE u.id = t.id); ALTER "
         "TABLE t DROP a",
         "lost"},
        {"ALTER TABLE t ADD b text; UPDATE u SET b = a; ALTER TABLE t DROP a", "lost"},
        {"UPDATE t SET b = a; ALTER TABLE t DROP a", "lost"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(arena) struct arena *a = arena_new();
        const char *message = first_message(a, "CREATE TABLE t (id int, a text)", rows[i].sql);
        bool carried = strstr(message, "after an UPDATE wrote its values") != NULL;
        if (carried != (strcmp(rows[i].want, "carried") == 0))
            printf("# %s\n# %s\n", rows[i].sql, message);
        CHECK(carried == (strcmp(rows[i].want, "carried") == 0));
    }
    check("CREATE TABLE t (id int, a text)",
          (const struct row[]){{rows[0].sql, "drop-column public.t.a"}}, 1);
}

TEST(what_columns_are_made_of)
{
    static const char prisma_enum[] =
        "BEGIN;\nCREATE TYPE \"Role_new\" AS ENUM ('A');\n"
        "ALTER TABLE \"User\" ALTER COLUMN \"role\" DROP DEFAULT;\n"
        "ALTER TABLE \"User\" ALTER COLUMN \"role\" TYPE \"Role_new\" USING "
        "(\"role\"::text::\"Role_new\");\n"
        "ALTER TYPE \"Role\" RENAME TO \"Role_old\";\nALTER TYPE \"Role_new\" RENAME TO \"Role\";\n"
        "DROP TYPE \"Role_old\" %s;\nALTER TABLE \"User\" ALTER COLUMN \"role\" SET DEFAULT "
        "'A';\nCOMMIT;";
    AUTO(arena) struct arena *a = arena_new();
    struct str plain = str_on(a), cascade = str_on(a);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    str_printf(&plain, prisma_enum, "");
    str_printf(&cascade, prisma_enum, "CASCADE");
#pragma GCC diagnostic pop
    const struct row rows[] = {
        {plain.text, ""},
        {cascade.text, ""},
        {"DROP TYPE \"Role\" CASCADE", "drop-column public.Role"},
        {"DROP DOMAIN s.d CASCADE", "drop-column s.d"},
        {"ALTER TYPE a RENAME TO b; DROP TYPE b CASCADE", "drop-column public.a"},
        {"CREATE TYPE a AS ENUM (); DROP TYPE a CASCADE", ""},
        {"CREATE DOMAIN d AS int; CREATE TYPE c AS (i int); DROP TYPE c CASCADE; DROP DOMAIN d "
         "CASCADE",
         ""},
        {"DROP EXTENSION citext CASCADE", "drop-column citext"},
        {"DROP SCHEMA billing CASCADE", "drop-table billing.*"},
        {"DROP OWNED BY bob, CURRENT_USER", "drop-table bob, drop-table CURRENT_USER"},
    };
    check(NULL, rows, ARRAY_LEN(rows));
}

TEST(what_reaches_past_the_database)
{
    static const struct row rows[] = {
        {"CREATE ROLE a; CREATE USER b PASSWORD 'x'", "global-effect! a, global-effect! b"},
        {"ALTER ROLE a NOLOGIN; ALTER ROLE a SET work_mem = 1; ALTER GROUP g ADD USER u",
         "global-effect! a, global-effect! a, global-effect! g"},
        {"ALTER ROLE a RENAME TO b; ALTER ROLE ALL SET work_mem = 1",
         "global-effect! a, global-effect! ALL"},
        {"DROP ROLE IF EXISTS a, CURRENT_USER", "global-effect! a, global-effect! CURRENT_USER"},
        {"GRANT a, b TO c; REVOKE a FROM c",
         "global-effect! a, global-effect! b, global-effect! a"},
        {"GRANT SELECT ON t TO a; GRANT CONNECT ON DATABASE d TO a; ALTER DEFAULT PRIVILEGES GRANT "
         "SELECT ON TABLES TO a",
         ""},
        {"CREATE DATABASE d", "global-effect! d"},
        {"DROP DATABASE d", "global-effect! d"},
        {"ALTER DATABASE d SET timezone = 'UTC'; ALTER DATABASE d OWNER TO x", ""},
        {"ALTER SYSTEM SET wal_level = logical", "global-effect! wal_level"},
        {"CREATE TABLESPACE s LOCATION '/x'", "global-effect! s"},
        {"DROP TABLESPACE s", "global-effect! s"},
        {"CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "global-effect! s"},
        {"CREATE PUBLICATION p; CREATE EXTENSION dblink; CREATE SERVER s FOREIGN DATA WRAPPER w",
         ""},
        {"COPY t FROM '/tmp/x'; COPY t TO PROGRAM 'gzip'; COPY t TO STDOUT",
         "global-effect! /tmp/x, global-effect! PROGRAM"},
        {"SELECT dblink_exec('x', 'y'); SELECT * FROM public.dblink('x', 'y') AS t(a int)",
         "global-effect! dblink_exec, global-effect! dblink"},
        {"SELECT net.http_post('x'); SELECT status FROM http(('GET', 'x'))",
         "global-effect! http_post, global-effect! http"},
        {"INSERT INTO t SELECT pg_read_file('/etc/passwd')", "global-effect! pg_read_file"},
        {"UPDATE t SET a = lo_import('/x')", "global-effect! lo_import"},
        {"SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_stat_activity",
         "global-effect! pg_terminate_backend"},
        {"CALL p(dblink_exec('x'))", "global-effect! dblink_exec"},
        {"CREATE FUNCTION f() RETURNS void BEGIN ATOMIC SELECT pg_reload_conf(); END", ""},
        {"CREATE VIEW v AS SELECT * FROM dblink('x') AS t(a int)", ""},
        {"SELECT 'dblink_exec(1)', count(*), now() FROM http_log", ""},
    };
    check(NULL, rows, ARRAY_LEN(rows));
}

static const char *lonely(struct arena *a, const char *sql, enum gate_sending sending)
{
    struct findings f = found_in(a, NULL, &sql, 1, sending);
    return summary(a, &f);
}

TEST(statements_that_allow_no_transaction)
{
    AUTO(arena) struct arena *a = arena_new();
    static const char one[] = "CREATE INDEX CONCURRENTLY i ON s.t (a);\n";
    static const char beside[] =
        "SET lock_timeout = '1s';\nCREATE INDEX CONCURRENTLY i ON s.t (a);";
    static const char block[] = "BEGIN;\nDROP INDEX CONCURRENTLY \"I\";\nCOMMIT;";
    CHECK_STR(lonely(a, one, GATE_SENT_WHOLE), "");
    CHECK_STR(lonely(a, beside, GATE_SENT_WHOLE), "concurrently! s.i:2");
    CHECK_STR(lonely(a, beside, GATE_SENT_SPLIT), "concurrently s.i:2");
    CHECK_STR(lonely(a, beside, GATE_SENT_UNKNOWN), "concurrently s.i:2");
    CHECK_STR(lonely(a, block, GATE_SENT_SPLIT), "concurrently! public.I:2");
    CHECK_STR(lonely(a, "BEGIN; SELECT 1; COMMIT; VACUUM t;", GATE_SENT_SPLIT),
              "concurrently VACUUM");
    CHECK_STR(
        lonely(a, "REINDEX TABLE CONCURRENTLY t; REINDEX SCHEMA CONCURRENTLY s", GATE_SENT_WHOLE),
        "concurrently! public.t, concurrently! s");
    CHECK_STR(lonely(a, "ALTER TABLE t DETACH PARTITION p CONCURRENTLY; SELECT 1", GATE_SENT_WHOLE),
              "concurrently! public.t");
    CHECK_STR(lonely(a, "CREATE INDEX CONCURRENTLY ON t (a); CREATE INDEX CONCURRENTLY ON t (b)",
                     GATE_SENT_WHOLE),
              "concurrently! public.t, concurrently! public.t");
    CHECK_STR(lonely(a, "CREATE INDEX i ON t (a); REINDEX TABLE t; ANALYZE t; CLUSTER t",
                     GATE_SENT_WHOLE),
              "");
}

TEST(what_does_not_parse)
{
    AUTO(arena) struct arena *a = arena_new();
    const char *const scripts[] = {"DROP TABLE a;\nSELEC 1;\n", NULL, "DROP TABLE b; -- migsafe",
                                   "SELECT 'open"};
    struct findings f = found_in(a, NULL, scripts, ARRAY_LEN(scripts), GATE_SENT_WHOLE);
    CHECK_STR(summary(a, &f), "does-not-parse 1_m:2, drop-table public.b, does-not-parse 4_m");
    CHECK_STR(f.items[0].message,
              arena_printf(a,
                           "the parser, which speaks PostgreSQL %d, does not understand it: "
                           "syntax error at or near \"SELEC\"",
                           sql_parser_version()));
    struct str deep = str_on(a);
    str_add(&deep, "SELECT 1");
    for (int i = 0; i < 2000; i++)
        str_add(&deep, "+1");
    const char *const one[] = {deep.text};
    f = found_in(a, NULL, one, 1, GATE_SENT_WHOLE);
    CHECK_STR(summary(a, &f), "does-not-parse 1_m");
    CHECK_STR(f.items[0].message, "too large to be looked at: the statement is nested too deeply");
}

TEST(types_are_compared_as_the_catalog_writes_them)
{
    CHECK(gate_type_same("public.\"Role\"[]", "Role[]", "public"));
    CHECK(gate_type_same("app.\"Role\"", "Role", "app"));
    CHECK(!gate_type_same("app.\"Role\"", "Role", "public"));
    CHECK(!gate_type_same(NULL, NULL, "public"));
    CHECK(!gate_type_same("text", "text[]", "public"));
}

/* ---- counted ---- */

struct counted {
    struct arena *arena;
    struct gate_walk walk;
    struct gate_victims victims;
    struct gate_judging judging;
};

/* The losses of a script, as if a database had said that all tables have 10 rows. */
static struct counted *count_as(struct arena *a, const char *sql)
{
    struct counted *c = ARENA_NEW(a, struct counted);
    const struct migration m = {.name = "m", .path = "/m", .sql = sql};
    const struct migration *const pending[] = {&m};
    const struct gate_sql_context context = {
        .pending = pending, .count = 1, .default_schema = "public"};
    c->walk = gate_walk_new(a, &context, "own");
    gate_walk_all(&c->walk, &context, 150000);
    c->victims.arena = a;
    c->judging =
        (struct gate_judging){.walk = &c->walk, .default_schema = "public", .has_database = true};
    for (size_t i = 0; i < c->walk.loss_count; i++) {
        const struct gate_loss *loss = &c->walk.losses[i];
        gate_victims_add(&c->victims, (struct gate_victim){.loss = loss,
                                                           .rule = loss->rule,
                                                           .schema = loss->schema,
                                                           .table = loss->name,
                                                           .column = loss->column,
                                                           .type = "text",
                                                           .named = true,
                                                           .lost = 10});
    }
    return c;
}

static const char *judged(struct arena *a, struct counted *c)
{
    struct str s = str_on(a);
    struct gate_sayings said = {.arena = a};
    gate_judge(&c->victims, &c->judging, &said);
    for (size_t i = 0; i < said.count; i++)
        str_printf(&s, "%s%s%s %s: %s", i == 0 ? "" : "\n", gate_rule_name(said.items[i].rule),
                   said.items[i].level == FINDING_ERROR ? "!" : "", said.items[i].target,
                   said.items[i].message);
    return s.text;
}

TEST(counts_decide)
{
    AUTO(arena) struct arena *a = arena_new();
    struct counted *c = count_as(a, "DROP TABLE t");
    CHECK_STR(judged(a, c), "drop-table! public.t: table is dropped: 10 rows would be lost");
    c->victims.items[0].lost = 1;
    CHECK_STR(judged(a, c), "drop-table! public.t: table is dropped: 1 row would be lost");
    c->victims.items[0].kind = GATE_ESTIMATED;
    c->victims.items[0].lost = 2000000;
    CHECK_STR(judged(a, c),
              "drop-table! public.t: table is dropped: about 2 000 000 rows would be lost");
    c->victims.items[0].kind = GATE_UNKNOWN;
    CHECK_STR(judged(a, c),
              "drop-table! public.t: table is dropped: an unknown number of rows would be lost");
    c->victims.items[0].kind = GATE_COUNTED;
    c->victims.items[0].lost = 0;
    CHECK_STR(judged(a, c), "");
    c->judging.stand_in = true;
    CHECK_STR(judged(a, c), "drop-table public.t: table is dropped: it has no rows in this "
                            "database, which says nothing of others");
    c->victims.items[0].named = false;
    CHECK_STR(judged(a, c), "");
}

TEST(the_fullest_column_has_first_choice)
{
    AUTO(arena) struct arena *a = arena_new();
    struct counted *c = count_as(a, "ALTER TABLE t DROP a, DROP b, DROP c, ADD d text");
    c->victims.items[1].lost = 20;
    c->victims.items[2].lost = 0;
    CHECK_STR(judged(a, c), "renamed-column! public.t.b: column is dropped and \"d\" of the same "
                            "type is added: 20 values would be lost\n"
                            "drop-column! public.t.a: column is dropped: 10 values would be lost");
}

TEST(one_finding_for_what_goes_twice)
{
    AUTO(arena) struct arena *a = arena_new();
    struct counted *c =
        count_as(a, "TRUNCATE a CASCADE; DELETE FROM b; ALTER TABLE c DROP x; DROP TABLE c");
    struct gate_victim along = c->victims.items[0];
    along.table = "b";
    along.named = false;
    gate_victims_add(&c->victims, along);
    along.table = "d";
    gate_victims_add(&c->victims, along);
    CHECK_STR(judged(a, c),
              "rows-lost! public.a: TRUNCATE CASCADE: 10 rows would be lost\n"
              "rows-lost! public.b: DELETE without WHERE: 10 rows would be lost\n"
              "drop-table! public.c: table is dropped: 10 rows would be lost\n"
              "rows-lost! public.d: goes with public.a (TRUNCATE CASCADE): 10 rows would be lost");
}

TEST(a_partitioned_table_speaks_only_when_empty)
{
    AUTO(arena) struct arena *a = arena_new();
    struct counted *c = count_as(a, "DROP TABLE p");
    c->victims.items[0].holder = true;
    CHECK_STR(judged(a, c), "");
    c->judging.stand_in = true;
    c->victims.items[0].lost = 0;
    CHECK_STR(judged(a, c), "drop-table public.p: table is dropped: it has no rows in this "
                            "database, which says nothing of others");
}

TEST(values_of_another_type_are_said_to_be_taken_for_lost)
{
    AUTO(arena) struct arena *a = arena_new();
    struct counted *c =
        count_as(a, "ALTER TABLE t ADD b int; UPDATE t SET b = a::int; ALTER TABLE t DROP a");
    CHECK_STR(judged(a, c),
              "drop-column public.t.a: column is dropped after an UPDATE wrote its values to "
              "\"b\", which is of another "
              "type: the check after the migration will take them for lost unless that is allowed");
    c->victims.items[0].type = "integer";
    CHECK_STR(
        judged(a, c),
        "drop-column public.t.a: column is dropped after an UPDATE wrote its values to \"b\"");
}

TEST(the_own_database_comes_back_with_a_rollback)
{
    AUTO(arena) struct arena *a = arena_new();
    struct counted *c = count_as(
        a, "ALTER DATABASE own SET a.b = 1; ALTER ROLE r IN DATABASE own SET a.b = 1; "
           "GRANT CONNECT ON DATABASE own TO r; ALTER DATABASE other SET a.b = 1; "
           "ALTER ROLE r IN DATABASE other SET a.b = 1; REVOKE CONNECT ON DATABASE other FROM r; "
           "ALTER DATABASE other OWNER TO r");
    struct str s = str_on(a);
    for (size_t i = 0; i < c->walk.said.count; i++)
        str_item(&s, " ", c->walk.said.items[i].target);
    CHECK_STR(s.text, "other r other other");
}
