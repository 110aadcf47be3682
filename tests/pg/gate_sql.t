#!/usr/bin/env bash
# What pending SQL would lose is counted in the database before it is applied, and named as it is named afterwards:
# one allow word is enough for both.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

DRIVER=$(dirname "$MIGSAFE")/tests/gate_driver
[ -x "$DRIVER" ] || bail "no $DRIVER: run make drivers"
need_server

gate() { # DATABASE SQL [ROLE] [WORD...]: sets RC, OUT
	mkdir -p m
	printf '%s\n' "$2" >m/migration.sql
	run "$DRIVER" "$TEST_PGHOST $TEST_PGPORT $(role_name "${3:-postgres}") $(db_name "$1")" unknown "${@:4}" m/migration.sql
}

found() { # -> "RULE TARGET LEVEL, ..." of the last gate, sorted
	sed -E 's/^(.*) (error|warning) m:[0-9]+ .*/\1 \2/' <<<"$OUT" | LC_ALL=C sort | paste -sd, | sed 's/,/, /g'
}

says() { # SQL WANT NAME
	gate app "$1"
	is "$RC $(found)" "0 $2" "$3" || diag "$OUT$ERR"
}

tell() { # SQL REGEX NAME: about the messages
	gate app "$1"
	like "$RC $OUT" "$2" "$3"
}

schema() { # DATABASE
	sql "$1" <<'END'
CREATE TYPE "Role" AS ENUM ('A', 'B');
CREATE DOMAIN mail AS text;
CREATE TABLE "User" (id int PRIMARY KEY, name text, nick varchar(20), old text, "role" "Role", roles "Role"[], email mail, at timestamp(3), "Odd ""Name" text);
INSERT INTO "User" SELECT i, 'n' || i, CASE WHEN i <= 7 THEN 'x' END, NULL, 'A', CASE WHEN i = 1 THEN ARRAY['B']::"Role"[] END, CASE WHEN i < 4 THEN 'm' END, now(), 'o' FROM generate_series(1, 100) AS i;
CREATE TABLE "Post" (id int PRIMARY KEY, author int REFERENCES "User" ON DELETE CASCADE);
INSERT INTO "Post" SELECT i, CASE WHEN i > 10 THEN i END FROM generate_series(1, 50) AS i;
CREATE TABLE "Comment" (id int PRIMARY KEY, post int REFERENCES "Post" ON DELETE SET NULL);
INSERT INTO "Comment" VALUES (1, 1);
CREATE TABLE "Empty" (id int PRIMARY KEY, a text);
CREATE TABLE part (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (100);
CREATE TABLE part_3 PARTITION OF part FOR VALUES FROM (100) TO (200);
INSERT INTO part SELECT i, 'v' FROM generate_series(1, 20) AS i;
CREATE TABLE base (id int PRIMARY KEY, v text);
CREATE TABLE heir (own int) INHERITS (base);
INSERT INTO base VALUES (1, 'v'), (2, 'v');
INSERT INTO heir VALUES (3, 'v', 1);
CREATE SCHEMA billing;
CREATE TYPE billing.state AS ENUM ('x');
CREATE TABLE billing.invoice (id int PRIMARY KEY, state billing.state);
INSERT INTO billing.invoice VALUES (1, 'x'), (2, 'x');
CREATE TABLE billing.item (id int PRIMARY KEY);
CREATE TABLE bills (id int PRIMARY KEY, state billing.state);
INSERT INTO bills VALUES (1, 'x');
CREATE TABLE billing.part (id int PRIMARY KEY);
INSERT INTO billing.part VALUES (1);
CREATE VIEW "Names" AS SELECT name FROM "User" WHERE id > 3;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM "Post";
END
}

db_create app
schema app
is "$(sql app "SELECT count(*) FROM \"User\"")" 100 "(the database is there)"

# --- nothing to lose ------------------------------------------------------------------------------------------

