#!/usr/bin/env bash
# migsafe restore ID --in-place: where no swap is possible the live database becomes what it was in one transaction, after an
# emergency backup; what fails in the middle of it changes nothing, and what it cannot do it says before.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/pg/restore.sh
. "$ROOT/tests/pg/restore.sh"
live=$(db_name app)

emergencies() { # -> how many there are, of each kind
	"$MIGSAFE" list --json 2>"$T/log" | jq -r '[.backups[] | select(.reason == "emergency") | .kind] | sort | join(",")'
}

# --- everything that a schema can hold, and what lies beside it -------------------------------------

role_create reader
role_create maker
sql app >"$T/ignored" <<END
CREATE EXTENSION hstore;
CREATE SCHEMA "Other one" AUTHORIZATION "$(role_name maker)";
GRANT USAGE ON SCHEMA "Other one" TO "$(role_name reader)";
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE FUNCTION twice(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT n * 2';
CREATE PROCEDURE nothing() LANGUAGE sql AS '';
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE FUNCTION near(int, int) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT abs(\$1 - \$2) < 2';
CREATE OPERATOR ~~~ (LEFTARG = int, RIGHTARG = int, FUNCTION = near);
CREATE COLLATION german FROM "C";
CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple);
CREATE TABLE "User" (id serial PRIMARY KEY, email text NOT NULL UNIQUE, feels mood DEFAULT 'happy', p positive, tags hstore,
	doubled int GENERATED ALWAYS AS (twice(1)) STORED);
INSERT INTO "User" (email, p, tags) SELECT 'u' || i, i, 'a=>1' FROM generate_series(1, 500) i;
CREATE STATISTICS both_of ON email, p FROM "User";
CREATE TABLE "Other one".orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "user" int REFERENCES public."User", total numeric);
INSERT INTO "Other one".orders ("user", total) SELECT 1 + i % 500, i / 7.0 FROM generate_series(1, 2000) i;
ALTER TABLE "Other one".orders OWNER TO "$(role_name maker)";
ALTER TABLE "Other one".orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON "Other one".orders TO "$(role_name reader)" USING ("user" = 1);
CREATE TABLE parts (a int, b text) PARTITION BY HASH (a);
CREATE TABLE part_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT i, 'x' FROM generate_series(1, 100) i;
CREATE VIEW seen AS SELECT id, email FROM "User";
CREATE MATERIALIZED VIEW sums AS SELECT "user", sum(total) FROM "Other one".orders GROUP BY 1;
CREATE PUBLICATION pub FOR TABLE "User";
CREATE FUNCTION touched() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION touched();
GRANT SELECT ON "User", seen TO "$(role_name reader)";
COMMENT ON COLUMN "User".email IS 'whom to write to';
SELECT lo_from_bytea(4711, 'large'), lo_from_bytea(4712, decode(repeat('00ff5c', 1000), 'hex'));
SELECT setval('"User_id_seq"', 4711, false);
END
sql postgres "ALTER DATABASE \"$live\" SET work_mem = '9MB'"
state app before
contents="SELECT md5(string_agg(loid || ' ' || pageno || ' ' || md5(data), ',' ORDER BY loid, pageno)) FROM pg_largeobject"
objects=$(sql app "$contents")
id=$(take)
# A logical slot: no swap.
sql app "SELECT pg_create_logical_replication_slot('${TEST_PREFIX}slot', 'test_decoding')" >"$T/ignored" 2>&1 ||
	sql app "SELECT pg_create_logical_replication_slot('${TEST_PREFIX}slot', 'pgoutput')" >"$T/ignored" 2>&1
sql app >"$T/ignored" <<END
INSERT INTO "User" (email) SELECT 'late' || i FROM generate_series(1, 7) i;
DELETE FROM "Other one".orders WHERE id <= 10;
DROP MATERIALIZED VIEW sums;
CREATE TABLE fresh (a int REFERENCES "User", m mood);
CREATE VIEW fresh_view AS SELECT * FROM seen;
ALTER TABLE "User" ADD COLUMN extra text;
GRANT CREATE ON SCHEMA public TO PUBLIC;
REVOKE USAGE ON SCHEMA "Other one" FROM "$(role_name reader)";
SELECT lo_unlink(4711), lo_from_bytea(4713, 'new');
DROP PUBLICATION pub;
END
# The second changes what functions of the catalog say.
sql postgres "ALTER DATABASE \"$live\" SET work_mem = '1MB'"
sql postgres "ALTER DATABASE \"$live\" SET quote_all_identifiers = on"
state app changed
changed_objects=$(sql app "$contents")

