-- Everything that is known to go wrong when somebody else's tool copies a PostgreSQL database, one pitfall a paragraph.
--
-- Rule of use: psql -v reader=ROLE -v writer=ROLE -f awkward.sql, as superuser, in an empty UTF-8 database of a server that has
-- the extension roundtrip (tests/roundtrip/extension.sh). Stock pg_dump and pg_restore get all of it over unchanged: a test says
-- so first, so that what fails afterwards is migsafe's. What cannot be copied at all is not here but in docs/LIMITS.md.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET client_encoding = 'UTF8';

-- Default privileges: what a restore creates must not gain or lose grants by them.
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO :"reader";
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE :"writer" IN SCHEMA public GRANT UPDATE ON SEQUENCES TO :"reader" WITH GRANT OPTION;

-- The public schema with another owner, other rights and another comment than a new database has.
ALTER SCHEMA public OWNER TO :"writer";
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"reader";
COMMENT ON SCHEMA public IS 'not the standard one; it''s "ours"';

-- An extension's configuration tables: members whose own rows are dumped, by a condition, with keys between them and
-- a sequence; a member that has no condition must not be dumped at all.
CREATE SCHEMA "ext $1";
CREATE EXTENSION roundtrip SCHEMA "ext $1";
INSERT INTO "ext $1".setting VALUES (100, 'ours', false), (101, E'tab\there', false);
INSERT INTO "ext $1".choice VALUES (1, 100), (2, 1);
INSERT INTO "ext $1".fixed VALUES ('not dumped');
SELECT setval('"ext $1".number', 77);
DELETE FROM "ext $1".fixed;

-- Names: quotes, backslash, newline, tab, percent, dollar, blanks around, emoji, 63 bytes, mixed case, reserved words, dots
-- and slashes, and a schema whose name looks like a system's.
CREATE SCHEMA "pg-like";
CREATE SCHEMA "Odd ""Schema"" \ %s {}";
CREATE TABLE "Odd ""Schema"" \ %s {}"."it's a ""table"", \n or so" ("co""l'umn" int PRIMARY KEY, "with	tab" text, "\." text, "select" text DEFAULT 'x');
INSERT INTO "Odd ""Schema"" \ %s {}"."it's a ""table"", \n or so" VALUES (1, E'a\tb', E'\\.', E'\\N'), (2, NULL, '', 'NULL');
CREATE TABLE "pg-like"." leading and trailing " (" " int, "  " int);
INSERT INTO "pg-like"." leading and trailing " VALUES (1, 2);
CREATE TABLE "pg-like"."line
break
COPY public.gone FROM stdin;" ("line
break" int);
INSERT INTO "pg-like"."line
break
COPY public.gone FROM stdin;" VALUES (1), (2);
CREATE TABLE "pg-like"."🦄 ünïcode 表" ("ключ" serial PRIMARY KEY, "值" text UNIQUE);
INSERT INTO "pg-like"."🦄 ünïcode 表" ("值") VALUES ('🦄'), ('e' || U&'\0301'), ('é');
CREATE TABLE "pg-like"."sixty-three bytes, as many as a name can have and not one more." ("sixty-three bytes, as many as a column has, and not one more..." int);
INSERT INTO "pg-like"."sixty-three bytes, as many as a name can have and not one more." VALUES (63);
CREATE TABLE "pg-like"."USER" ("Select" int, select_ int, "select" int, "SELECT" int, "user" text, "order" int, "table" int);
INSERT INTO "pg-like"."USER" VALUES (1, 2, 3, 4, 'five', 6, 7);
CREATE TABLE "pg-like"."user" (LIKE "pg-like"."USER");
INSERT INTO "pg-like"."user" VALUES (7, 6, 5, 4, 'three', 2, 1);
CREATE TABLE "pg-like"."a.b" ("c.d" int);
CREATE TABLE "pg-like".a ("b.c" int);
INSERT INTO "pg-like"."a.b" VALUES (1);
INSERT INTO "pg-like".a VALUES (2);
CREATE TABLE "pg-like"."../../etc/passwd" (a int);
INSERT INTO "pg-like"."../../etc/passwd" VALUES (3);
CREATE TABLE "pg-like".toc (dat int);
INSERT INTO "pg-like".toc VALUES (4);

-- No columns at all, with and without rows; and columns that are gone, before, between and behind.
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 7);
CREATE TABLE no_columns_empty ();
CREATE TABLE lost_all (a int, b int);
INSERT INTO lost_all SELECT i, i FROM generate_series(1, 5) i;
ALTER TABLE lost_all DROP COLUMN a, DROP COLUMN b;
CREATE TABLE dropped (gone1 int, a int, gone2 text, b text, gone3 int);
INSERT INTO dropped SELECT i, i, 'x', 'b' || i, i FROM generate_series(1, 100) i;
ALTER TABLE dropped DROP COLUMN gone1, DROP COLUMN gone2, DROP COLUMN gone3, ADD COLUMN added int DEFAULT 42;

