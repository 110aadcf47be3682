#!/usr/bin/env bash
# Values of the backup that do not fit as they are: converted, merged, replaced as told - or the row is
# named and nothing has changed.
. "$(dirname "$0")/../lib.sh"

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

backup() { # a data backup: sets DATA
	run "$MIGSAFE" backup --kind data --json
	[ "$RC" = 0 ] || bail "backup: $ERR"
	DATA=$(jq -r '.backups[0].id' <<<"$OUT")
}

restore() { # [OPTION...]: of DATA
	run "$MIGSAFE" restore "$DATA" --yes "$@"
}

# --- types, enums, NULLs ------------------------------------------------------------------------------

sql app >"$T/ignored" <<'END'
CREATE TYPE kind AS ENUM ('A', 'OLD', 'older one');
CREATE TABLE t (id int PRIMARY KEY, k kind NOT NULL, word text, size varchar(20), flag boolean, at timestamp, price numeric(10,4),
	many text[], maybe text);
INSERT INTO t SELECT i, (CASE WHEN i % 10 = 0 THEN 'OLD' WHEN i = 1 THEN 'older one' ELSE 'A' END)::kind, i::text, 'size ' || i, i % 2 = 0,
	timestamp '2026-01-01' + i * interval '1 hour', i / 4.0, ARRAY['a', E'b\tc', NULL], nullif('m' || i, 'm7') FROM generate_series(1, 60) i;
END
backup
sql app >"$T/ignored" <<'END'
TRUNCATE t;
DROP INDEX IF EXISTS none;
CREATE TYPE kind2 AS ENUM ('A', 'B');
ALTER TABLE t ALTER k TYPE kind2 USING 'A', ALTER word TYPE int USING 0, ALTER size TYPE varchar(6), ALTER flag TYPE int USING 0,
	ALTER at TYPE timestamptz, ALTER price TYPE numeric(10,1), ALTER maybe SET NOT NULL;
DROP TYPE kind;
END
run "$MIGSAFE" restore "$DATA" --dry-run
status_is 11 "a plan with things in the way"
like "$OUT" 'k +VALUES that the enum lacks now: older one \(1\), OLD \(6\)' "enum values that are gone are counted"
like "$OUT" 'add --default .public.t.k=' "an enum column that may not be NULL needs something else"
like "$OUT" 'maybe +may not be NULL any more: 1 value' "a NULL where none may be"
like "$OUT" 'word +text -> integer, converted' "a cast"
fills=(--default "t.k='B'" --default "t.maybe='none'" --accept-loss)
restore "${fills[@]}"
status_is 11 "a value too long"
like "$OUT" 'column "size": value too long for type character varying\(6\), in row 10 of the backup: .10,.*size 10' "and its row named"
is "$(sql app 'SELECT count(*) FROM t')" 0 "nothing has changed"
sql app 'ALTER TABLE t ALTER size TYPE varchar(10)'
sql app "ALTER TABLE t ALTER k SET DEFAULT 'B'"
restore --default "t.maybe='none'"
status_is 10 "values of the enum are lost: asked for"
like "$ERR" '7 values of the backup' "counted"
sql app "ALTER TYPE kind2 ADD VALUE 'OLD'"
sql app "ALTER TYPE kind2 ADD VALUE 'older one'"
restore --default "t.maybe='none'"
status_is 10 "values that would change"
like "$OUT" 'price +numeric\(10,4\) -> numeric\(10,1\), converted: 30 values are not the same then, such as 0.2500 -> 0.3' "counted, with an example"
is "$(sql app 'SELECT count(*) FROM t')" 0 "nothing has changed then either"
restore --default "t.maybe='none'" --accept-loss
status_is 0 "accepted"
is "$(sql app "SELECT count(*), min(word), sum(flag), min(at AT TIME ZONE 'UTC'), max(price), count(*) FILTER (WHERE k = 'OLD'),
	count(*) FILTER (WHERE maybe = 'none') FROM t")" '60|1|30|2026-01-01 01:00:00|15.0|6|1' "everything converted"
is "$(sql app 'SELECT many FROM t WHERE id = 3')" '{a,"b	c",NULL}' "an array as it was"