# --- asked and previewed first -------------------------------------------------------------------------

run "$MIGSAFE" restore "$id" --in-place
status_is 64 "not on a terminal, no --yes: refused"
run "$MIGSAFE" restore "$id" --in-place --dry-run
status_is 0 "a dry run"
like "$OUT" "within database \"$live\", after an emergency backup.*objects in schemas Other one, public would be dropped" "says what would be done"
like "$OUT" 'public\.User: 507 rows now, 500 in the backup' "with the rows of both"
run "$MIGSAFE" restore "$id" --in-place --into x
status_is 64 "--into is something else"
is "$(emergencies)" "" "nothing was saved for that"

# --- what cannot be -----------------------------------------------------------------------------------

refused() { # WORDS HINT NAME
	run "$MIGSAFE" restore "$id" --in-place --yes
	status_is 11 "$3"
	like "$ERR" "$1" "$3: said"
	like "$ERR" "hint: .*$2" "$3: with what to do"
	is "$(emergencies)" "" "$3: before anything is done"
}
sql app 'CREATE SCHEMA later; CREATE TABLE later.t (m public.mood, a int REFERENCES public."User")'
refused 'would take other things with it: .*later' 'Drop them first' "something outside that would go too"
sql app 'DROP SCHEMA later CASCADE'
folder=$MIGSAFE_BACKUP_DIR/$id
cp "$folder/manifest.json" "$T/manifest"
jq '.database.owner = "gone"' "$T/manifest" >"$folder/manifest.json"
refused 'the server has no role "gone"' 'Create them' "a role that is not there"
cp "$T/manifest" "$folder/manifest.json"
# There are 64 * (200 + 10) locks, and 60 % are 8064.
sql app 'SELECT count(lo_create(100000 + i)) FROM generate_series(1, 8100) i' >"$T/ignored"
refused 'would need about [0-9]+ locks at once, of 13440' 'max_locks_per_transaction' "too many locks"
for from in 100000 102000 104000 106000 108000; do
	sql app "SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata WHERE oid BETWEEN $from + 1 AND $from + 2000" >"$T/ignored"
done
same app changed "nothing has changed so far"

# --- what fails in the middle --------------------------------------------------------------------------

jq '(.tables[] | select(.name == "orders") | .rows) = 1999' "$T/manifest" >"$folder/manifest.json"
run "$MIGSAFE" restore "$id" --in-place --yes
status_is 76 "a table that is not as counted"
like "$ERR" 'table "Other one"."orders" has 2000 rows instead of 1999' "named"
like "$ERR" 'Nothing was changed' "and what that means"
same app changed "nothing has changed"
is "$(sql app "$contents")" "$changed_objects" "large objects neither"
is "$(emergencies)" "data,full" "an emergency backup was taken first"
cp "$T/manifest" "$folder/manifest.json"
bg_sql app 'BEGIN; SELECT count(*) FROM "User"'
run "$MIGSAFE" restore "$id" --in-place --yes --lock-timeout 300ms
status_is 65 "a table that others use"
like "$ERR" 'hint: Others use its tables' "said"
bg_kill "$BG"
same app changed "nothing has changed"

# --- restored -------------------------------------------------------------------------------------------

oid=$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$live'")
run "$MIGSAFE" restore "$id" --in-place --yes --json
status_is 0 "in place"
same app before "the database is what it was: rows, schema, views, owner, rights, settings"
is "$(sql app "$contents")" "$objects" "large objects too"
is "$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$live'")" "$oid" "it is the same database"
is "$(db_list)" app "there is no other"
is "$(sql app "SELECT count(*) > 0 FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid WHERE relname = 'User'")" t "analyzed"
saved=$(jq -r .emergency_backup <<<"$OUT")
is "$(jq -c '[.verdict, .database, .in_place]' <<<"$OUT")" "[\"restored\",\"$live\",true]" "the document"
is "$("$MIGSAFE" show "$saved" --json 2>"$T/log" | jq -r '[.reason, .verified[-1].level, .verified[-1].result] | join(" ")')" \
	"emergency files ok" "the emergency backup is verified"
