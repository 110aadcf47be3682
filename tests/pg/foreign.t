#!/usr/bin/env bash
# Dumps made by others, in every form of pg_dump, come back as the database that was dumped; what is
# no whole dump of one database changes nothing.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/pg/restore.sh
. "$ROOT/tests/pg/restore.sh"
live=$(db_name app)
dumps=$T/dumps
mkdir "$dumps"

pg_dump_of() { # DB [ARGUMENT...]
	"$TEST_PGBIN/pg_dump" -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres "${@:2}" "$(db_name "$1")"
}

drop_kept() {
	local kept
	for kept in $(db_list | grep __migsafe_kept_); do db_drop "$TEST_PREFIX$kept"; done
}

nothing_left() { # NAME: no database beside live, no file in the state folder
	is "$(db_list | paste -sd,)" app "$1: no database is left"
	is "$(find "$MIGSAFE_BACKUP_DIR/.migsafe" -name 'restore_*' 2>/dev/null)" "" "$1: no file is left"
}

# --- a database with everything, and every form of its dump ---------------------------------------

role_create reader
role_create writer
sql app >"$T/ignored" <<END
CREATE TYPE level AS ENUM ('low', 'high');
CREATE TABLE "User" (id serial PRIMARY KEY, email text NOT NULL UNIQUE, level level, note text);
INSERT INTO "User" (email, level, note)
	SELECT 'u' || i, 'low', E'a\\tb\\nc\\\\d ''quoted'' \$\$ \\\\! ls \\\\.' || i FROM generate_series(1, 500) i;
INSERT INTO "User" (email, note) VALUES ('dot', '\\.'), ('null', NULL), ('N', '\\N'), ('end', '\\');
CREATE TABLE "order" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "user" int REFERENCES "User", total numeric,
	lines int[], twice numeric GENERATED ALWAYS AS (total * 2) STORED);
INSERT INTO "order" ("user", total, lines) SELECT 1 + i % 500, i / 7.0, ARRAY[i, i + 1] FROM generate_series(1, 2000) i;
CREATE TABLE empty_one (a int);
CREATE VIEW slices AS SELECT lines[1:id] AS a, lines[id:"user"] AS b FROM "order";
CREATE FUNCTION doubled(a int) RETURNS int BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN a * 2 ELSE 0 END; SELECT a; END;
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS \$body\$ BEGIN NEW.note := '\\! ls'; RETURN NEW; END \$body\$;
CREATE TRIGGER noted BEFORE UPDATE ON "User" FOR EACH ROW EXECUTE FUNCTION noted();
CREATE MATERIALIZED VIEW sums AS SELECT "user", sum(total) FROM "order" GROUP BY 1;
CREATE EXTENSION hstore;
COMMENT ON TABLE "User" IS E'\\\\connect nowhere\\n\\\\! ls';
ALTER TABLE "order" OWNER TO "$(role_name writer)";
GRANT SELECT ON "User" TO "$(role_name reader)";
SELECT lo_from_bytea(0, 'large');
SELECT setval('"User_id_seq"', 4711, false);
END
sql postgres "ALTER DATABASE \"$live\" CONNECTION LIMIT 77"
sql postgres "ALTER DATABASE \"$live\" SET work_mem = '9MB'"
sql postgres "REVOKE CONNECT ON DATABASE \"$live\" FROM PUBLIC"
sql postgres "COMMENT ON DATABASE \"$live\" IS 'the shop''s'"
state app before

pg_dump_of app -f "$dumps/plain.sql"
pg_dump_of app --clean --if-exists | gzip >"$dumps/clean.sql.gz"
pg_dump_of app --inserts -f "$dumps/inserts.sql"
pg_dump_of app --column-inserts --rows-per-insert=7 | gzip >"$dumps/column-inserts.sql.gz"
pg_dump_of app -Fc -f "$dumps/custom.dump"
pg_dump_of app -Ft -f "$dumps/tar.tar"
pg_dump_of app -Fd -f "$dumps/directory"
pg_dump_of app --quote-all-identifiers | sed 's/$/\r/' >"$dumps/crlf.sql"
gzip -c "$dumps/custom.dump" >"$dumps/custom.dump.gz"