sql app >"$T/ignored" <<'END'
TRUNCATE t;
CREATE TYPE kind3 AS ENUM ('A', 'B');
ALTER TABLE t ALTER k DROP DEFAULT, ALTER k TYPE kind3 USING 'A', ALTER k SET DEFAULT 'B', ALTER price TYPE numeric(10,4), ALTER maybe DROP NOT NULL;
END
restore --accept-loss
status_is 0 "enum values that are gone become the column's default"
is "$(sql app "SELECT count(*) FILTER (WHERE k = 'B'), count(*) FROM t")" '7|60' "that many"
sql app 'TRUNCATE t'
restore --default "t.k=CASE k WHEN 'OLD' THEN 'B' ELSE 'A' END"
status_is 0 "or what is said of each of them, which is no loss then"
is "$(sql app "SELECT count(*) FILTER (WHERE k = 'B'), count(*) FROM t")" '6|60' "that many"
sql app "TRUNCATE t; ALTER TABLE t ALTER word TYPE date USING NULL"
restore --accept-loss
status_is 11 "a value that is no date"
like "$OUT" 'column "word": invalid input syntax for type date: "1", in row 1 of the backup' "the value, its row and column"
restore --accept-loss --default "t.word=date '2026-01-01' + word::int"
status_is 0 "computed as the user says"
is "$(sql app 'SELECT max(word), count(*) FROM t')" '2026-03-02|60' "all of it"
sql app 'TRUNCATE t; ALTER TABLE t ALTER price TYPE numeric(2,1) USING 0'
restore --accept-loss --default "t.word=date '2026-01-01'"
status_is 11 "a number too large for its new type"
like "$OUT" 'column "price": numeric field overflow, in row 40' "its row"
restore --accept-loss --default "t.word=now(" --default 't.price=0'
status_is 11 "an expression that is no SQL"
like "$OUT" 'column "word": syntax error' "told in the preview too"
sql app 'ALTER TABLE t ALTER price TYPE numeric(10,4)'
sql app "ALTER TABLE t ALTER word TYPE text, ADD CHECK (word <> '33')"
restore --accept-loss
status_is 65 "a new CHECK"
like "$ERR" 'violates check constraint' "told"
like "$ERR" '33' "with the row"
is "$(sql app 'SELECT count(*) FROM t')" 0 "and nothing has changed"

# --- a direct COPY names the row too ------------------------------------------------------------------

sql app >"$T/ignored" <<'END'
DROP TABLE t;
CREATE TABLE plain (id int PRIMARY KEY, a text, b text, c text);
INSERT INTO plain SELECT i, 'a' || i, E'\t\\N\n', 'c' || i FROM generate_series(1, 5) i;
END
backup
sql app >"$T/ignored" "TRUNCATE plain; ALTER TABLE plain ADD CHECK (a <> 'a4'), DROP COLUMN b"
restore --accept-loss
status_is 65 "a CHECK, without a staging table"
like "$ERR" 'COPY plain, line 4' "the line"
sql app 'ALTER TABLE plain DROP CONSTRAINT plain_a_check'
restore --accept-loss
status_is 0 "a column cut out of the text"
is "$(sql app 'SELECT * FROM plain WHERE id = 4')" '4|a4|c4' "the others are as they were"

# --- merge --------------------------------------------------------------------------------------------

sql app >"$T/ignored" <<'END'
DROP TABLE plain;
CREATE TABLE item (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE, stock int);
CREATE TABLE loose (a int);
INSERT INTO item (name, stock) SELECT 'n' || i, i FROM generate_series(1, 10) i;
INSERT INTO loose VALUES (1);
END
backup
sql app >"$T/ignored" <<'END'
DELETE FROM item WHERE id <= 3;
UPDATE item SET stock = 0;
INSERT INTO item (name, stock) VALUES ('late', 99);
ALTER TABLE item ADD seen boolean NOT NULL DEFAULT false;
UPDATE item SET seen = true;
END
restore --merge skip
status_is 11 "a table without a key cannot be merged"
like "$ERR" 'public.loose: it has no unique key' "named"
sql app 'DELETE FROM loose'
restore --merge skip
status_is 0 "--merge skip"
like "$OUT" 'public.item: 3 added, 7 there already' "says how many"
is "$(sql app 'SELECT count(*), sum(stock), count(*) FILTER (WHERE seen) FROM item')" '11|105|8' "rows that are there stay"
sql app >"$T/ignored" 'DELETE FROM item WHERE id <= 2; DELETE FROM loose'
restore --merge update
status_is 0 "--merge update"
like "$OUT" 'public.item: 2 added, 8 there already and overwritten' "says how many"
is "$(sql app 'SELECT count(*), sum(stock), count(*) FILTER (WHERE seen) FROM item')" '11|154|8' "rows that are there get the backup's values"
is "$(sql app "INSERT INTO item (name) VALUES ('next') RETURNING id")" 12 "numbers go on"