run "$MIGSAFE" restore "$saved" --in-place --yes
status_is 0 "and brings back what was there"
same app changed "the same"

# --- rows of extensions' tables ---------------------------------------------------------------------------

# What a user put into them comes back, what the extension brought stays.
db_create ext
sql ext "CREATE EXTENSION hstore; CREATE TABLE conf (i int PRIMARY KEY, kept boolean); CREATE TABLE sub (i int REFERENCES conf); CREATE SEQUENCE s;
	INSERT INTO conf VALUES (1, true), (2, false), (3, true); INSERT INTO sub VALUES (3); SELECT setval('s', 7);
	ALTER EXTENSION hstore ADD TABLE conf; ALTER EXTENSION hstore ADD TABLE sub; ALTER EXTENSION hstore ADD SEQUENCE s;
	UPDATE pg_extension SET extconfig = ARRAY['sub'::regclass::oid, 'conf'::regclass::oid, 's'::regclass::oid],
	extcondition = ARRAY['', 'WHERE kept', ''] WHERE extname = 'hstore'" >"$T/ignored"
DATABASE_URL=$(db_url ext)
id=$(take)
sql ext "DELETE FROM sub; DELETE FROM conf WHERE i = 1; INSERT INTO conf VALUES (9, true), (8, false); INSERT INTO sub VALUES (9); SELECT setval('s', 99)" >"$T/ignored"
run "$MIGSAFE" restore "$id" --in-place --yes
status_is 0 "an extension with tables of its own"
is "$(sql ext "SELECT (SELECT string_agg(i || ' ' || kept, ',' ORDER BY i) FROM conf), (SELECT string_agg(i::text, ',') FROM sub), (SELECT last_value FROM s)")" \
	"1 true,2 false,3 true,8 false|3|7" "the user's rows are back, the extension's are as they were"

# --- settings of the database that change how values are read ------------------------------------------

db_create set
DATABASE_URL=$(db_url set)
sql postgres "ALTER DATABASE \"$(db_name set)\" SET standard_conforming_strings = off"
sql postgres "ALTER DATABASE \"$(db_name set)\" SET array_nulls = off"
sql set >"$T/ignored" <<'END'
SET standard_conforming_strings = on;
SET array_nulls = on;
SELECT lo_from_bytea(4711, 'Hello');
CREATE TABLE t ("back\slash" serial, d text DEFAULT 'x\y', list text[]);
INSERT INTO t (list) VALUES ('{NULL,"NULL"}');
CREATE MATERIALIZED VIEW waits AS SELECT current_setting('lock_timeout') AS longest;
END
id=$(take)
sql set "TRUNCATE t"
run "$MIGSAFE" restore "$id" --in-place --yes --lock-timeout 7s
status_is 0 "strings and arrays that the database reads otherwise"
is "$(sql set 'SELECT longest FROM waits')" 7s "lock-timeout holds to the end, whatever pg_restore's text sets"
sql set 'INSERT INTO t (d) VALUES (DEFAULT); DELETE FROM t WHERE list IS NOT NULL RETURNING list::text' >"$T/out"
is "$(cat "$T/out")" '{NULL,"NULL"}' "a NULL in an array stays one"
is "$(sql set "SELECT octet_length(d), lo_get(4711) FROM t")" '3|\x48656c6c6f' "a default with a backslash and a large object are the same"

# --- as a plain role --------------------------------------------------------------------------------------

role_create plain
db_create own plain
DATABASE_URL=$(db_url own plain)
sql own 'CREATE EXTENSION pg_trgm; CREATE TABLE not_mine (a int)'
sql own "GRANT SELECT ON not_mine TO \"$(role_name plain)\""
sql_as plain own "CREATE TABLE t (id serial PRIMARY KEY, v text); INSERT INTO t (v) SELECT 'x' || i FROM generate_series(1, 50) i"
sql_as plain own 'CREATE INDEX ON t USING gin (v public.gin_trgm_ops)'
id=$(take)
sql_as plain own 'DELETE FROM t'
run "$MIGSAFE" restore "$id" --in-place --yes
status_is 11 "a table of another role"
like "$ERR" 'this role may not (make objects of role|drop)' "said"
sql own 'DROP TABLE not_mine'
sql_as plain own "COMMENT ON SCHEMA public IS 'of the owner of the database'"
id=$(take)
state own before
sql_as plain own 'DROP TABLE t'
run "$MIGSAFE" restore "$id" --in-place --yes
status_is 0 "a plain owner restores in place, the extension of a superuser stays"
same own before "the same"