-- Generated columns are not in COPY's list: the last, the first, and all columns.
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE TABLE generated_last (a int, b int GENERATED ALWAYS AS (public.twice(a)) STORED);
CREATE TABLE generated_first (b int GENERATED ALWAYS AS (a * 2) STORED, a int, c text GENERATED ALWAYS AS (upper(d)) STORED, d text);
CREATE TABLE generated_only (b int GENERATED ALWAYS AS (6 * 7) STORED);
INSERT INTO generated_last SELECT i FROM generate_series(1, 50) i;
INSERT INTO generated_first (a, d) SELECT i, 'd' || i FROM generate_series(1, 50) i;
INSERT INTO generated_only SELECT FROM generate_series(1, 3);

-- Identity and sequences: odd increments, descending, cycling, never called, called once, set without a call, at their end,
-- of smaller types, alone, owned by a column that is not their default, renamed.
CREATE TABLE identity_always (id bigint GENERATED ALWAYS AS IDENTITY (START -3 INCREMENT -7 MINVALUE -100000 MAXVALUE 5 CACHE 3) PRIMARY KEY, a text);
CREATE TABLE identity_default (id smallint GENERATED BY DEFAULT AS IDENTITY (START 17 INCREMENT 5 CYCLE), a text);
INSERT INTO identity_always (a) SELECT 'a' || i FROM generate_series(1, 20) i;
INSERT INTO identity_always OVERRIDING SYSTEM VALUE VALUES (4711, 'given');
INSERT INTO identity_default (a) SELECT 'a' || i FROM generate_series(1, 20) i;
CREATE SEQUENCE seq_never;
CREATE SEQUENCE seq_once;
CREATE SEQUENCE seq_set_not_called START 5;
CREATE SEQUENCE seq_down INCREMENT -1 START -1;
CREATE SEQUENCE seq_at_end AS smallint MAXVALUE 3 NO CYCLE;
CREATE SEQUENCE seq_biggest MAXVALUE 9223372036854775807;
CREATE UNLOGGED SEQUENCE seq_unlogged;
CREATE SEQUENCE "seq""odd'\ name" CACHE 10;
CREATE TABLE owns_two (a serial, b int);
ALTER SEQUENCE seq_once OWNED BY owns_two.b;
ALTER SEQUENCE owns_two_a_seq RENAME TO "Renamed Sequence";
SELECT nextval('seq_once'), nextval('seq_down'), nextval('seq_down'), setval('seq_set_not_called', 4711, false),
	setval('seq_at_end', 3), setval('seq_biggest', 9223372036854775807), nextval('seq_unlogged'), nextval('"seq""odd''\ name"');

-- Inheritance: rows of the parent's own, of children and grandchildren, two parents, a child's own default.
CREATE TABLE parent (id int, at date DEFAULT '2000-01-01');
CREATE TABLE child (extra text) INHERITS (parent);
CREATE TABLE grandchild (more int) INHERITS (child);
CREATE TABLE other_parent (id int, x text);
CREATE TABLE child_of_two () INHERITS (parent, other_parent);
ALTER TABLE child ALTER COLUMN at SET DEFAULT '2001-01-01';
INSERT INTO parent VALUES (1), (2);
INSERT INTO child VALUES (3, DEFAULT, 'child'), (4, NULL, NULL);
INSERT INTO grandchild VALUES (5, '2005-05-05', 'grand', 6);
INSERT INTO other_parent VALUES (6, 'other');
INSERT INTO child_of_two (id, x) VALUES (7, 'both');

-- Partitions: by range, list, hash, by an expression, of partitions, by default, in another column order, with dropped columns,
-- with an index of their own, in another schema, none at all, and with a key to them.
CREATE TABLE by_range (id int, at date NOT NULL, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE by_range_2024 PARTITION OF by_range FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE by_range_other_order (v text, gone int, at date NOT NULL, id int NOT NULL);
ALTER TABLE by_range_other_order DROP COLUMN gone;
ALTER TABLE by_range ATTACH PARTITION by_range_other_order FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE "pg-like".by_range_default PARTITION OF by_range DEFAULT;
CREATE TABLE by_range_sub PARTITION OF by_range FOR VALUES FROM ('2026-01-01') TO ('2027-01-01') PARTITION BY LIST (id);
CREATE TABLE by_range_sub_1 PARTITION OF by_range_sub FOR VALUES IN (136, 137, 138);
CREATE TABLE by_range_sub_rest PARTITION OF by_range_sub DEFAULT;
CREATE INDEX by_range_v ON by_range (v);
CREATE INDEX by_range_2024_own ON by_range_2024 (lower(v));
INSERT INTO by_range SELECT i, date '2023-06-01' + i * 7, 'v' || i FROM generate_series(1, 300) i;
CREATE TABLE refers_to_partitioned (a int, b date, FOREIGN KEY (a, b) REFERENCES by_range);
INSERT INTO refers_to_partitioned SELECT id, at FROM by_range WHERE id % 10 = 0;
CREATE TABLE by_list (k text, v int) PARTITION BY LIST (lower(k));
CREATE TABLE by_list_a PARTITION OF by_list FOR VALUES IN ('a', 'ä', NULL);
CREATE TABLE by_list_rest PARTITION OF by_list DEFAULT;
INSERT INTO by_list VALUES ('A', 1), ('ä', 2), (NULL, 3), ('z', 4);
CREATE TABLE by_hash (id int PRIMARY KEY, v text) PARTITION BY HASH (id);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 0);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 1);
CREATE TABLE by_hash_2 PARTITION OF by_hash FOR VALUES WITH (MODULUS 3, REMAINDER 2);
INSERT INTO by_hash SELECT i, 'h' || i FROM generate_series(1, 200) i;
CREATE TABLE no_partitions (a int) PARTITION BY LIST (a);

