#include "core/restore/foreign_scan.h"

#include "base/str.h"

#include "tap.h"

/* All at once (pieces 0), or in pieces of that many bytes. */
static bool scan(struct foreign_scan *s, char *bytes, size_t n, size_t pieces, struct err *e)
{
    *e = (struct err){0};
    foreign_scan_begin(s);
    if (pieces == 0)
        pieces = n + 1;
    for (size_t at = 0; at < n; at += pieces)
        if (!foreign_scan(s, bytes + at, n - at < pieces ? n - at : pieces, e))
            return false;
    return foreign_scan_end(s, e);
}

static bool scan_text(struct arena *a, struct foreign_scan *s, const char *text, size_t pieces,
                      struct err *e)
{
    return scan(s, arena_strdup(a, text), strlen(text), pieces, e);
}

TEST(accepted)
{
    static const char *const texts[] = {
        "SELECT 1",
        "select 1;\n",
        "(SELECT 1);",
        "\xEF\xBB\xBFSELECT 1;",
        "SELECT 1;\r\nSELECT 2;\r\n",
        "-- \\! ls\n/* \\! ls /* \\q */ \\q */ SELECT 1;",
        "SELECT 'it''s \\! ls', '\\', E'\\'\\\\', \"a\\\"\"b\";",
        "SELECT e'\\' \\! ls';",
        "SELECT B'01', X'1F', N'\\', U&'\\0041';",
        "SELECT namee'\\', 1;",
        "SELECT $$ \\! ls ' $a$ $$, $a$ $$ $b$ \\! $a $a$;",
        "SELECT $a$$b$a$a$, $1, a$1, b$$c, $;",
        "SELECT $$ $$;",
        "SELECT $aa$ $a$ aa$ $aaa$ \\q $aa$;",
        "SELECT a::text, b := 1, c[1:n], d[1:\"N\"], e[lo:hi], f : USER;",
        "SELECT 'x'\n'y\\';",
        "SELECT E'x\\'y'\n'z\\'; SELECT 1;",
        "COPY t (a, b) FROM stdin;\n1\t\\N\n\\x ' $$ /* \\\\. \\! ls\n\\.\nSELECT 1;",
        "COPY public.t FROM stdin; -- data\n\\.\r\n",
        "COPY \"from\" FROM STDIN WITH (FORMAT csv);\n\"a\n\\.\n",
        "copy s.from from stdin;\n\\! data\n\\.\nSELECT 1;",
        "COPY (SELECT a FROM stdin) TO STDOUT; SELECT 1;",
        "COPY t TO STDIN; SELECT 1;",
        "COPY t FROM STDOUT;\n\\! data\n\\.\n",
        "\\restrict abcXYZ019\nSELECT 1;\n\\unrestrict abcXYZ019\n",
        "\\restrict abc\r\nSELECT 1;\r\n\\unrestrict abc",
        "CREATE USER MAPPING FOR app SERVER s; ALTER USER MAPPING FOR app SERVER s OPTIONS (a "
        "'b');",
        "CREATE TABLE database (role int, \"user\" text); ALTER TABLE role ADD database int;",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END;"
        " END; SELECT 2;",
        "COMMENT ON TABLE database IS 'ON DATABASE'; GRANT SELECT ON t TO app;",
        "GRANT ALL ON SCHEMA public TO app; REVOKE ALL ON TABLE t FROM PUBLIC;",
        "SET standard_conforming_strings = on; SELECT '\\';",
        "SET standard_conforming_strings = off; SELECT '\\'', E'\\'', 'x';",
        "SET client_encoding = 'UTF8'; SET NAMES 'LATIN1';",
        "DROP SCHEMA IF EXISTS public; CREATE SCHEMA public;",
        "BEGIN; SELECT 1; COMMIT;",
        "SELECT 1 - -1, 2 / 3, 4 * 5, a->'b', c @> '{}', '{1,2}'::int[] || 3;",
        "SELECT 1.5e10, 0x1f, 1..2;",
        "INSERT INTO t VALUES ('ein Gr\xC3\xBC\xC3\x9F', '\x01');",
        "SELECT /* a *//* b */ 1;",
        "SELECT /*/ \\q */ 1;",
        "SELECT 'a' --- b\n;",
    };
    AUTO(arena) struct arena *a = arena_new();
    struct foreign_scan s;
    struct err e;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        for (size_t pieces = 0; pieces < 8; pieces++)
            if (!scan_text(a, &s, texts[i], pieces, &e)) {
                printf("# %s\n# (pieces of %zu): %s\n", texts[i], pieces, e.message);
                CHECK(false);
            }
}