change() { # what happened since
	sql app >"$T/ignored" <<-END
		INSERT INTO "User" (email) SELECT 'late' || i FROM generate_series(1, 7) i;
		DELETE FROM "order" WHERE id <= 10;
		DROP TABLE empty_one;
		CREATE TABLE fresh AS SELECT 1 AS a;
		REFRESH MATERIALIZED VIEW sums;
	END
}
change
state app changed

# --- each of them -----------------------------------------------------------------------------------

restores() { # FILE KIND NAME
	run "$MIGSAFE" restore "$dumps/$1" --yes --json
	status_is 0 "$3"
	same app before "$3: the database that was dumped, properties as they are"
	is "$(jq -c '[.verdict, .swapped, .file.name, .file.kind, .file.tables, .file.rows]' <<<"$OUT")" \
		"[\"restored\",true,\"$1\",\"$2\",3,2504]" "$3: the document"
	# The same rows again, in another database: only what is said of it can differ.
	kept=$(jq -r .kept_database <<<"$OUT")
	sql postgres "ALTER DATABASE \"$kept\" ALLOW_CONNECTIONS true"
	is "$(sql "$kept" 'SELECT count(*) FROM fresh')" 1 "$3: the replaced database is kept"
	drop_kept
	change
}
restores plain.sql 'plain SQL' "plain SQL"
is "$(jq -r .file.made_by <<<"$OUT")" \
	"PostgreSQL $(sql postgres 'SHOW server_version' | cut -d' ' -f1), pg_dump $("$TEST_PGBIN/pg_dump" --version | sed 's/.*) \([0-9.]*\).*/\1/')" "which tells who made it"
restores clean.sql.gz 'plain SQL, gzipped' "gzipped, with DROP IF EXISTS"
restores inserts.sql 'plain SQL' "INSERTs"
restores column-inserts.sql.gz 'plain SQL, gzipped' "INSERTs with columns, gzipped"
restores custom.dump 'custom archive' "a custom archive"
like "$(jq -r .file.made_by <<<"$OUT")" '^PostgreSQL [0-9.]+, pg_dump [0-9.]+$' "which tells who made it, too"
restores tar.tar 'tar archive' "a tar archive"
restores directory 'directory archive' "a directory archive"
restores custom.dump.gz 'custom archive' "an archive that was gzipped"
run "$MIGSAFE" restore "$dumps/crlf.sql" --yes
status_is 0 "lines that end in CR LF"
is "$(sql app "SELECT count(*), count(*) FILTER (WHERE note LIKE E'a\tb\nc%') FROM \"User\"")" "504|500" "with all rows"
drop_kept
change

run bash -c '"$1" restore - --yes <"$2"' _ "$MIGSAFE" "$dumps/clean.sql.gz"
status_is 0 "standard input"
like "$OUT" "database \"$live\" restored from standard input" "in words"
like "$OUT" 'it has 3 tables and 2 504 rows' "with what it has"
same app before "standard input: the database that was dumped"
run_id=$(find "$MIGSAFE_BACKUP_DIR/.migsafe/runs" -mindepth 1 -printf '%f\n' -maxdepth 1 | sort | tail -n 1)
journal=$MIGSAFE_BACKUP_DIR/.migsafe/runs/$run_id/journal.jsonl
is "$(jq -r '"\(.step):\(.event)"' "$journal" | paste -sd' ')" \
	"run:begin restore:note restore:note restore:done swap:begin swap:done run:verdict" "its journal"