says 'DROP TABLE "Empty"; DROP TABLE IF EXISTS "None"; TRUNCATE "Empty"; DELETE FROM "None"' "" "empty and absent tables"
says 'ALTER TABLE "User" DROP old; ALTER TABLE "Empty" DROP a; ALTER TABLE "User" DROP IF EXISTS nothing' "" "columns that hold nothing"
says 'DROP VIEW "Names"; DROP MATERIALIZED VIEW counted; DROP TABLE "Names"; DELETE FROM "Names"' "" "views have no data of their own"
says 'DROP TYPE "Role"; DROP SCHEMA billing; DROP DOMAIN mail' "" "what the server refuses without CASCADE"
says 'CREATE TABLE t AS SELECT * FROM "User"; TRUNCATE t; ALTER TABLE t DROP name; DROP TABLE t' "" "what the migration made"
says 'ALTER TABLE "User" RENAME TO "Person"; ALTER TABLE "Person" RENAME name TO full_name; ALTER TABLE "Person" ALTER nick TYPE text' "" "renames and types"
says 'DELETE FROM ONLY part; TRUNCATE ONLY billing.item' "" "a partitioned table itself has no rows"

# --- counted --------------------------------------------------------------------------------------------------

tell 'DROP TABLE "User" CASCADE' '^0 drop-table public.User error m:1 table is dropped: 100 rows would be lost$' "rows of a table"
tell 'ALTER TABLE "User" DROP nick' '^0 drop-column public.User.nick error m:1 column is dropped: 7 values would be lost$' "values of a column"
tell $'\n\nALTER TABLE "User" DROP "Odd ""Name"' '^0 drop-column public.User.Odd "Name error m:3 ' "an odd name, and its line"
tell 'TRUNCATE "User" CASCADE' 'rows-lost public.Comment error m:1 goes with public.User \(TRUNCATE CASCADE\): 1 row would be lost' "what refers to it, at two removes"
tell 'DELETE FROM "User"' 'rows-lost public.Post error m:1 goes with public.User \(DELETE without WHERE\): 40 rows would be lost' "only rows that refer go along with a DELETE"
tell 'ALTER TABLE "User" DROP nick, ADD handle varchar(20)' \
	'^0 renamed-column public.User.nick error m:1 column is dropped and "handle" of the same type is added: 7 values would be lost$' "a rename that loses"
tell 'ALTER TABLE "User" ADD b "Role"; ALTER TABLE "User" DROP "role"' '^0 renamed-column public.User.role error' "an enum is a type too"
says 'ALTER TABLE "User" ADD IF NOT EXISTS handle varchar(20); ALTER TABLE "User" DROP nick' "renamed-column public.User.nick error" "IF NOT EXISTS that adds"
says 'ALTER TABLE "User" ADD IF NOT EXISTS name text; ALTER TABLE "User" DROP old; UPDATE "User" SET name = nick; ALTER TABLE "User" DROP nick' \
	"drop-column public.User.nick error" "IF NOT EXISTS that adds nothing"
says 'ALTER TABLE "User" DROP nick, ADD handle varchar(21)' "drop-column public.User.nick error" "another length is another type"
tell 'ALTER TABLE "User" DROP name; ALTER TABLE "User" ADD name varchar(50)' \
	'^0 drop-column public.User.name error m:1 column is dropped and added again: 100 values would be lost$' "Prisma's change of type"
tell 'ALTER TABLE "User" ADD label text; UPDATE "User" SET label = name; ALTER TABLE "User" DROP name' \
	'^0 drop-column public.User.name warning m:1 column is dropped after an UPDATE wrote its values to "label"$' "values that are carried over"