TEST(refused)
{
    static const struct {
        const char *text, *message, *hint;
    } cases[] = {
        {"SELECT 1;\n\\connect live\n", "line 2: the command \"\\connect\"", "-C"},
        {"\\! rm -rf /\n", "line 1: the command \"\\!\"", ""},
        {"SELECT 1 \\g /tmp/x\n", "line 1: the command \"\\g\"", ""},
        {"SELECT 1\\; SELECT 2;", "line 1: the command", ""},
        {"SELECT 1;\n-- x\n\\i other.sql", "line 3: the command \"\\i\"", ""},
        {"\\restrict\nSELECT 1;", "line 1: the command", ""},
        {"\\restrict a\\! ls\nSELECT 1;", "line 1: the command", ""},
        {"\\restricted a\nSELECT 1;", "line 1: the command", ""},
        {"SELECT '\\'; \\! ls '", "line 1: the command \"\\!\"", ""},
        {"SELECT E'\\\\'; \\! ls", "line 1: the command", ""},
        {"SELECT E'x'\n'\\' \\! ls '", "line 2: the command", ""},
        {"SELECT nE'\\' \\! ls '", "line 1: the command", ""},
        {"SELECT $a$ $a$ \\! ls $a$", "line 1: the command", ""},
        {"SELECT a$$ \\! ls $$", "line 1: the command", ""},
        {"SELECT $1$$ $$;", "line 1: a quote touches a number", ""},
        {"SELECT 1E'\\' \\! ls", "line 1: a quote touches a number", ""},
        {"SELECT /* /* */ */ \\! ls", "line 1: the command", ""},
        {"SELECT 1 -- \r\\! ls\n;", "line 1: a carriage return", ""},
        {"SELECT E'a'\r'\\' \\! ls", "line 1: a carriage return", ""},
        {"COPY t FROM stdin;\n1\n\\.\n\\! ls\n", "line 4: the command", ""},
        {"COPY t FROM stdin;\n\\. \n\\..\n\\.x\n\\.\r\n\\! ls\n", "line 6: the command", ""},
        {"SELECT (;\nCOPY t FROM stdin;\n\\! ls\n\\.\n", "line 3: the command", ""},
        {"CREATE FUNCTION f() BEGIN ATOMIC;\nCOPY t FROM stdin;\n\\! ls\n\\.\n",
         "line 3: the command", ""},
        {"COPY t TO stdin;\n\\! ls\n\\.\n", "line 2: the command", ""},
        {"COPY t FROM 'x' WHERE a IS DISTINCT FROM stdin;\n\\! ls\n\\.\n",
         "line 1: COPY with a file", "FROM stdin"},
        {"COPY (SELECT 1 FROM stdin) TO 'x';\n\\! ls\n\\.\n", "line 1: COPY with a file", ""},
        {"COPY \"stdin\" TO \"from\" \"stdin\";\n\\! ls\n", "line 1: COPY with a file", ""},
        {"SELECT 1;\nCOPY t (a, b) FROM PROGRAM 'ls';", "line 2: COPY with a file", ""},
        {"copy binary s.from to E'file'", "line 1: COPY with a file", ""},
        {"COPY t FROM stdin; SELECT 1;\n\\.\n", "line 1: something follows COPY", ""},
        {"COPY t FROM stdin;;\n\\.\n", "line 1: something follows COPY", ""},
        {"COPY t FROM stdin; /*\n*/\n\\.\n", "line 1: something follows COPY", ""},
        {"SELECT 1;\n\n CREATE\nDATABASE app;", "line 3: CREATE DATABASE", "without -C"},
        {"SELECT 1; drop database if exists app;", "line 1: DROP DATABASE", "-C"},
        {"ALTER DATABASE app RENAME TO b", "line 1: ALTER DATABASE", "-C"},
        {"ALTER DATABASE \"app\" SET x = 1;", "line 1: ALTER DATABASE", "-C"},
        {"ALTER SYSTEM SET fsync = off;", "line 1: ALTER SYSTEM", ""},
        {"CREATE ROLE app;", "line 1: CREATE ROLE", "pg_dumpall"},
        {"ALTER USER app SUPERUSER;", "line 1: ALTER USER", "pg_dumpall"},
        {"DROP GROUP app;", "line 1: DROP GROUP", "pg_dumpall"},
        {"CREATE TABLESPACE x LOCATION '/x';", "line 1: CREATE TABLESPACE", ""},
        {"REASSIGN OWNED BY a TO b;", "line 1: REASSIGN OWNED", ""},
        {"COMMENT ON DATABASE app IS 'x';", "line 1: COMMENT ON DATABASE", "by its name"},
        {"GRANT ALL ON DATABASE app TO x;", "line 1: GRANT ON DATABASE", "by its name"},
        {"/* a */ revoke connect on /* b */ database app FROM x;", "line 1: REVOKE ON DATABASE",
         ""},
        {"SECURITY LABEL FOR p ON DATABASE app IS 'x';", "line 1: SECURITY ON DATABASE", ""},
        {"SET standard_conforming_strings TO 'off';", "line 1: standard_conforming_strings", ""},
        {"SET standard_conforming_strings = off; SELECT '\\'; \\! ls';\n\\q\n",
         "line 2: the command \"\\q\"", ""},
        {"SET client_encoding = 'sjis';", "line 1: client encoding SJIS", "--encoding=UTF8"},
        {"SET CLIENT_ENCODING TO Shift_JIS_2004;", "line 1: client encoding", ""},
        {"SELECT a[1:USER];", "line 1: psql would replace :USER", "blank"},
        {"SELECT a[1:\"DBNAME\"];", "line 1: psql would replace :DBNAME", ""},
        {"SELECT :'HOST';", "line 1: psql would replace :HOST", ""},
        {"SELECT :{?x};", "line 1: psql would replace", ""},
        {"hello, world\n", "line 1: this is not SQL: it begins with \"HELLO\"", "pg_dump"},
        {"<!DOCTYPE html>", "line 1: this is not SQL", "pg_dump"},
        {"\x7f"
         "ELF\x01",
         "line 1: this is not SQL", ""},
        {"'a'", "line 1: this is not SQL", ""},
        {"", "it holds no SQL", ""},
        {"-- nothing\n;;\n/* at all */", "it holds no SQL", ""},
        {"SELECT 'a", "it is cut off at line 1, in quotes", ""},
        {"SELECT \"a\n", "it is cut off at line 2, in quotes", ""},
        {"SELECT $$a$", "it is cut off at line 1, in quotes", ""},
        {"SELECT 1 /* a", "it is cut off at line 1, in a comment", ""},
        {"COPY t FROM stdin;\n1\n2", "it is cut off at line 3, in the rows", ""},
        {"COPY t FROM stdin;", "it is cut off at line 1, in the rows", ""},
        {"COPY t FROM stdin", "it is cut off at line 1, in the rows", ""},
        {"-- Dumped by pg_dump version 15.1\nSELECT 1;\n", "it is cut off at line 3, in a dump",
         ""},
    };
    AUTO(arena) struct arena *a = arena_new();
    struct foreign_scan s;
    struct err e;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (size_t pieces = 0; pieces < 4; pieces++) {
            bool ok = scan_text(a, &s, cases[i].text, pieces, &e);
            if (ok || e.kind != ERR_DAMAGED || strstr(e.message, cases[i].message) != e.message ||
                strstr(e.hint, cases[i].hint) == NULL) {
                printf("# %s\n# (pieces of %zu): %s; %s\n", cases[i].text, pieces,
                       ok ? "accepted" : e.message, e.hint);
                CHECK(false);
            }
        }
}