is "$(jq -r 'select(.event == "verdict") | .data.verdict' "$journal")" restored "its verdict"
is "$(jq -r '.backups[0] | "\(.kind) \(.rows)"' "$MIGSAFE_BACKUP_DIR/.migsafe/runs/$run_id/report.json")" "file 2504" "its report"
drop_kept
nothing_left "standard input"
run bash -c 'cat "$2" | "$1" restore - --yes' _ "$MIGSAFE" "$dumps/custom.dump"
status_is 0 "an archive through a pipe"
same app before "which is the same"
drop_kept
run bash -c '"$1" restore <(cat "$2") --yes' _ "$MIGSAFE" "$dumps/plain.sql"
status_is 0 "a path that is no file"
drop_kept
change
state app changed

# --- asked first, and dry runs ----------------------------------------------------------------------

run "$MIGSAFE" restore "$dumps/plain.sql"
status_is 64 "not on a terminal, no --yes: refused"
like "$ERR" 'hint: Run it on a terminal, or add --yes' "names the way"
run bash -c 'cat "$2" | setsid "$1" restore -' _ "$MIGSAFE" "$dumps/plain.sql"
status_is 64 "nor with standard input and no terminal at all"
same app changed "nothing has changed"
nothing_left "asked"

# On a terminal the answer is read from there, the dump from standard input.
printf '%s\n' "$live" | script -qec "cat '$dumps/plain.sql' | '$MIGSAFE' restore - " /dev/null >"$T/typed" 2>&1
like "$(cat "$T/typed")" "Type \"$live\" to go on" "on a terminal it asks"
same app before "and goes on when the name is typed"
drop_kept
change
state app changed
printf 'no\n' | script -qec "cat '$dumps/plain.sql' | '$MIGSAFE' restore -" /dev/null >"$T/typed" 2>&1
like "$(cat "$T/typed")" 'not confirmed, nothing was done' "another word stops it"
same app changed "and nothing has changed"
nothing_left "typed"

run "$MIGSAFE" restore "$dumps/clean.sql.gz" --dry-run
status_is 0 "a dry run"
like "$OUT" "would restore file \"$dumps/clean.sql.gz\" \(plain SQL, gzipped, of PostgreSQL .*, [0-9.]+ [kM]?B\)" "says what it is"
like "$OUT" "in place of database \"$live\", which would be kept as" "and what would happen"
run "$MIGSAFE" restore "$dumps/custom.dump" --dry-run --json
is "$(jq -c '[.dry_run, .file.kind, .file.bytes, .onto]' <<<"$OUT")" \
	"[true,\"custom archive\",$(stat -c %s "$dumps/custom.dump"),\"$live\"]" "as a document"
same app changed "and changes nothing"
nothing_left "dry run"

# --- into a new database ----------------------------------------------------------------------------

run "$MIGSAFE" restore "$dumps/plain.sql" --into "$(db_name other)" --json
status_is 0 "into a new database"
is "$(jq -c '[.verdict, .database, .file.tables]' <<<"$OUT")" "[\"restored\",\"$(db_name other)\",3]" "the document"
same other before "which is the same but for its name"
same app changed "and live is untouched"
run "$MIGSAFE" restore "$dumps/plain.sql" --into "$(db_name other)"
status_is 64 "an existing database is never touched"
db_drop other
run "$MIGSAFE" restore "$dumps/tar.tar" --into "$(db_name fresh)" --url "$(db_url missing)"
status_is 0 "also where there is no live database"
is "$(sql fresh 'SELECT count(*) FROM "order"')" 2000 "with its rows"
is "$(sql postgres "SELECT datistemplate, datallowconn, has_database_privilege('$(role_name reader)', oid, 'CONNECT'), datconnlimit
	FROM pg_database WHERE datname = '$(db_name fresh)'")" "f|t|t|-1" "an ordinary database"
db_drop fresh

# --- a backup's id wins, an export comes back --------------------------------------------------------