# --- types that have other fields under the same name, keys that are no numbers any more -----------------------

sql app >"$T/ignored" <<'END'
DROP TABLE item, loose;
CREATE TYPE address AS (street text, city text);
CREATE TABLE house (id serial PRIMARY KEY, a address, more address[]);
INSERT INTO house (a, more) SELECT ROW('Main', 'Berlin')::address, ARRAY[ROW('High', 'Bonn')::address] FROM generate_series(1, 3) i;
END
backup
restore --replace
status_is 0 "a composite type as it was"
sql app >"$T/ignored" <<'END'
TRUNCATE house;
ALTER TABLE house ALTER id DROP DEFAULT, ALTER id TYPE uuid USING gen_random_uuid(), ALTER id SET DEFAULT gen_random_uuid();
ALTER TYPE address DROP ATTRIBUTE street CASCADE, ADD ATTRIBUTE street text CASCADE;
END
restore --default 'house.id=gen_random_uuid()'
status_is 11 "one whose fields have changed places"
like "$ERR" 'column "a": its type has other fields now: \(city text, street text\), then \(street text, city text\)' "named"
like "$ERR" '2 things are in the way' "and an array of it"
restore --default 'house.id=gen_random_uuid()' --default 'house.a=ROW((a).street, (a).city)::public.address' --default 'house.more=NULL'
status_is 0 "as told, and a sequence of a column that holds no numbers now is left where it is"
is "$(sql app 'SELECT DISTINCT (a).street, (a).city, more IS NULL FROM house')" 'Main|Berlin|t' "with the values of then in their place"

# --- what a schema has that would refuse its own rows -----------------------------------------------------

db_create own
DATABASE_URL=$(db_url own)
sql own >"$T/ignored" <<'END'
CREATE TABLE wide (id serial PRIMARY KEY);
ALTER TABLE wide ALTER id TYPE bigint;
INSERT INTO wide VALUES (7), (3000000000);
CREATE TABLE broken (a int);
INSERT INTO broken VALUES (7), (8);
ALTER TABLE broken ADD CONSTRAINT broken_wide FOREIGN KEY (a) REFERENCES wide NOT VALID;
CREATE TABLE told (a int);
CREATE TABLE told_of_part (a int) PARTITION BY LIST (a);
CREATE TABLE told_part PARTITION OF told_of_part DEFAULT;
INSERT INTO told VALUES (1), (2);
INSERT INTO told_of_part VALUES (1), (2);
CREATE TABLE computed (a int GENERATED ALWAYS AS (6 * 7) STORED);
INSERT INTO computed DEFAULT VALUES;
CREATE PUBLICATION told FOR ALL TABLES;
END
backup
restore --replace
status_is 0 "the rows of a backup go into the database that it is of"
is "$(sql own 'SELECT last_value FROM wide_id_seq')" 7 "a sequence does not go where it cannot: the column is wider than it"
is "$(sql own 'SELECT count(*) FROM broken'),$(sql own "SELECT convalidated FROM pg_constraint WHERE conname = 'broken_wide'")" \
	'2,f' "rows that break a foreign key that is not valid"
is "$(sql own 'SELECT (SELECT count(*) FROM told), (SELECT count(*) FROM told_of_part)')" '2|2' \
	"tables whose publication wants a replica identity, which they lack, are emptied nevertheless"
is "$(sql own 'SELECT a FROM computed')" 42 "a table all of whose columns are computed"

done_testing