TEST(zero_bytes_are_no_text)
{
    char bytes[] = "SELECT 1;\0SELECT 2;";
    struct foreign_scan s;
    struct err e;
    CHECK(!scan(&s, bytes, sizeof(bytes) - 1, 0, &e));
    CHECK_STR(e.message, "this is not SQL: it holds zero bytes");
}

/* Older psql do not know the commands, and a psql that is restricted takes no second one. */
TEST(restrict_is_blanked)
{
    char bytes[] = "\xEF\xBB\xBF-- x\n\\restrict abc\nSELECT '\\restrict';\n\\unrestrict abc";
    struct foreign_scan s;
    struct err e;
    CHECK(scan(&s, bytes, sizeof(bytes) - 1, 3, &e));
    CHECK_STR(bytes, "   -- x\n             \nSELECT '\\restrict';\n               ");
}

TEST(facts)
{
    AUTO(arena) struct arena *a = arena_new();
    struct foreign_scan s;
    struct err e;
    const char *head = "--\n-- PostgreSQL database dump\n--\n\n"
                       "-- Dumped from database version 15.14 (Debian 15.14-1)\n"
                       "-- Dumped by pg_dump version 16.2\n\n";
    const char *tail = "\n--\n-- PostgreSQL database dump complete\n--\n\n";
    const char *text =
        arena_printf(a, "%sCREATE TABLE t (a int);\nALTER TABLE t OWNER TO app;%s", head, tail);
    CHECK(scan_text(a, &s, text, 5, &e));
    CHECK_STR(s.server_version, "15.14");
    CHECK_STR(s.tool_version, "16.2");
    CHECK(s.names_owner && s.creates && !s.loads && !s.opaque);
    CHECK(scan_text(a, &s, "INSERT INTO t (owner, \"to\") VALUES ('ALTER t OWNER TO x');", 0, &e));
    CHECK(!s.names_owner && !s.creates && s.loads && s.server_version[0] == '\0');
    CHECK(scan_text(a, &s, "COPY t FROM stdin;\nCREATE\n\\.\n", 0, &e));
    CHECK(!s.creates && s.loads);
    CHECK(scan_text(a, &s, "SET SESSION AUTHORIZATION 'app'; DO $$CREATE TABLE$$;", 0, &e));
    CHECK(s.names_owner && s.opaque && !s.creates);
}

