#!/usr/bin/env bash
# Our own dump holds what pg_dump would, for every kind of object: stock pg_restore makes the same
# database of it, and what the manifest counts is right.
. "$(dirname "$0")/../lib.sh"
# What auto is depends on the version of the server.
export MIGSAFE_COMPRESSION=gzip:1

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

manifest() { # ID JQ-FILTER
	jq -r "$2" "$MIGSAFE_BACKUP_DIR/$1/manifest.json"
}

backup() { # [OPTION...]: sets ID to that of the full one
	run "$MIGSAFE" backup --json --kind full "$@"
	ID=$(jq -r '.backups[0].id' <<<"$OUT")
	[ "$RC" = 0 ]
}

stock() { # PROGRAM DB [ARGUMENT...]
	"$1" -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres -d "$(db_name "$2")" "${@:3}"
}

plain() { # a script of pg_dump or pg_restore without what no two runs have in common
	grep -av -e '^.restrict ' -e '^.unrestrict ' -e '^-- Started' -e '^-- Completed'
}

# Rows of split tables come in another order, names of databases differ.
texts_of() { # DB: schema as it is, data sorted
	stock pg_dump "$1" --schema-only | plain
	stock pg_dump "$1" --data-only | plain | LC_ALL=C sort
}

same_text() { # DB DB NAME
	texts_of "$1" >"$T/one"
	texts_of "$2" >"$T/other"
	is "$(diff -a "$T/one" "$T/other" | head -20)" "" "$3"
}

restored_by_stock() { # ID DB NAME
	db_create "$2"
	run stock pg_restore "$2" -Fd -j4 --exit-on-error "$MIGSAFE_BACKUP_DIR/$1"
	status_is 0 "$3"
}

sql app >"$T/ignored" <<'END_OF_SQL'
CREATE SCHEMA "Odd ""schema""";
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'fine');
CREATE TABLE "User" (id serial PRIMARY KEY, email text NOT NULL UNIQUE, nick text, mood mood,
	made timestamptz(3) DEFAULT '2026-01-01', doc jsonb, raw bytea, gone int, span interval, price float8);
INSERT INTO "User" (email, nick, mood, doc, raw, span, price)
	SELECT 'u' || i || '@x', CASE i % 5 WHEN 0 THEN E'tab\t nl\n \\N' WHEN 1 THEN '\N' WHEN 2 THEN '' END,
		CASE WHEN i % 2 = 0 THEN 'sad'::mood END, jsonb_build_object('i', i, 't', E'a\\b'), decode(md5(i::text), 'hex'),
		i * interval '1 day 3 hours', 1.0 / i FROM generate_series(1, 1000) i;