-- Hash partitions of an enum: its hash goes by oid, so that rows belong into other partitions of the restored database
-- and must go through the root, also where partitions of them are below.
CREATE TYPE colour AS ENUM ('red', 'green', 'blue', 'it''s "odd"', 'black');
CREATE TABLE by_enum (c colour, n int) PARTITION BY HASH (c);
CREATE TABLE by_enum_0 PARTITION OF by_enum FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_enum_1 PARTITION OF by_enum FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY LIST (n);
CREATE TABLE by_enum_1_all PARTITION OF by_enum_1 DEFAULT;
INSERT INTO by_enum SELECT unnest(enum_range(NULL::colour)), i FROM generate_series(1, 40) i;

-- Unlogged tables, and options of storage.
CREATE UNLOGGED TABLE unlogged (a int PRIMARY KEY, b text);
INSERT INTO unlogged VALUES (1, 'kept by pg_dump'), (2, NULL);
CREATE TABLE stored (a text, b text, c text) WITH (fillfactor = 40, autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE stored ALTER COLUMN a SET STORAGE EXTERNAL, ALTER COLUMN b SET STATISTICS 500, ALTER COLUMN c SET (n_distinct = -0.5), ALTER COLUMN b SET COMPRESSION pglz;
INSERT INTO stored SELECT repeat('a', 5000), repeat(md5(i::text), 300), i::text FROM generate_series(1, 60) i;
CREATE TABLE clustered (a int PRIMARY KEY, b int NOT NULL, c int);
CREATE UNIQUE INDEX clustered_b ON clustered (b) INCLUDE (c);
ALTER TABLE clustered CLUSTER ON clustered_b;
ALTER TABLE clustered REPLICA IDENTITY USING INDEX clustered_pkey;
CREATE TABLE identity_full (a int);
ALTER TABLE identity_full REPLICA IDENTITY FULL;
INSERT INTO clustered SELECT i, -i FROM generate_series(1, 500) i;
INSERT INTO identity_full SELECT i FROM generate_series(1, 5) i;

-- Views: on views, with rules, with a check, recursive, barrier, by a primary key's dependency; a rule on a table that
-- would double what is copied in if rules were followed.
CREATE TABLE ruled (a int PRIMARY KEY, b text);
CREATE TABLE ruled_log (a int, at text DEFAULT 'rule');
CREATE RULE ruled_twice AS ON INSERT TO ruled DO ALSO INSERT INTO ruled_log VALUES (NEW.a);
CREATE RULE ruled_never AS ON DELETE TO ruled DO INSTEAD NOTHING;
INSERT INTO ruled VALUES (1, 'one'), (2, 'two');
CREATE VIEW over_ruled WITH (security_barrier, check_option = cascaded) AS SELECT a, b FROM ruled WHERE a > 0;
CREATE VIEW by_rule AS SELECT a, b FROM ruled;
CREATE RULE by_rule_insert AS ON INSERT TO by_rule DO INSTEAD INSERT INTO ruled VALUES (NEW.a, NEW.b);
CREATE VIEW over_over AS SELECT o.*, t.tableoid::regclass::text AS t FROM over_ruled o JOIN ruled t USING (a);
CREATE RECURSIVE VIEW counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 5;
CREATE VIEW grouped AS SELECT a, b, count(*) FROM ruled GROUP BY a;

-- Triggers must not run while rows come in: disabled, always, replica, constraint and deferred ones, with transition tables.
CREATE TABLE triggered (a int PRIMARY KEY, b text);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the trigger % ran', TG_NAME; END $$;
INSERT INTO triggered SELECT i, 'b' FROM generate_series(1, 30) i;
CREATE TRIGGER t_insert BEFORE INSERT ON triggered FOR EACH ROW EXECUTE FUNCTION refuse('an argument', E'with \\ and ''');
CREATE TRIGGER t_disabled AFTER UPDATE ON triggered FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER t_always AFTER INSERT ON triggered FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE TRIGGER t_replica AFTER TRUNCATE ON triggered FOR EACH STATEMENT EXECUTE FUNCTION refuse();
CREATE CONSTRAINT TRIGGER t_constraint AFTER UPDATE ON triggered DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.a > 5) EXECUTE FUNCTION refuse();
CREATE TRIGGER t_transition AFTER UPDATE ON triggered REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION refuse();
ALTER TABLE triggered DISABLE TRIGGER t_disabled, ENABLE ALWAYS TRIGGER t_always, ENABLE REPLICA TRIGGER t_replica;
COMMENT ON TRIGGER t_insert ON triggered IS 'must not run';