TEST(long_texts)
{
    AUTO(arena) struct arena *a = arena_new();
    struct str s = {0};
    struct foreign_scan f;
    struct err e;
    s = str_on(a);
    str_add(&s, "SELECT \"");
    for (int i = 0; i < 1000; i++)
        str_add(&s, "x");
    str_add(&s, "\" AS y");
    for (int i = 0; i < 1000; i++)
        str_add(&s, "z");
    str_add(&s, ";\n--");
    for (int i = 0; i < 1000; i++)
        str_add(&s, "c");
    str_add(&s, "\nCOPY t FROM stdin;\n");
    for (int i = 0; i < 1000; i++)
        str_add(&s, "row\t\\\\.\n");
    str_add(&s, "\\.\nSELECT :");
    for (int i = 0; i < 100; i++)
        str_add(&s, "USER");
    str_add(&s, ";\n\\q");
    CHECK(!scan_text(a, &f, s.text, 7, &e));
    CHECK_STR(e.message, "line 1006: the command \"\\q\" of psql is not allowed");
}

/* Where the pieces end never matters: texts of all that is tricky, in pieces of every length. */
TEST(pieces_do_not_matter)
{
    static const char *const parts[] = {"'",
                                        "\"",
                                        "$",
                                        "$$",
                                        "$a$",
                                        "a",
                                        "E",
                                        "-",
                                        "--",
                                        "/",
                                        "*",
                                        "/*",
                                        "*/",
                                        "\n",
                                        "\r\n",
                                        ";",
                                        ":",
                                        "::",
                                        ":=",
                                        "{?",
                                        "(",
                                        ")",
                                        "\\",
                                        "\\.",
                                        "\\\\",
                                        "\\restrict k\n",
                                        "1",
                                        "1e",
                                        " ",
                                        "BEGIN ",
                                        "END ",
                                        "CREATE FUNCTION ",
                                        "COPY t FROM stdin",
                                        "COPY t FROM stdin;\n",
                                        "\n\\.\n",
                                        "USER",
                                        "SET standard_conforming_strings = off;",
                                        "DATABASE ",
                                        "ON ",
                                        "SELECT ",
                                        "\xEF\xBB\xBF"};
    uint32_t seed = 1;
    for (int round = 0; round < 20000; round++) {
        char text[512] = "SELECT ", copy[512];
        size_t n = strlen(text);
        for (int i = 0; i < 12; i++) {
            seed = seed * 1664525 + 1013904223;
            const char *part = parts[(seed >> 16) % ARRAY_LEN(parts)];
            memcpy(text + n, part, strlen(part) + 1);
            n += strlen(part);
        }
        struct foreign_scan whole, pieces;
        struct err e, f;
        memcpy(copy, text, n + 1);
        bool first = scan(&whole, text, n, 0, &e);
        bool second = scan(&pieces, copy, n, 1 + (size_t)round % 5, &f);
        if (first != second || strcmp(e.message, f.message) != 0 ||
            (first && strcmp(text, copy) != 0)) {
            printf("# round %d: %s / %s\n# %s\n", round, e.message, f.message, text);
            CHECK(false);
        }
    }
}