run "$MIGSAFE" backup --kind full --json
id=$(jq -r '.backups[0].id' <<<"$OUT")
touch "$T/$id"
run "$MIGSAFE" restore "$id" --dry-run --json
is "$(jq -r .backup.id <<<"$OUT")" "$id" "a backup's id wins over a file of that name"
run "$MIGSAFE" restore "backups/$id/" --dry-run --json
is "$(jq -r .backup.id <<<"$OUT")" "$id" "the path of a backup is that backup"
run bash -c '"$1" export "$2" --clean --gzip | "$1" restore - --yes' _ "$MIGSAFE" "$id"
status_is 0 "an export is a dump"
same app changed "that comes back"
drop_kept

# --- what is no whole dump of one database -----------------------------------------------------------

refused() { # STATUS WORDS NAME FILE [ARGUMENT...]
	run "$MIGSAFE" restore "$4" --yes "${@:5}"
	status_is "$1" "$3"
	like "$ERR" "$2" "$3: said"
	is "$(grep -c '^migsafe: error' <<<"$ERR")" 1 "$3: in one line"
	same app changed "$3: nothing has changed"
	nothing_left "$3"
}
bad() { # NAME <TEXT -> its path
	cat >"$dumps/$1"
	printf '%s' "$dumps/$1"
}
refused 66 'no backup or file' "a file that is not there" "$dumps/none.sql"
refused 66 'no backup or file' "one named like a dump" backup_20241201_143022.sql
refused 66 'no backup "nope"' "neither a file nor a backup" nope
refused 76 'is empty' "an empty file" "$(bad empty.sql </dev/null)"
refused 76 'is empty' "an empty gzip" "$(gzip -c </dev/null | bad empty.gz)"
refused 76 'not SQL: it holds zero bytes' "bytes" "$(head -c 5000 /dev/zero | bad zero.sql)"
refused 76 'this is not SQL: it begins with "HELLO"' "words" "$(echo 'hello there' | bad words.sql)"
refused 76 'this is not SQL' "a page" "$(echo '<html>' | bad page.sql)"
refused 76 'holds no SQL' "comments" "$(echo '-- nothing' | bad comment.sql)"
refused 76 'cut off: its gzip stream has no end' "a gzip that is cut off" "$(head -c 4000 "$dumps/clean.sql.gz" | bad cut.sql.gz)"
refused 76 'is damaged' "a gzip with a wrong sum" \
	"$({ head -c -8 "$dumps/clean.sql.gz" && printf '12345678'; } | bad sum.sql.gz)"
refused 76 'cut off at line .* in the rows of a COPY' "SQL that is cut off in its rows" \
	"$(sed '/u250/q' "$dumps/plain.sql" | bad cut.sql)"
refused 76 'cut off at line .* its last line is missing' "SQL that is cut off between statements" \
	"$(sed '/^CREATE TABLE public."User"/,$d' "$dumps/plain.sql" | bad half.sql)"
refused 76 '.' "an archive that is cut off" "$(head -c 9000 "$dumps/custom.dump" | bad cut.dump)"
refused 76 'is a tar, but not of pg_dump' "another tar" "$(tar -cf - -C "$dumps" plain.sql | bad other.tar)"
mkdir "$dumps/folder"
refused 76 'no toc.dat' "another folder" "$dumps/folder"
refused 76 'only the contents' "the contents of a folder" "$dumps/directory/toc.dat"
refused 76 'packed by xz' "packed otherwise" "$(printf '\375' | cat - <(printf '7zXZ...') | bad x.sql.xz)"
refused 76 'UTF-16' "UTF-16" "$(iconv -f UTF-8 -t UTF-16 "$dumps/plain.sql" | bad utf16.sql)"

refused 76 'line [0-9]+: the command "\\connect" .*without -C' "a dump with -C" \
	"$(pg_dump_of app -C | sed '/DATABASE/d' | bad connect.sql)"