# --- foreign tables whose server is away -----------------------------------------------------------------

db_create far
DATABASE_URL=$(db_url far)
sql far "ALTER SCHEMA public OWNER TO \"$(role_name maker)\"; CREATE SCHEMA lent;
	GRANT USAGE ON SCHEMA lent TO \"$(role_name reader)\" WITH GRANT OPTION; SET ROLE \"$(role_name reader)\";
	GRANT USAGE ON SCHEMA lent TO PUBLIC"
sql far >"$T/ignored" <<'END'
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER away FOREIGN DATA WRAPPER nowhere;
CREATE TABLE parent (a int);
CREATE FOREIGN TABLE child () INHERITS (parent) SERVER away;
CREATE TABLE parts (a int) PARTITION BY LIST (a);
CREATE TABLE near_part PARTITION OF parts FOR VALUES IN (1);
CREATE FOREIGN TABLE far_part PARTITION OF parts FOR VALUES IN (2) SERVER away;
INSERT INTO parent SELECT generate_series(1, 100);
INSERT INTO parts SELECT 1 FROM generate_series(1, 100);
CREATE TABLE odd (a int);
INSERT INTO odd VALUES (0), (1);
CREATE STATISTICS odd_statistics ON (1 / a) FROM odd;
CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM odd;
CREATE TABLE told (tag text);
CREATE AGGREGATE first_to_go(int) (SFUNC = int4pl, STYPE = int);
CREATE FUNCTION tell() RETURNS event_trigger LANGUAGE plpgsql AS
	'BEGIN INSERT INTO public.told VALUES (tg_tag); IF tg_event = ''ddl_command_start'' THEN RAISE ''refused''; END IF; END';
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT UPDATE ON SEQUENCES TO PUBLIC;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
CREATE EVENT TRIGGER tell ON ddl_command_end EXECUTE FUNCTION tell();
COMMENT ON EVENT TRIGGER tell IS 'said of it';
CREATE EVENT TRIGGER refuse ON ddl_command_start EXECUTE FUNCTION tell();
TRUNCATE told;
END
defaults=$(sql far "SELECT defaclobjtype, defaclacl FROM pg_default_acl ORDER BY 1")
rights=$(sql far "SELECT nspname, nspacl FROM pg_namespace WHERE nspname IN ('public', 'lent') ORDER BY 1")
id=$(take)
run "$MIGSAFE" restore "$id" --in-place --yes
status_is 0 "their server goes with them, and is not asked for statistics"
unlike "$ERR" 'no handler' "none of them is"
like "$ERR" 'warning: could not analyze public.odd: division by zero' "a table that cannot have any is told"
is "$(sql far "SELECT reltuples FROM pg_class WHERE relname = 'near_part'")" 100 "other partitions have theirs"
is "$(sql far 'SELECT count(*) FROM told')" 0 "event triggers saw nothing of it"
is "$(sql far "SELECT string_agg(evtname || ' ' || evtenabled::text || coalesce(' ' || obj_description(oid, 'pg_event_trigger'), ''), ', '
	ORDER BY evtname) FROM pg_event_trigger")" 'refuse O, tell O said of it' "and are there again"
is "$(sql far "SELECT defaclobjtype, defaclacl FROM pg_default_acl ORDER BY 1")" "$defaults" "default privileges are the same"
is "$(sql far "SELECT count(relacl), (SELECT proacl IS NULL FROM pg_proc WHERE proname = 'tell') FROM pg_class WHERE relname IN ('odd', 'told')")" \
	'0|t' "and gave and took none of the rights of what was there before them"
is "$(sql far "SELECT nspname, nspacl FROM pg_namespace WHERE nspname IN ('public', 'lent') ORDER BY 1")" "$rights" "the rights of schemas are the same, of another owner and lent on"
run "$MIGSAFE" verify "$id" --level restore
status_is 0 "a restore beside does not ask it either, and has no event told"

done_testing