ALTER TABLE "User" DROP COLUMN gone;
CREATE TABLE "Odd ""schema"""."na""me, with
newline\" (" " int, "q""" text, "x
y" int NOT NULL DEFAULT 1, "select" int);
INSERT INTO "Odd ""schema"""."na""me, with
newline\" VALUES (1, 'a'), (NULL, 'b');
CREATE TABLE "table" ("user" int);
CREATE TABLE none ();
INSERT INTO none DEFAULT VALUES;
INSERT INTO none DEFAULT VALUES;
CREATE TABLE nothing (a int);
CREATE UNLOGGED TABLE fast AS SELECT 1 AS a;
CREATE TABLE made_up (a int, twice int GENERATED ALWAYS AS (a * 2) STORED, id bigint GENERATED ALWAYS AS IDENTITY, b text);
INSERT INTO made_up (a, b) VALUES (1, 'x'), (2, NULL), (NULL, 'z');
CREATE TABLE only_made_up (a int GENERATED ALWAYS AS (5) STORED);
INSERT INTO only_made_up DEFAULT VALUES;
CREATE TABLE event (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_2026 (what text, at date NOT NULL);
ALTER TABLE event ATTACH PARTITION event_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO event VALUES ('2025-05-05', 'x'), ('2026-06-06', 'y'), ('2026-07-07', NULL);
CREATE TABLE "by
mood" (id int, m mood) PARTITION BY HASH (m);
CREATE TABLE by_mood_0 PARTITION OF "by
mood" FOR VALUES WITH (MODULUS 2, REMAINDER 0) PARTITION BY RANGE (id);
CREATE TABLE by_mood_0_all PARTITION OF by_mood_0 DEFAULT;
CREATE TABLE by_mood_1 PARTITION OF "by
mood" FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO "by
mood" SELECT i, (ARRAY['sad', 'it''s ok', 'fine'])[1 + i % 3]::mood FROM generate_series(1, 100) i;
CREATE TABLE parent (a int);
CREATE TABLE child (b int) INHERITS (parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (2, 3), (4, 5);
CREATE MATERIALIZED VIEW sums AS SELECT mood, count(*) FROM "User" GROUP BY mood;
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS a WITH NO DATA;
CREATE VIEW seen AS SELECT email FROM "User";
CREATE TABLE secret (a int);
INSERT INTO secret VALUES (1), (2);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
ALTER TABLE secret FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON secret USING (a = 1);
CREATE EXTENSION postgres_fdw;
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid');
CREATE FOREIGN TABLE far (a int) SERVER elsewhere;
CREATE SEQUENCE big START 9223372036854775000;
CREATE SEQUENCE down INCREMENT -1;
CREATE SEQUENCE "it's \ odd";
SELECT nextval('big'), nextval('down'), setval('down', -5, false), nextval('"it''s \ odd"');
SELECT lo_from_bytea(100001, 'large one'), lo_from_bytea(100002, decode(repeat('00ff', 700000), 'hex')), lo_create(100003),
	lo_from_bytea(100004, decode(repeat('61', 16384), 'hex'));
COMMENT ON LARGE OBJECT 100001 IS 'a comment';
CREATE TABLE long (id int, body text);
ALTER TABLE long ALTER body SET STORAGE EXTERNAL;
INSERT INTO long SELECT 1, repeat(md5('x') || E'\\', 120000);
INSERT INTO long VALUES (2, 'short'), (3, NULL);
CREATE TABLE many (id int PRIMARY KEY, body text);
INSERT INTO many SELECT i, CASE WHEN i % 3 > 0 THEN repeat(md5(i::text), 4) END FROM generate_series(1, 20000) i;
DELETE FROM many WHERE id % 7 = 0;
END_OF_SQL

# --- as stock tools see it --------------------------------------------------------------------------

backup --split-size 100kB --jobs 2 --compression gzip:1
ok $? "a backup of every kind of object"
SPLIT=$ID
stock pg_dump app -Fd -j2 -f "$T/stock"
pg_restore -f - "$T/stock" | plain | LC_ALL=C sort >"$T/one"
pg_restore -f - "$MIGSAFE_BACKUP_DIR/$SPLIT" | plain | LC_ALL=C sort >"$T/other"
is "$(diff -a "$T/one" "$T/other" | head -20)" "" "it says what stock pg_dump says"
is "$(pg_restore -l "$T/stock" | grep -av '^;' | cut -d' ' -f2- | LC_ALL=C sort)" \
	"$(pg_restore -l "$MIGSAFE_BACKUP_DIR/$SPLIT" | grep -av '^;' | cut -d' ' -f2- | LC_ALL=C sort)" \
	"with the same entries and owners"
restored_by_stock "$SPLIT" again "stock pg_restore restores it with four jobs"
same_text app again "the same database comes out"
is "$(manifest "$SPLIT" '.tables[] | select(.load_root_name != null) | "\(.name) \(.load_root_schema).\(.load_root_name)"')" \
	"by_mood_0_all public.by
mood
by_mood_1 public.by
mood" "partitions by the hash of an enum say what to load them through"

# --- what the manifest counts -------------------------------------------------------------------------

sql app "SELECT string_agg(format('SELECT %L, (SELECT count(*) FROM ONLY %s), (SELECT count(%I) FROM ONLY %s)',
		c.oid::regclass::text || '.' || attname, c.oid::regclass, attname, c.oid::regclass), ' UNION ALL ')
	FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
	WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace" >"$T/counts.sql"