refused 76 'line [0-9]+: CREATE DATABASE .*without -C' "which makes its database" "$(pg_dump_of app -C | bad create.sql)"
refused 76 'line [0-9]+: (CREATE|ALTER|DROP) ROLE .*pg_dumpall' "a dump of the cluster" \
	"$("$TEST_PGBIN/pg_dumpall" -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres --roles-only | bad all.sql)"
refused 76 'line 2: the command "\\!"' "a shell command" "$(printf 'SELECT 1;\n\\! touch %s/pwned\n' "$T" | bad shell.sql)"
[ ! -e "$T/pwned" ]
ok $? "which was not run"
refused 76 'line 1: COMMENT ON DATABASE' "a comment on a database" "$(echo "COMMENT ON DATABASE \"$live\" IS 'x';" | bad on.sql)"
refused 76 'holds only data, no tables' "only data, as INSERTs" "$(pg_dump_of app --data-only --column-inserts | bad data.sql)"
refused 76 'holds only data, no tables' "only data, as an archive" \
	"$(rm -rf "$dumps/data" && pg_dump_of app --data-only -Fd -f "$dumps/data" && printf '%s' "$dumps/data")"
refused 76 'makes no table' "no table" "$(echo 'CREATE SCHEMA s;' | bad none.sql)"
refused 76 'line 3: division by zero' "SQL that fails" "$(printf 'CREATE TABLE t (a int);\n\nSELECT 1/0;\n' | bad fail.sql)"
refused 76 'line 1: relation "t" does not exist.*if-exists' "DROP without IF EXISTS" \
	"$(printf 'ALTER TABLE t DROP CONSTRAINT x;\nCREATE TABLE t (a int);' | bad drop.sql)"
refused 76 'line 2: unrecognized configuration parameter .*newer pg_dump' "a newer pg_dump" \
	"$(printf 'CREATE TABLE t (a int);\nSET no_such_timeout = 0;' | bad newer.sql)"
refused 76 'line 2: role "nobody_here" does not exist.*--no-owner' "an owner that is not there" \
	"$(printf 'CREATE TABLE t (a int);\nALTER TABLE t OWNER TO nobody_here;' | bad owner.sql)"
refused 76 'duplicate key value .*COPY t, line 2' "rows that fail" \
	"$(printf 'CREATE TABLE t (a int PRIMARY KEY);\nCOPY t FROM stdin;\n1\n1\n\\.\n' | bad rows.sql)"
refused 74 'no psql of PostgreSQL' "no psql" "$dumps/plain.sql" --pg-bin "$T"

# The scanner is not the only guard: what it would overlook psql does not do. Here quotes are read in
# another way from the middle on, which only a program can tell.
cat >"$dumps/sly.sql" <<END
CREATE TABLE t (a int);
DO \$\$ BEGIN EXECUTE 'SET standard_con' || 'forming_strings = off'; END \$\$;
SELECT '\\'' \\! touch $T/pwned
;--';
END
refused 76 'backslash commands are restricted' "a hidden command" "$dumps/sly.sql"
[ ! -e "$T/pwned" ]
ok $? "which was not run"

# --- hooks around it ------------------------------------------------------------------------------------

export MIGSAFE_HOOKS_DIR=$T/hooks
hook() { # POINT SCRIPT
	mkdir -p "$MIGSAFE_HOOKS_DIR/$1"
	printf '#!/bin/sh\n%s\n' "$2" >"$MIGSAFE_HOOKS_DIR/$1/50-test"
	chmod +x "$MIGSAFE_HOOKS_DIR/$1/50-test"
}
hook pre-restore "echo pre >>'$T/hooked'; exit 1"
hook post-restore "echo post >>'$T/hooked'"
refused 74 'hook' "a hook that says no" "$dumps/plain.sql"
is "$(paste -sd, "$T/hooked")" pre,post "was asked, and what it stopped can be started again"
hook pre-restore "echo pre >>'$T/hooked'"
run "$MIGSAFE" restore "$dumps/plain.sql" --into "$(db_name other)"
status_is 0 "into a new database"
is "$(paste -sd, "$T/hooked")" pre,post "no hooks are run"
db_drop other
unset MIGSAFE_HOOKS_DIR