says 'DROP TABLE part' "drop-table public.part_1 error, drop-table public.part_2 error" "partitions, each by its name"
tell 'DROP TABLE part' 'part_1 error m:1 goes with public.part \(table is dropped\): 9 rows would be lost' "and each with its rows"
says 'ALTER TABLE part DROP v' "drop-column public.part_1.v error, drop-column public.part_2.v error" "columns of partitions"
says 'TRUNCATE part_1; DROP TABLE part_2' "drop-table public.part_2 error, rows-lost public.part_1 error" "partitions alone"
says 'DROP TABLE base CASCADE' "drop-table public.base error, drop-table public.heir error" "heirs"
tell 'TRUNCATE ONLY base' '^0 rows-lost public.base error m:1 TRUNCATE: 2 rows would be lost$' "rows of its own"
says 'TRUNCATE ONLY base; ALTER TABLE heir DROP own' "drop-column public.heir.own error, rows-lost public.base error" "an heir by itself"
says 'SET search_path = app, billing; DROP TABLE part; RESET search_path; DROP TABLE part_1' \
	"drop-table billing.part error, drop-table public.part_1 error" "a search path"
says "SELECT set_config('search_path', 'x', false); DROP TABLE part" \
	"drop-table billing.part error, drop-table public.part_1 error, drop-table public.part_2 error" "an unknown search path: all of that name"
says 'DROP SCHEMA billing CASCADE' \
	"drop-column public.bills.state error, drop-table billing.invoice error, drop-table billing.part error" "a schema, and columns of its types elsewhere"
says 'ALTER TABLE billing.invoice SET SCHEMA public; ALTER TABLE "Post" SET SCHEMA billing; DROP SCHEMA billing CASCADE' \
	"drop-column billing.invoice.state error, drop-column public.bills.state error, drop-table billing.part error, drop-table public.Post error" "moved in and moved out before"
says 'DROP TYPE "Role" CASCADE' "drop-column public.User.role error, drop-column public.User.roles error" "columns and arrays of a type"
says 'DROP DOMAIN mail CASCADE' "drop-column public.User.email error" "columns of a domain"
says 'ALTER TYPE "Role" RENAME TO r; DROP TYPE r CASCADE' "drop-column public.User.role error, drop-column public.User.roles error" "a type renamed before"
says 'CREATE TYPE n AS ENUM (); ALTER TABLE "User" ALTER "role" TYPE text, ALTER roles TYPE text[]; DROP TYPE "Role" CASCADE' "" "columns given another type before"
says 'DROP TABLE "Comment"; CREATE TABLE "Comment" (id int)' "rows-lost public.Comment error" "made again, without rows"

# --- what the check after a migration says ----------------------------------------------------------------------

mkdir -p prisma/migrations
printf 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n' >prisma/schema.prisma
sql app 'CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
	migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
	applied_steps_count int NOT NULL DEFAULT 0)'
sql postgres "ALTER DATABASE \"$(db_name app)\" RENAME TO \"$(db_name kept)\""

# Both looks at the same migration: their errors, without the level. (Values of a column that only the deleted rows had are the
# second look's alone.)
agree() { # SQL NAME
	local before after backup
	sql postgres "CREATE DATABASE \"$(db_name app)\" TEMPLATE \"$(db_name kept)\""
	gate app "$1"
	before=$(found | tr , '\n' | sed -n 's/^ *//; s/ error$//p' | LC_ALL=C sort -u)
	backup=$("$MIGSAFE" backup --kind full --url "$(db_url app)" --backup-dir "$T/b" --json 2>"$T/backup.err" | jq -r '.backups[0].id')
	case $backup in *_full*) ;; *) bail "no backup: $(cat "$T/backup.err")" ;; esac
	sql app "$1" >/dev/null || bail "migration failed"
	sql app "INSERT INTO _prisma_migrations VALUES ('1', '$(sha256sum <m/migration.sql | cut -c1-64)', now(), 'm', NULL, NULL, now(), 1)"
	mkdir -p prisma/migrations/m && cp m/migration.sql prisma/migrations/m/
	run "$MIGSAFE" health --url "$(db_url app)" --project "$T" --backup-dir "$T/b" --since "$backup" --json
	after=$(jq -r '.findings[] | select(.rule | IN("drop-table", "drop-column", "renamed-column", "rows-lost"))
		| "\(.rule) \(.target)"' <<<"$OUT" | LC_ALL=C sort -u)
	isnt "$after" "" "$2: something is lost"
	is "$(LC_ALL=C comm -13 <(printf '%s\n' "$before") <(printf '%s\n' "$after"))" "" "$2: and the gate has named it" ||
		diag "before: $before"$'\n'"after: $after"
	db_drop app
}