-- Row level security, forced also on the owner: COPY must see all rows.
CREATE TABLE secret (id int PRIMARY KEY, who text);
INSERT INTO secret SELECT i, CASE WHEN i % 2 = 0 THEN 'reader' ELSE 'other' END FROM generate_series(1, 40) i;
ALTER TABLE secret OWNER TO :"writer";
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE secret FORCE ROW LEVEL SECURITY;
CREATE POLICY reads ON secret FOR SELECT TO :"reader" USING (who = 'reader');
CREATE POLICY never ON secret AS RESTRICTIVE USING (false) WITH CHECK (false);

-- Constraints: exclusion, deferrable keys, cycles of foreign keys, to itself, not valid ones with rows that break them, NULLS NOT
-- DISTINCT, on delete of some columns, a domain that is not valid.
CREATE TABLE excluded (during int4range, room int, EXCLUDE USING gist (during WITH &&) WHERE (room > 0) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO excluded SELECT int4range(i * 10, i * 10 + 5), 1 FROM generate_series(1, 30) i;
INSERT INTO excluded VALUES ('[0,1000)', 0), ('empty', 5), (NULL, 5);
CREATE TABLE deferred (id int PRIMARY KEY, u int UNIQUE NULLS NOT DISTINCT DEFERRABLE, next int REFERENCES deferred DEFERRABLE);
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO deferred SELECT i, i, 1 + i % 50 FROM generate_series(1, 50) i;
COMMIT;
CREATE TABLE hen (id int PRIMARY KEY, egg int);
CREATE TABLE egg (id int PRIMARY KEY, hen int REFERENCES hen ON DELETE SET NULL (hen) ON UPDATE CASCADE);
INSERT INTO hen SELECT i, i FROM generate_series(1, 20) i;
INSERT INTO egg SELECT i, 21 - i FROM generate_series(1, 20) i;
ALTER TABLE hen ADD CONSTRAINT hen_egg FOREIGN KEY (egg) REFERENCES egg DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE broken (a int, b int, h int);
INSERT INTO broken SELECT i, -i, i + 1000 FROM generate_series(1, 20) i;
ALTER TABLE broken ADD CONSTRAINT broken_b CHECK (b > 0) NOT VALID, ADD CONSTRAINT broken_h FOREIGN KEY (h) REFERENCES hen NOT VALID, ADD CONSTRAINT fine CHECK (a > 0) NO INHERIT;
COMMENT ON CONSTRAINT broken_b ON broken IS 'not valid';
CREATE DOMAIN later AS int;
CREATE TABLE uses_later (a later, b later[]);
-- Values that fit: beside each other pg_restore -j may add the check before the rows are there (a race of the stock tool).
INSERT INTO uses_later VALUES (7, '{7,NULL}');
ALTER DOMAIN later ADD CONSTRAINT positive CHECK (VALUE > 0) NOT VALID;

-- Indexes of all methods and of expressions; one that a failed CREATE INDEX CONCURRENTLY left is in no dump.
CREATE TABLE indexed (id int, doc jsonb, words text[], at int4range, body tsvector, p point, t text);
INSERT INTO indexed SELECT i % 90, jsonb_build_object('i', i), ARRAY['w' || i % 7, NULL], int4range(i, i + 3), to_tsvector('simple', 'w' || i), point(i, i), 'T' || i
	FROM generate_series(1, 100) i;
CREATE INDEX ON indexed USING gin (doc jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX ON indexed USING gin (words);
CREATE INDEX ON indexed USING gist (at);
CREATE INDEX ON indexed USING spgist (p);
CREATE INDEX ON indexed USING brin (id) WITH (pages_per_range = 4);
CREATE INDEX ON indexed USING hash (t);
CREATE INDEX indexed_odd ON indexed (lower(t) COLLATE "C" text_pattern_ops DESC NULLS LAST, (doc ->> 'i')) WHERE id > 3;
COMMENT ON INDEX indexed_odd IS 'of expressions';
ALTER INDEX indexed_odd ALTER COLUMN 1 SET STATISTICS 77;
CREATE INDEX indexed_invalid ON indexed (id);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'indexed_invalid'::regclass;

-- Functions that need a search_path of their own in an index and in a materialized view; bodies that name what is made
-- later, and standard bodies, which make dependencies; procedures, aggregates, overloads, odd defaults.
CREATE SCHEMA helpers;
CREATE FUNCTION helpers.inner_part(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper($1)';
CREATE FUNCTION helpers.outer_part(text) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = helpers, pg_catalog AS 'BEGIN RETURN inner_part($1) || ''!''; END';
CREATE TABLE by_function (a text);
CREATE INDEX by_function_i ON by_function (helpers.outer_part(a));
INSERT INTO by_function SELECT 'f' || i FROM generate_series(1, 50) i;
CREATE FUNCTION standard_body(n int) RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC; SELECT count(*) FROM by_function WHERE length(a) > n; END;
CREATE FUNCTION body_comes_later() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM public.zz_made_later); END';
CREATE TABLE zz_made_later (a int DEFAULT body_comes_later());
INSERT INTO zz_made_later VALUES (1), (2);
CREATE FUNCTION odd_defaults(OUT c int, OUT d text, a text DEFAULT E'it''s \\ "x"', VARIADIC b int[] DEFAULT '{1,2}') LANGUAGE plpgsql COST 7 PARALLEL SAFE STRICT SECURITY DEFINER AS
	$body$ BEGIN c := 1; d := $x$ ; -- $body
$x$; END $body$;
CREATE PROCEDURE proceed(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := a + 1; END';
CREATE FUNCTION overloaded(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION overloaded(text) RETURNS int LANGUAGE sql AS 'SELECT 2';
CREATE AGGREGATE longest(text) (SFUNC = textcat, STYPE = text, INITCOND = '');
GRANT EXECUTE ON FUNCTION overloaded(text) TO :"reader";
COMMENT ON FUNCTION overloaded(int) IS 'one of two';

-- Types: composite and nested, ranges and multiranges of own types, domains over domains and arrays, an enum with a value put
-- between, operators with classes and families, casts, collations, a shell of a base type, tables of a type.
CREATE TYPE pair AS ("left" int, "Right" text);
CREATE TYPE nested AS (p pair, list pair[]);
ALTER TYPE colour ADD VALUE 'yellow' BEFORE 'green';
CREATE DOMAIN positive AS int CHECK (VALUE > 0) DEFAULT 1;
CREATE DOMAIN small AS positive NOT NULL CONSTRAINT less CHECK (VALUE < 100);
CREATE DOMAIN smalls AS positive[] CHECK (cardinality(VALUE) < 5);
CREATE TYPE textrange AS RANGE (subtype = text, collation = "C", multirange_type_name = manytexts);
CREATE TYPE shell;
CREATE TABLE typed_values (id int PRIMARY KEY, p pair, n nested, s small, ss smalls, r textrange, m manytexts, c colour, cs colour[], d positive[]);
INSERT INTO typed_values VALUES (1, ROW(1, E'a "b" \\, c'), ROW(ROW(1, NULL), ARRAY[ROW(2, ''), NULL]::pair[]), 5, '{1,2}', textrange(E'a "x\\', 'b,c)'), '{["a","b"),("c","d"]}', 'it''s "odd"', '{black,NULL}', '{1,2}'),
	(2, NULL, NULL, 6, NULL, 'empty', '{}', 'red', '{}', NULL), (3, '(,)', '("(,)",{})', 7, '{}', '(,)', '{(,)}', NULL, NULL, '{}');
CREATE TABLE of_type OF pair ("left" WITH OPTIONS PRIMARY KEY);
INSERT INTO of_type VALUES (1, 'typed');
CREATE FUNCTION pair_less(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT ($1)."left" < ($2)."left"';
CREATE OPERATOR <<< (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_less, RESTRICT = scalarltsel);
CREATE OPERATOR FAMILY own_family USING btree;
CREATE FUNCTION int4_backwards(int, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT btint4cmp($2, $1)';
CREATE OPERATOR CLASS backwards FOR TYPE int USING btree FAMILY own_family AS OPERATOR 1 >, OPERATOR 2 >=, OPERATOR 3 =, OPERATOR 4 <=, OPERATOR 5 <, FUNCTION 1 int4_backwards(int, int);
CREATE INDEX dropped_backwards ON dropped (a backwards);
CREATE FUNCTION to_pair(int) RETURNS pair LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1, NULL)::public.pair';
CREATE CAST (int AS pair) WITH FUNCTION to_pair(int) AS ASSIGNMENT;
COMMENT ON CAST (int AS pair) IS 'a cast';
CREATE COLLATION nobody_else (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
CREATE COLLATION plain_c (LOCALE = 'C');
CREATE TABLE collated (a text COLLATE nobody_else UNIQUE, b text COLLATE plain_c);
INSERT INTO collated VALUES ('Straße', 'a'), ('strass', 'b'), ('zoë', 'B');
CREATE COLLATION german (PROVIDER = icu, LOCALE = 'de-u-co-phonebk');
CREATE INDEX collated_german ON collated (b COLLATE german);

-- Values whose text is easily damaged: backslashes, the end mark of COPY, \N as text, empty against NULL, control
-- characters, carriage returns, the edges of numbers and of time, arrays of arrays with NULL and odd bounds.
CREATE TABLE texts (id serial PRIMARY KEY, t text, c char(10), v varchar, n name, "char" "char");
INSERT INTO texts (t, c, v, n, "char") VALUES (E'\\.', E'\\.', E'\\.', E'\\.', E'\\'), (E'\\N', E'\\N', E'\\N', E'\\N', 'N'), ('', '', '', '', ''), (NULL, NULL, NULL, NULL, NULL),
	('NULL', 'null', 'Null', 'NULL', 'x'), (E'a\\.\n\\.\nb\r\n\r', 'x  ', E'\t\x0b\f\b\x01\x7f', E'\n', E'\n'), (E'\\', E'\\\\', E'\\\\\\', E'\\\\', E'\t'),
	(E'\\x41\\101\\n\\t', '🦄', U&'\FEFF\200B\+01F984', '"', ''''), (repeat(E'\\', 9999), '', repeat(E'\n', 5000), '', NULL), (E'\\.\n', E'\n\\.\n', 'x', 'y', '.');
CREATE TABLE numbers (a float4, b float8, c numeric, d numeric(10, 3), e money, f bit(5), g bit varying, h oid, i xid8, j pg_lsn);
INSERT INTO numbers VALUES ('NaN', 'NaN', 'NaN', 1.005, '-92233720368547758.08', '10101', '', 4294967295, '18446744073709551615', 'FFFFFFFF/FFFFFFFF'),
	('Infinity', '-Infinity', 'Infinity', -0.0001, '92233720368547758.07', '00000', '1', 0, '0', '0/0'), ('-0', '-0', '-Infinity', 9999999.999, 0, NULL, NULL, NULL, NULL, NULL),
	(1e-45, 5e-324, 1e-1000, 0, NULL, NULL, NULL, NULL, NULL, NULL), (3.4028235e38, 1.7976931348623157e308, ('9' || repeat('1', 500))::numeric / 7, 0, NULL, NULL, NULL, NULL, NULL, NULL), (0.1, 0.1, 1.10, 1.10, 1.1, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE times (a timestamptz, b timestamp, c date, d interval, e timetz, f time(2), g tstzrange, h tstzmultirange);
INSERT INTO times VALUES ('infinity', '-infinity', 'infinity', '-178000000 years', '23:59:60+15:59', '24:00', '(,)', '{(,)}'),
	('4713-01-01 00:00:00 BC', '4713-11-24 00:00:00 BC', '4713-01-01 BC', '1 year -2 mons 3 days -04:05:06.789', '00:00-15:59', '00:00:00.99', 'empty', '{}'),
	('294276-12-31 23:59:59.999999+00', '294276-12-31 23:59:59.999999', '5874897-12-31', '0', NULL, NULL, '["2000-01-01 00:00:00.000001 BC",infinity]', NULL),
	('0001-12-31 23:59:59 BC', '1582-10-10', '0001-01-01', '-00:00:00.000001', NULL, NULL, NULL, NULL), ('1883-11-18 12:00:00 America/New_York', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE binaries (id int PRIMARY KEY, b bytea, u uuid, i inet, c cidr, m macaddr, m8 macaddr8);
INSERT INTO binaries SELECT 1, string_agg(decode(lpad(to_hex(i), 2, '0'), 'hex'), '' ORDER BY i), '00000000-0000-0000-0000-000000000000', '::ffff:1.2.3.4/128', '::/0', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00:00:00' FROM generate_series(0, 255) i;
INSERT INTO binaries VALUES (2, '', NULL, '10.1.2.3/8', '10/8', NULL, NULL), (3, NULL, NULL, NULL, NULL, NULL, NULL), (4, E'\\x5c2e0a5c2e', NULL, NULL, NULL, NULL, NULL);
CREATE TABLE documents (id int PRIMARY KEY, j json, b jsonb, x xml, p jsonpath, v tsvector, q tsquery);
INSERT INTO documents VALUES (1, E'{"a" : 1,\n"a":2,  "\\u00e9": "\\ud83e\\udd84 \\\\ \\" \\n"}', E'{"\\u0001": [null, {}, [], "", -0, 1e5, 12345678901234567890.10], "": {"": ""}}', '<a b="&lt;&amp;"><![CDATA[ ]]> x</a>', '$.a[*] ? (@.b > 1 && @."c" like_regex "^\\d")', $$'a''b':1A,2 'c d':3$$, $$'a':*A & !('b' <-> 'c')$$),
	(2, '"\u0000 is fine in json"', 'null', NULL, NULL, '', ''), (3, ' [ ] ', '"\\."', '', NULL, NULL, NULL);
CREATE TABLE arrays (a int[], b text[], c text[][], d jsonb[], e bytea[], f numeric[]);
INSERT INTO arrays VALUES ('{}', '{}', NULL, NULL, NULL, NULL), ('[-3:-2][5:6]={{1,NULL},{3,4}}', ARRAY['NULL', NULL, '', ' ', '"', E'\\', '{}', ',', E'\n', E'\t', 'null'], '{{a,NULL},{"",b}}', ARRAY['{"a": [1]}', NULL]::jsonb[], ARRAY['\x00ff', '']::bytea[], '{NaN,Infinity,1.10}');
CREATE TABLE shapes (p point, l line, s lseg, b box, pa path, po polygon, c circle);
INSERT INTO shapes VALUES ('(1e300,-0)', '{1,-1,0.1}', '[(0,0),(1,NaN)]', '(2,2),(1,1)', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(0.1,0.2),0>'), (NULL, NULL, NULL, NULL, '((0,0))', NULL, '<(Infinity,NaN),3>');
CREATE TABLE registered (a regclass, b regproc, c regtype, d regrole, e regnamespace, f tid, g xid, h cid);
INSERT INTO registered VALUES ('pg_class', 'version', 'int', 'postgres', 'pg_catalog', '(1,2)', '3', '4');

-- As wide as a table can be, and as long as a row may get: 1,600 columns, a text of 20 MB in one row, bytes of 5 MB.
DO $$ BEGIN EXECUTE (SELECT 'CREATE TABLE widest (' || string_agg(format('"column number %s" boolean', i), ', ') || ')' FROM generate_series(1, 1600) i); END $$;
INSERT INTO widest ("column number 1", "column number 800", "column number 1600") VALUES (true, false, NULL), (NULL, NULL, true);
INSERT INTO widest SELECT FROM generate_series(1, 10);
CREATE TABLE longest_row (id int PRIMARY KEY, t text);
INSERT INTO longest_row SELECT 1, string_agg(md5(i::text), E'\n') FROM generate_series(1, 635000) i;
INSERT INTO longest_row VALUES (2, ''), (3, NULL);
CREATE TABLE long_bytes (b bytea);
INSERT INTO long_bytes SELECT string_agg(decode(md5(i::text), 'hex'), '') FROM generate_series(1, 330000) i;

-- Enough rows and pages that a small split-size cuts: with a hole that deletes left, with all text out of line, generated.
CREATE TABLE split_plain (id bigint PRIMARY KEY, a text, b int, c timestamptz DEFAULT '2026-01-01 00:00:00Z');
INSERT INTO split_plain (id, a, b) SELECT i, md5(i::text), i % 1000 FROM generate_series(1, 60000) i;
DELETE FROM split_plain WHERE id BETWEEN 10000 AND 40000;
VACUUM split_plain;
CREATE TABLE split_toasted (id int PRIMARY KEY, t text);
ALTER TABLE split_toasted ALTER COLUMN t SET STORAGE EXTERNAL;
INSERT INTO split_toasted SELECT i, repeat(md5(i::text), 100) FROM generate_series(1, 1500) i;
CREATE TABLE split_generated (b text GENERATED ALWAYS AS (a || '!') STORED, a text);
INSERT INTO split_generated (a) SELECT md5(i::text) FROM generate_series(1, 20000) i;

-- Large objects: empty, of some MB, with owner, rights and comment, with a hole in them.
SELECT lo_create(4711), lo_from_bytea(4712, '\x00ff5c2e0a'), lo_from_bytea(4713, (SELECT b FROM long_bytes)), lo_create(4714);
SELECT lo_put(4714, 3000000, 'after a hole');
ALTER LARGE OBJECT 4712 OWNER TO :"writer";
GRANT SELECT ON LARGE OBJECT 4712 TO :"reader";
GRANT ALL ON LARGE OBJECT 4713 TO PUBLIC;
COMMENT ON LARGE OBJECT 4712 IS 'it''s large';

-- Text search, statistics, publications, a subscription that is not connected, foreign data, an access method of its own.
CREATE TEXT SEARCH DICTIONARY own_dictionary (TEMPLATE = snowball, LANGUAGE = german, STOPWORDS = german);
CREATE TEXT SEARCH CONFIGURATION own_words (COPY = pg_catalog.german);
ALTER TEXT SEARCH CONFIGURATION own_words ALTER MAPPING FOR asciiword, word WITH own_dictionary, simple;
COMMENT ON TEXT SEARCH CONFIGURATION own_words IS 'words';
CREATE TABLE searched (t text, v tsvector GENERATED ALWAYS AS (to_tsvector('public.own_words', t)) STORED);
INSERT INTO searched VALUES ('die Häuser am Meer'), (NULL);
CREATE STATISTICS own_statistics (ndistinct, dependencies, mcv) ON b, (id % 10), a FROM split_plain;
ALTER STATISTICS own_statistics SET STATISTICS 321;
COMMENT ON STATISTICS own_statistics IS 'extended';
ANALYZE split_plain;
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert, truncate');
CREATE PUBLICATION "Some" FOR TABLE clustered (a, b) WHERE (a > 3), by_range WITH (publish_via_partition_root);
CREATE PUBLICATION whole_schema FOR TABLES IN SCHEMA "pg-like";
CREATE FOREIGN DATA WRAPPER "no'where" OPTIONS (debug 'tr''ue');
CREATE SERVER far TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER "no'where" OPTIONS (host 'nowhere.invalid');
CREATE USER MAPPING FOR :"reader" SERVER far OPTIONS (password 'se''cret');
CREATE FOREIGN TABLE elsewhere (id int OPTIONS (a 'b'), t text COLLATE "C") SERVER far OPTIONS (name 'x');
CREATE ACCESS METHOD heap_again TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE of_other_method (a int, b text) USING heap_again;
INSERT INTO of_other_method SELECT i, 'x' FROM generate_series(1, 10) i;

-- Rights: of columns, with grant option, taken from the owner, of types, languages, servers; owners of all kinds.
GRANT SELECT (a), UPDATE (b) ON dropped TO :"reader";
GRANT INSERT ON dropped TO :"reader" WITH GRANT OPTION;
REVOKE ALL ON TABLE ruled FROM postgres;
GRANT USAGE ON TYPE colour TO :"reader";
REVOKE USAGE ON TYPE pair FROM PUBLIC;
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
GRANT ALL ON SEQUENCE seq_never TO :"writer";
GRANT USAGE ON FOREIGN SERVER far TO :"reader";
GRANT USAGE ON SCHEMA public, helpers TO :"writer";
ALTER TABLE hen OWNER TO :"writer";
ALTER FUNCTION twice(int) OWNER TO :"writer";
ALTER TYPE colour OWNER TO :"writer";

-- Comments on what is easily forgotten.
COMMENT ON COLUMN dropped.b IS E'with\na line and a \\. and it''s "quoted"';
COMMENT ON TABLE no_columns IS 'nothing';
COMMENT ON VIEW over_over IS 'view';
COMMENT ON TYPE pair IS 'type';
COMMENT ON COLUMN pair."Right" IS 'of a type';
COMMENT ON DOMAIN small IS 'domain';
COMMENT ON CONSTRAINT less ON DOMAIN small IS 'of a domain';
COMMENT ON OPERATOR <<< (pair, pair) IS 'operator';
COMMENT ON POLICY reads ON secret IS 'policy';
COMMENT ON RULE ruled_never ON ruled IS 'rule';
COMMENT ON SEQUENCE seq_never IS 'sequence';
COMMENT ON PUBLICATION "Some" IS 'publication';
COMMENT ON FOREIGN TABLE elsewhere IS 'elsewhere';
COMMENT ON SERVER far IS 'far';
COMMENT ON AGGREGATE longest(text) IS 'aggregate';
COMMENT ON COLLATION german IS 'collation';
COMMENT ON EXTENSION roundtrip IS 'ours now';

-- Materialized views: on each other in an order that their names do not tell, by functions; one without rows, and one on that,
-- which cannot have any either; owned by somebody else; with an index.
CREATE MATERIALIZED VIEW z_first AS SELECT a, helpers.outer_part(a) AS o FROM by_function;
CREATE MATERIALIZED VIEW m_second AS SELECT o, length(o) AS n FROM z_first;
CREATE MATERIALIZED VIEW a_third AS SELECT count(*), max(n) FROM m_second WITH DATA;
CREATE UNIQUE INDEX m_second_o ON m_second (o);
CREATE MATERIALIZED VIEW never_filled AS SELECT * FROM numbers WITH NO DATA;
CREATE MATERIALIZED VIEW on_never_filled AS SELECT count(*) FROM never_filled WITH NO DATA;
CREATE MATERIALIZED VIEW on_hidden AS SELECT count(*) AS n FROM hen;
ALTER MATERIALIZED VIEW on_hidden OWNER TO :"writer";
COMMENT ON MATERIALIZED VIEW a_third IS 'third';

-- Last, because nothing can be made after it: an event trigger that refuses all DDL. A restore that makes it before its
-- other work is done fails.
CREATE FUNCTION no_more() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the event trigger refused %', TG_TAG; END $$;
CREATE EVENT TRIGGER no_more ON ddl_command_start WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'DROP TABLE', 'CREATE INDEX', 'DROP INDEX', 'CREATE FUNCTION', 'CREATE TRIGGER', 'CREATE VIEW', 'GRANT') EXECUTE FUNCTION no_more();