# shellcheck disable=SC2016 # $t is jq's
is "$(manifest "$SPLIT" '.tables[] | select(.schema == "public") as $t | .columns[]
		| "\($t.name).\(.name) \($t.rows) \(.values)"' | LC_ALL=C sort)" \
	"$(psql_as postgres app -F ' ' -f "$T/counts.sql" | tr -d '"' | LC_ALL=C sort)" "rows and values are those of the server"
is "$(manifest "$SPLIT" '.tables[].columns[] | select(.generated) | .name' | tr '\n' ' ')" "twice a " "generated columns are marked"
while read -r file bytes sum; do
	plain=$(zcat "$MIGSAFE_BACKUP_DIR/$SPLIT/$file" | wc -c)
	[ "$((plain - 5))" = "$bytes" ] && [ "$(sha256sum <"$MIGSAFE_BACKUP_DIR/$SPLIT/$file")" = "$sum  -" ] ||
		echo "$file $bytes $plain"
done < <(manifest "$SPLIT" '.tables[] | "\(.file) \(.text_bytes) \(.sha256)"') >"$T/wrong"
is "$(cat "$T/wrong")" "" "bytes of text and sums are those of the files"

contents() { # ID
	manifest "$1" '.tables[] | "\(.name) \(.content) \(.text_bytes)"'
}
backup --split-size 0 --jobs 3 --compression none
is "$RC $(contents "$ID")" "0 $(contents "$SPLIT")" "the content is the same, split or not, packed or not"
WHOLE=$ID
members() { # ID TABLE -> how many members its file has
	LC_ALL=C grep -aoP '\x1f\x8b\x08' "$MIGSAFE_BACKUP_DIR/$1/$(manifest "$1" ".tables[] | select(.name == \"$2\") | .file")" | wc -l
}
[ "$(members "$SPLIT" many)" -gt 8 ]
ok $? "though a table was split indeed"
sql app "UPDATE many SET body = reverse(body) WHERE id = 1; UPDATE secret SET a = a"
backup --jobs 1 --compression gzip:1
is "$(diff <(contents "$ID") <(contents "$SPLIT") | grep -c '^<')" 1 "and another one when a value is another one"
restored_by_stock "$WHOLE" plain "stock pg_restore restores a plain one"
same_text again plain "to the same"

# --- kinds of packing -----------------------------------------------------------------------------------