agree 'DROP TABLE "User" CASCADE; DROP TABLE part; DROP TABLE base CASCADE' "tables"
agree 'ALTER TABLE "User" DROP nick, DROP name CASCADE, ADD handle varchar(20); ALTER TABLE part DROP v; ALTER TABLE base DROP v' "columns"
agree 'ALTER TABLE "User" DROP "role", ADD "role" text' "a column made again"
agree 'DELETE FROM "User"; TRUNCATE base' "rows"
agree 'TRUNCATE "User", part CASCADE' "rows, and all that refers to them"
agree 'DROP SCHEMA billing CASCADE; DROP TYPE "Role" CASCADE; DROP DOMAIN mail CASCADE' "by way of a schema and types"
agree 'DROP TABLE "Comment"; CREATE TABLE "Comment" (id int, post int)' "a table made again"
agree 'ALTER TABLE "User" RENAME nick TO n; ALTER TABLE "User" RENAME TO "Users"; ALTER TABLE "Users" DROP n' "a column renamed before"

sql postgres "ALTER DATABASE \"$(db_name kept)\" RENAME TO \"$(db_name app)\""

# --- a stand-in, and what cannot be counted -----------------------------------------------------------------------

gate app 'DROP TABLE "Empty"; DROP TABLE "None"; ALTER TABLE "User" DROP old, DROP nick' postgres stand-in
is "$(found)" "drop-column public.User.nick error, drop-column public.User.old warning, drop-table public.Empty warning" \
	"in a stand-in what is empty proves nothing" || diag "$OUT"
like "$OUT" "Empty warning m:1 table is dropped: it has no rows in this database" "and it says so"
sql app 'DELETE FROM part'
gate app 'DROP TABLE part' postgres stand-in
is "$(found)" "drop-table public.part warning" "of an empty partitioned table it is said once" || diag "$OUT"

sql app 'ANALYZE "User"'
bg_sql app 'BEGIN; LOCK TABLE "User"'
tell 'DROP TABLE "User"' 'table is dropped: about 100 rows would be lost' "a locked table is estimated"
tell 'ALTER TABLE "User" DROP nick' 'column is dropped: about 7 values would be lost' "and its columns"
bg_kill "$BG"

role_create plain
sql app "ALTER TABLE \"User\" OWNER TO \"$(role_name plain)\"; ALTER TABLE \"User\" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
	CREATE POLICY p ON \"User\" USING (id < 5)"
gate app 'DELETE FROM "User"' plain
like "$OUT" "public.User error m:1 DELETE without WHERE: about 100 rows" "rows that a policy hides are not taken for absent"
gate app 'DROP OWNED BY CURRENT_USER' plain
is "$(found)" "drop-table public.User error" "all that a role owns" || diag "$OUT"
gate app "DROP OWNED BY \"$(role_name plain)\""
is "$(found)" "drop-table public.User error" "or another one" || diag "$OUT"
is "$(sql app 'SELECT count(*) FROM "User"')" 100 "nothing was changed"

# --- the rest -------------------------------------------------------------------------------------------------------

gate app "ALTER DATABASE \"$(db_name app)\" SET timezone = 'UTC'; ALTER DATABASE postgres SET timezone = 'UTC'"
is "$(found)" "global-effect postgres error" "the own database comes back with a rollback, another does not" || diag "$OUT"
gate app 'SELEC 1'
if [ "$(sql app 'SHOW server_version_num')" -lt 160000 ]; then
	like "$OUT" 'does-not-parse m error m:1 .*nor will the server' "a server that is no newer will not understand it either"
else
	like "$OUT" 'does-not-parse m warning m:1 ' "a newer server may understand it"
fi
gate app 'CREATE EXTENSION citext; DROP TABLE "Post"; DROP EXTENSION citext CASCADE'
is "$(found)" "drop-table public.Post error" "an extension that is not there has no columns" || diag "$OUT"

done_testing