# --- whose the objects are ----------------------------------------------------------------------------

role_create owner
db_create shop owner
sql_as owner shop 'CREATE TABLE t (id serial PRIMARY KEY, v text); CREATE SCHEMA s; CREATE VIEW s.w AS SELECT 1 AS a'
sql_as owner shop "INSERT INTO t (v) SELECT 'x' FROM generate_series(1, 50)"
pg_dump_of shop --no-owner --no-acl -f "$dumps/bare.sql"
pg_dump_of shop -f "$dumps/owned.sql"
state shop before
sql_as owner shop 'DROP TABLE t'
export MIGSAFE_ADMIN_URL
MIGSAFE_ADMIN_URL=$(db_url shop)
DATABASE_URL=$(db_url shop owner)
for dump in bare owned; do
	run "$MIGSAFE" restore "$dumps/$dump.sql" --yes
	status_is 0 "by a superuser as admin-url: $dump"
	same shop before "everything is of the owner of live: $dump"
	sql_as owner shop 'DROP TABLE t'
done
sed 's/^CREATE SCHEMA s;/&\nCREATE EXTENSION dblink WITH SCHEMA public;/' "$dumps/bare.sql" >"$dumps/extension.sql"
run "$MIGSAFE" restore "$dumps/extension.sql" --yes
status_is 76 "what that owner may not do fails"
like "$ERR" 'ermission denied to create extension "dblink".*names no owners' "and it is said why"
unset MIGSAFE_ADMIN_URL
sql postgres "ALTER ROLE \"$(role_name owner)\" CREATEDB"
run "$MIGSAFE" restore "$dumps/owned.sql" --yes
status_is 0 "by a plain owner with CREATEDB"
same shop before "the same"
sed "s/OWNER TO .*;/OWNER TO \"$(role_name writer)\";/" "$dumps/owned.sql" >"$dumps/others.sql"
run "$MIGSAFE" restore "$dumps/others.sql" --yes
status_is 76 "a plain role cannot give objects to another"
like "$ERR" 'must be (member of role|able to SET ROLE) .*admin-url' "and it is said what helps"
same shop before "nothing has changed"

# --- stopped ------------------------------------------------------------------------------------------

{ cat "$dumps/owned.sql" && echo 'SELECT pg_sleep(30);'; } >"$dumps/slow.sql"
sleeping() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(30)%' AND datname LIKE '%__migsafe_restore_%'")" = 1 ]
}
for kept in $(db_list | grep __migsafe_kept_); do db_drop "$TEST_PREFIX$kept"; done
"$MIGSAFE" restore - --yes <"$dumps/slow.sql" >"$T/out" 2>&1 &
pid=$!
wait_for 20 sleeping
ok $? "a restore is under way"
touch "$MIGSAFE_BACKUP_DIR/.migsafe/restore_killed"
touch -d '2 minutes ago' "$MIGSAFE_BACKUP_DIR/.migsafe"/restore_*
run "$MIGSAFE" restore - --dry-run <"$dumps/custom.dump"
status_is 0 "meanwhile another looks at its own"
is "$(find "$MIGSAFE_BACKUP_DIR/.migsafe" -name 'restore_*' -printf '%m\n')" 600 "its standard input is kept for nobody else to read, what a killed one left is removed"
kill -TERM "$pid"
wait "$pid"
is $? 130 "ended by a signal"
same shop before "nothing has changed"
is "$(db_list | paste -sd,)" "app,shop" "no database is left"
is "$(find "$MIGSAFE_BACKUP_DIR/.migsafe" -name 'restore_*')" "" "no file is left"
done_testing