backup --compression zstd:3 --split-size 100kB
ok $? "packed with zstd"
if [ "$(manifest "$ID" .not_stock)" != null ]; then
	like "$(manifest "$ID" .not_stock)" 'unzstd' "says what to do before stock pg_restore"
	zstd -q -d --rm "$MIGSAFE_BACKUP_DIR/$ID"/*.dat.zst
	is $? 0 "which the zstd program does"
fi
restored_by_stock "$ID" zstd "then it restores it"
same_text app zstd "to the same"
is "$(manifest "$ID" .compression)" zstd:3 "the manifest says how it is packed"
for bad in gzip gzip:0 gzip:10 zstd:0 zstd:20 zstd:1x lz4; do
	run "$MIGSAFE" backup --compression "$bad"
	[ "$RC" = 78 ] || echo "$bad: $RC"
done >"$T/wrong"
is "$(cat "$T/wrong")" "" "what is no compression is refused"
mkdir "$T/empty"
run "$MIGSAFE" backup --kind data --pg-bin "$T/empty"
status_is 0 "a data backup alone needs no pg_dump"

# --- configuration of extensions -------------------------------------------------------------------------

db_create ext
sql ext "CREATE EXTENSION hstore; CREATE TABLE inside (i int); CREATE TABLE conf (i int, kept boolean, dropped int, t text);
	ALTER TABLE conf DROP COLUMN dropped; INSERT INTO conf VALUES (1, true), (2, false), (3, true); CREATE SEQUENCE s; SELECT nextval('s');
	ALTER EXTENSION hstore ADD TABLE inside; ALTER EXTENSION hstore ADD TABLE conf; ALTER EXTENSION hstore ADD SEQUENCE s;
	UPDATE pg_extension SET extconfig = ARRAY['conf'::regclass::oid, 's'::regclass::oid], extcondition = ARRAY['WHERE kept', '']
	WHERE extname = 'hstore'" >"$T/ignored"
DATABASE_URL=$(db_url ext) backup
is "$RC $(manifest "$ID" '.configuration_tables[] | "\(.name) \(.rows) \(.extension) \(.condition)"')" \
	"0 conf 2 hstore WHERE kept" "configuration of an extension, by its condition"
stock pg_dump ext -Fd -f "$T/stock_ext"
is "$(pg_restore -f - --section=data "$MIGSAFE_BACKUP_DIR/$ID" | plain | LC_ALL=C sort)" \
	"$(pg_restore -f - --section=data "$T/stock_ext" | plain | LC_ALL=C sort)" "says what stock pg_dump says of it"

# --- tables without a page ---------------------------------------------------------------------------------

db_create hollow
sql hollow "CREATE TABLE never (i int, t text); CREATE TABLE one (i int); INSERT INTO one VALUES (1); CREATE TABLE parent (i int);
	CREATE TABLE child () INHERITS (parent); INSERT INTO child VALUES (2); CREATE TABLE deleted AS SELECT 1 AS i; DELETE FROM deleted;
	CREATE TABLE not_seen (i int, g int GENERATED ALWAYS AS (i + 1) STORED)"
bg_sql hollow "BEGIN; INSERT INTO not_seen VALUES (1)"
role_create logged SUPERUSER
sql postgres "ALTER ROLE \"$(role_name logged)\" SET log_statement = 'all'"
DATABASE_URL=$(db_url hollow logged) backup
bg_kill "$BG"
is "$RC $(manifest "$ID" '[.tables[] | "\(.name) \(.rows)"] | join(" ")')" "0 child 1 deleted 0 never 0 not_seen 0 one 1 parent 0" \
	"tables without a page are in the backup"
is "$(grep -oE 'statement: ROLLBACK TO.* COPY public\.(never|one|parent|child|deleted|not_seen) ' "$TEST_PGLOG" | grep -oE '[a-z_]+ $' | sort | tr -d '\n')" \
	"child deleted not_seen one " "but not read: no row of theirs can be in the snapshot"
restored_by_stock "$ID" hollow2 "stock pg_restore reads it"
sql hollow "DELETE FROM not_seen"
same_text hollow hollow2 "to the same"

# --- encodings --------------------------------------------------------------------------------------------

sql postgres "CREATE DATABASE \"$(db_name latin)\" TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'"
sql postgres "CREATE DATABASE \"$(db_name latin2)\" TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'"
sql latin <<'END_OF_SQL'
\encoding UTF8
CREATE TABLE "Größe" (id serial, "é" text);
INSERT INTO "Größe" ("é") VALUES ('ü'), (NULL);
END_OF_SQL
DATABASE_URL=$(db_url latin) backup
run stock pg_restore latin2 -Fd -j2 --exit-on-error "$MIGSAFE_BACKUP_DIR/$ID"
status_is 0 "a database in LATIN1 is restored"
same_text latin latin2 "to the same"
is "$(manifest "$ID" '.tables[] | "\(.name) \(.columns[1].name) \(.columns[1].values)"')" "Größe é 1" "its names are UTF-8 in the manifest"
sql postgres "CREATE DATABASE \"$(db_name ascii)\" TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'"
sql postgres "CREATE DATABASE \"$(db_name ascii2)\" TEMPLATE template0 ENCODING SQL_ASCII LOCALE 'C'"
sql ascii "CREATE TABLE t (a text, b text); INSERT INTO t VALUES (E'\\xfc\\xff', 'x'), (E'\\xc3\\xbc', NULL)"
DATABASE_URL=$(db_url ascii) backup
run stock pg_restore ascii2 -Fd -j2 --exit-on-error "$MIGSAFE_BACKUP_DIR/$ID"
status_is 0 "a database in SQL_ASCII is restored"
same_text ascii ascii2 "whatever bytes it holds"

done_testing
