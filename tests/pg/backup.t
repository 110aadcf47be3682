#!/usr/bin/env bash
# A backup is one consistent moment of everything, restorable with stock tools, or it is not there.
. "$(dirname "$0")/../lib.sh"
# What auto is depends on the version of the server.
export MIGSAFE_COMPRESSION=gzip:1

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

backups() { # -> names below the backup folder
	(cd "$MIGSAFE_BACKUP_DIR" 2>/dev/null && printf '%s\n' * .[!.]* | grep -vx -e '\*' -e '\.\[!\.\]\*')
}

manifest() { # ID JQ-FILTER
	jq -r "$2" "$MIGSAFE_BACKUP_DIR/$1/manifest.json"
}

no_sessions() { # of ours in a database
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$(db_name "$1")'
		AND application_name LIKE '%migsafe%'")" = 0 ]
}

# --- everything that a table can be ---------------------------------------------------------------

sql app >"$T/ignored" <<'END'
CREATE SCHEMA "Odd ""schema""";
CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
CREATE TABLE "User" (id serial PRIMARY KEY, email text NOT NULL UNIQUE, nick text, mood mood,
	made timestamptz(3) DEFAULT now(), doc jsonb, raw bytea);
INSERT INTO "User" (email, nick, mood, doc, raw)
	SELECT 'u' || i || '@x', CASE WHEN i % 4 = 0 THEN E'tab\t nl\n \\N' END, CASE WHEN i % 2 = 0 THEN 'sad'::mood END,
		jsonb_build_object('i', i), decode(md5(i::text), 'hex') FROM generate_series(1, 1000) i;
CREATE TABLE "Odd ""schema"""."na""me, with
newline" (" " int, "q""" text, "x
y" int NOT NULL DEFAULT 1);
INSERT INTO "Odd ""schema"""."na""me, with
newline" VALUES (1, 'a'), (NULL, 'b');
CREATE TABLE none ();
INSERT INTO none DEFAULT VALUES;
INSERT INTO none DEFAULT VALUES;
CREATE UNLOGGED TABLE fast AS SELECT 1 AS a;
CREATE TABLE made_up (a int, twice int GENERATED ALWAYS AS (a * 2) STORED, id bigint GENERATED ALWAYS AS IDENTITY);
INSERT INTO made_up (a) VALUES (1), (2), (NULL);
CREATE TABLE event (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO event VALUES ('2025-05-05', 'x'), ('2026-06-06', 'y'), ('2026-07-07', NULL);
CREATE TABLE parent (a int);
CREATE TABLE child (b int) INHERITS (parent);
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (2, 3), (4, 5);
CREATE MATERIALIZED VIEW sums AS SELECT mood, count(*) FROM "User" GROUP BY mood;
CREATE VIEW seen AS SELECT email FROM "User";
CREATE EXTENSION hstore;
CREATE SEQUENCE big START 9223372036854775000;
CREATE SEQUENCE down INCREMENT -1;
SELECT nextval('big'), nextval('down'), setval('down', -5, false);
SELECT lo_from_bytea(0, 'large one'), lo_from_bytea(0, 'large two');
CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
	migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
	applied_steps_count integer NOT NULL DEFAULT 0);
INSERT INTO _prisma_migrations VALUES ('a', 'sum', now(), '20260101_init', NULL, NULL, now(), 1);
ANALYZE;
END
sql postgres "COMMENT ON DATABASE \"$(db_name app)\" IS 'the shop'; ALTER DATABASE \"$(db_name app)\" SET work_mem = '5MB'"
bg_sql app 'CREATE TEMP TABLE gone AS SELECT 1 AS a'
TEMP=$BG

(umask 000 && exec "$MIGSAFE" backup --json --reason weekly --label "before the 'big' one" --jobs 2) >"$T/out" 2>"$T/err"
RC=$? OUT=$(cat "$T/out") ERR=$(cat "$T/err")
status_is 0 "a backup of everything is taken"
bg_kill "$TEMP"
FULL=$(jq -r '.backups[0].id' <<<"$OUT")
DATA=$(jq -r '.backups[1].id' <<<"$OUT")
like "$FULL" "^$(db_name app)_[0-9]{8}_[0-9]{6}_full$" "the full one is named by database, time and kind"
is "$DATA" "${FULL%_full}_data" "the data one shares its stamp"
is "$(backups)" "$DATA"$'\n'"$FULL" "nothing else is left in the folder"
is "$(jq -rc '.backups[] | [.kind, .reason, .label]' <<<"$OUT" | tr '\n' ' ')" \
	"[\"full\",\"weekly\",\"before the 'big' one\"] [\"data\",\"weekly\",\"before the 'big' one\"] " "what was asked for is told"
is "$(find "$MIGSAFE_BACKUP_DIR" -type d -printf '%m\n' | sort -u) $(find "$MIGSAFE_BACKUP_DIR" -type f -printf '%m\n' | sort -u)" \
	"700 600" "folders are 0700 and files 0600, whatever the umask"
ok "$(cd "$MIGSAFE_BACKUP_DIR/$FULL" && sha256sum --quiet -c SHA256SUMS >&2; echo $?)" "sha256sum -c agrees with the full one"
ok "$(cd "$MIGSAFE_BACKUP_DIR/$DATA" && sha256sum --quiet -c SHA256SUMS >&2; echo $?)" "sha256sum -c agrees with the data one"
is "$(cd "$MIGSAFE_BACKUP_DIR/$FULL" && printf '%s\n' * | grep -v -e SHA256SUMS -e manifest.json)" \
	"$(cut -c67- "$MIGSAFE_BACKUP_DIR/$FULL/SHA256SUMS")" "every file has its sum"
is "$(cd "$MIGSAFE_BACKUP_DIR" && printf '%s\n' "$FULL"/*.dat* | grep -v toc.dat | xargs stat -c '%i')" \
	"$(cd "$MIGSAFE_BACKUP_DIR" && stat -c '%i' "$DATA"/*.dat*)" "the data one holds the same data files, by hard links"
[ ! -e "$MIGSAFE_BACKUP_DIR/$DATA/toc.dat" ]
ok $? "and no toc.dat"
ok "$(wait_for 5 no_sessions app; echo $?)" "all sessions are closed"

# --- stock pg_restore -------------------------------------------------------------------------------

db_create again
run pg_restore -Fd -j4 --exit-on-error -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres -d "$(db_name again)" "$MIGSAFE_BACKUP_DIR/$FULL"
status_is 0 "stock pg_restore restores it"
sql postgres "COMMENT ON DATABASE \"$(db_name again)\" IS 'the shop'; ALTER DATABASE \"$(db_name again)\" SET work_mem = '5MB'"
"$ROOT/scripts/db-fingerprint.sh" "$(db_name app)" >"$T/before"
"$ROOT/scripts/db-fingerprint.sh" "$(db_name again)" >"$T/after"
is "$(diff "$T/before" "$T/after")" "" "the restored database is the same, by its fingerprint"

# --- the manifest -------------------------------------------------------------------------------------

is "$(manifest "$FULL" '.tables[] | "\(.schema).\(.name) \(.rows)"')" \
	'Odd "schema".na"me, with
newline 2
public.User 1000
public._prisma_migrations 1
public.child 2
public.event_2025 1
public.event_2026 2
public.fast 1
public.made_up 3
public.none 2
public.parent 1' "every table that has rows of its own is counted, and no more"
is "$(manifest "$FULL" '.tables[] | select(.name == "User") | .columns[] | "\(.name) \(.type) \(.values)"')" \
	"id integer 1000
email text 1000
nick text 250
mood public.mood 500
made timestamp(3) with time zone 1000
doc jsonb 1000
raw bytea 1000" "columns with their types and values"
is "$(manifest "$FULL" '.tables[] | select(.name == "made_up") | .columns[] | "\(.name) \(.values)"' | tr '\n' ' ')" \
	"a 2 twice 2 id 3 " "generated and identity columns too"
is "$(manifest "$FULL" '.tables[] | select(.name == "none") | .columns | length')" 0 "a table without columns"
is "$(manifest "$FULL" '.sequences[] | "\(.name) \(.last_value) \(.is_called)"' | sort)" \
	"User_id_seq 1000 true
big 9223372036854775000 true
down -5 false
made_up_id_seq 3 true" "sequences, exact beyond 2^53"
is "$(manifest "$FULL" '"\(.large_objects) \(.ledger[0].schema) \(.ledger[0].migrations[0].name) \(.database.comment) \(.database.settings[0])"')" \
	"2 public 20260101_init the shop work_mem=5MB" "large objects, ledger, and what a dump does not hold"
is "$(manifest "$FULL" '[.format, .kind, .reason, .pinned, (.verified | length)] | join(" ")')" "1 full weekly false 0" "kind, reason, pin"
is "$(manifest "$DATA" '[.kind, ([.files[].name] | index("toc.dat"))] | join(" ")')" "data " "the data one says what it holds"
is "$(manifest "$FULL" 'del(.id, .kind, .files, .bytes)')" "$(manifest "$DATA" 'del(.id, .kind, .files, .bytes)')" "of the same moment"
FILE=$(manifest "$FULL" '.tables[] | select(.name == "User") | .file')
is "$(zcat "$MIGSAFE_BACKUP_DIR/$DATA/$FILE" | grep -c '@x')" 1000 "the file of a table is named"
is "$(manifest "$FULL" "[.tables[] | select(.file != null) | .sha256] - [.files[].sha256] | length")" 0 "and summed"
is "$(manifest "$FULL" .system_identifier)" "$(sql postgres 'SELECT system_identifier FROM pg_control_system()')" "and of which server it is"
like "$(manifest "$FULL" '.snapshot_xmax + " " + .lsn + " " + .snapshot')" '^[0-9]+ [0-9A-F]+/[0-9A-F]+ [0-9A-F-]+$' "where in time it lies"
is "$(manifest "$FULL" '.tables[] | select(.name == "User") | .counters.inserted')" 1000 "the counters of the server"

# --- kinds, compression, ids ----------------------------------------------------------------------------

run "$MIGSAFE" backup --kind data --compression none
status_is 0 "a data backup alone"
ONLY=${OUT%% *}
like "$ONLY" '_data(_2)?$' "is of kind data"
is "$(cd "$MIGSAFE_BACKUP_DIR/$ONLY" && printf '%s\n' toc.dat* ./*.dat.gz)" $'toc.dat*\n./*.dat.gz' "has neither toc.dat nor packed files"
FILE=$(manifest "$ONLY" '.tables[] | select(.name == "User") | .file')
is "$(grep -c '@x' "$MIGSAFE_BACKUP_DIR/$ONLY/$FILE")" 1000 "plain text without compression"
is "$(manifest "$ONLY" '[.tables[] | .members[]] | unique | tostring')" "[0]" "of which each file is one piece"

for second in 0 1 2 3 4 5; do
	mkdir -p "$MIGSAFE_BACKUP_DIR/$(db_name app)_$(date -u -d "+$second seconds" +%Y%m%d_%H%M%S)_data"
done
run "$MIGSAFE" backup --kind both
status_is 0 "a backup in the second of another one"
is "$(sed -E 's/ .*//; s/.*_(full|data)/\1/' <<<"$OUT" | tr '\n' ' ')" "full_2 data_2 " "is given another id, the same for both kinds"
find "$MIGSAFE_BACKUP_DIR" -type d -empty -delete
rm -rf "$MIGSAFE_BACKUP_DIR"

# --- a TRUNCATE while we wait for the lock ---------------------------------------------------------------

lock_waited_for() { # DATABASE
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$(db_name "$1")'
		AND application_name = 'migsafe backup' AND wait_event_type = 'Lock'")" = 1 ]
}

db_create race
sql race 'CREATE TABLE a (i int); CREATE TABLE t (i int); CREATE TABLE log (what text); INSERT INTO t SELECT generate_series(1, 1000)'
bg_sql race 'BEGIN; TRUNCATE t; INSERT INTO t VALUES (1), (2), (3); INSERT INTO log VALUES (now()::text)'
(DATABASE_URL=$(db_url race) exec "$MIGSAFE" backup --json >"$T/out" 2>"$T/err") &
PID=$!
wait_for 10 lock_waited_for race
ok $? "a backup waits for the lock of a table that is being truncated"
bg_more "$BG" 'COMMIT; INSERT INTO log VALUES (now()::text)'
wait "$PID"
is $? 0 "and goes on when that is done"
RACE=$(jq -r '.backups[0].id' "$T/out")
is "$(manifest "$RACE" '.tables[] | select(.name == "t") | .rows')" 3 "it sees the table as the TRUNCATE left it"
FILE=$(manifest "$RACE" '.tables[] | select(.name == "t") | .file')
is "$(zcat "$MIGSAFE_BACKUP_DIR/$RACE/$FILE" | grep -c '^[0-9]')" 3 "and so does its file"

# The list of tables is no longer right when the lock is there: it must start over.
bg_kill "$BG"
bg_sql race 'BEGIN; LOCK TABLE t; ALTER TABLE a RENAME TO renamed; CREATE TABLE fresh (i int); INSERT INTO fresh VALUES (7)'
(DATABASE_URL=$(db_url race) exec "$MIGSAFE" backup --json >"$T/out" 2>"$T/err") &
PID=$!
wait_for 10 lock_waited_for race
bg_more "$BG" COMMIT
wait "$PID"
is $? 0 "tables that are made and renamed meanwhile do not break it"
RACE=$(jq -r '.backups[0].id' "$T/out")
is "$(manifest "$RACE" '.tables[] | "\(.name) \(.rows)"' | tr '\n' ' ')" "fresh 1 log 2 renamed 0 t 3 " "it starts over with the new list"
bg_kill "$BG"

# --- a lock that is not to be had --------------------------------------------------------------------------

rm -rf "$MIGSAFE_BACKUP_DIR"
bg_sql race "SET application_name = 'the blocker'; BEGIN; LOCK TABLE t; SELECT 'marker'"
run env DATABASE_URL="$(db_url race)" "$MIGSAFE" backup --lock-timeout 300ms --json
status_is 79 "a lock that is not to be had within lock-timeout"
like "$(jq -r .error.detail <<<"$OUT")" "^Process [0-9]+ \(the blocker\) has an ACCESS EXCLUSIVE lock on table \"public\".\"t\": .*marker" \
	"the blocker is named with its query"
is "$(backups)" "" "nothing is left behind"
ok "$(wait_for 5 no_sessions race; echo $?)" "no session either"
bg_kill "$BG"

# A transaction that has dropped a sequence may wait for us next: nobody would see that deadlock.
sql race 'CREATE SEQUENCE dropped'
bg_sql race 'BEGIN; DROP SEQUENCE dropped'
run timeout 20 env DATABASE_URL="$(db_url race)" "$MIGSAFE" backup --kind data --lock-timeout 300ms --json
status_is 79 "nor is a sequence waited for any longer"
is "$(backups)" "" "nothing is left behind"
bg_kill "$BG"
sql race 'DROP SEQUENCE dropped'

# pg_dump's own limit is for LOCK TABLE alone.
sql race 'CREATE VIEW dropped AS SELECT 1'
bg_sql race 'BEGIN; DROP VIEW dropped'
run timeout 30 env DATABASE_URL="$(db_url race)" "$MIGSAFE" backup --lock-timeout 300ms
status_is 79 "nor does pg_dump wait any longer for a view that somebody drops"
like "$ERR" 'pg_dump waits for a lock .*DROP VIEW dropped' "who has it is told"
is "$(backups)" "" "nothing is left behind by it"
bg_kill "$BG"
sql race 'DROP VIEW dropped'

# --- schemas that change their names ------------------------------------------------------------------------

# Locks keep tables from being renamed, not their schemas: what is copied by name is another table then.
db_create schemas
sql schemas 'CREATE SCHEMA blue; CREATE SCHEMA green; CREATE TABLE blue.t AS SELECT 1 AS a; CREATE TABLE green.t AS SELECT 2 AS a;
	CREATE SEQUENCE s1; CREATE SEQUENCE s2; CREATE SEQUENCE s3; CREATE SEQUENCE s4'
bg_sql schemas 'BEGIN; ALTER SEQUENCE s1 RENAME TO held' # sequences weigh more than tables of one page: they are read first
(DATABASE_URL=$(db_url schemas) exec "$MIGSAFE" backup --kind data --jobs 1 >"$T/out" 2>"$T/err") &
PID=$!
wait_for 10 lock_waited_for schemas
sql schemas 'BEGIN; ALTER SCHEMA blue RENAME TO other; ALTER SCHEMA green RENAME TO blue; ALTER SCHEMA other RENAME TO green; COMMIT'
bg_more "$BG" ROLLBACK
wait "$PID"
is $? 79 "schemas that took each other's names meanwhile end a backup"
like "$(cat "$T/err")" 'called "blue"."t"' "which names a table"
is "$(backups)" "" "nothing is left behind"
bg_kill "$BG"
run env DATABASE_URL="$(db_url schemas)" "$MIGSAFE" backup --kind data
status_is 0 "the next one is good"
rm -rf "$MIGSAFE_BACKUP_DIR"

# --- values of enums that are renamed -----------------------------------------------------------------------

# Values are written with the names that they have when they are read, the schema has those of the snapshot.
db_create labels
sql labels "CREATE TYPE color AS ENUM ('red', 'green'); CREATE TYPE gone AS ENUM ('x'); CREATE TABLE t (a color); INSERT INTO t VALUES ('red');
	CREATE SEQUENCE s1; CREATE SEQUENCE s2; CREATE SEQUENCE s3; CREATE SEQUENCE s4"
sql labels "BEGIN; ALTER TYPE color RENAME VALUE 'green' TO 'blue'; ROLLBACK" # leaves its mark for ever
during_labels() { # SQL: while a backup waits for a sequence; its status
	local renaming
	bg_sql labels 'BEGIN; ALTER SEQUENCE s1 RENAME TO held'
	(DATABASE_URL=$(db_url labels) exec "$MIGSAFE" backup --kind data --jobs 1 >"$T/out" 2>"$T/err") &
	PID=$!
	wait_for 10 lock_waited_for labels
	renaming=$(sql labels "$1" 2>&1)
	bg_more "$BG" ROLLBACK
	wait "$PID"
	RC=$?
	[ -z "$renaming" ] || diag "$renaming"
	bg_kill "$BG"
}
during_labels "ALTER TYPE color RENAME VALUE 'red' TO 'pink'"
is "$RC" 79 "a value of an enum that was renamed meanwhile ends a backup"
like "$(cat "$T/err")" 'values of enum public.color were renamed' "which names the enum"
is "$(backups)" "" "nothing is left behind"
during_labels "BEGIN; ALTER TYPE color RENAME VALUE 'pink' TO 'rose'; ROLLBACK; DROP TYPE gone; ALTER TYPE color ADD VALUE 'black'"
is "$RC" 0 "not one that was not after all, one more, nor a type that is gone: $(cat "$T/err")"
rm -rf "$MIGSAFE_BACKUP_DIR"

# --- while pg_dump runs --------------------------------------------------------------------------------------

# Stands before the real one and waits for the test's word.
mkdir "$T/slow"
cat >"$T/slow/pg_dump" <<END
#!/bin/sh
case \$1 in --version) exec "$TEST_PGBIN/pg_dump" --version ;; esac
touch "$T/dumping"
while [ ! -e "$T/go" ]; do sleep 0.05; done
exec "$TEST_PGBIN/pg_dump" "\$@"
END
chmod +x "$T/slow/pg_dump"

launch_slow() { # sets PID
	rm -f "$T/dumping" "$T/go"
	env --default-signal=INT DATABASE_URL="$(db_url race)" MIGSAFE_PG_BIN="$T/slow" "$MIGSAFE" backup --json "$@" >"$T/out" 2>"$T/err" &
	PID=$!
}

# Every table has its file: nothing of ours asks for a lock any more, so who queues for one is pg_dump's matter.
copied() {
	[ "$(find "$MIGSAFE_BACKUP_DIR"/*_full*.partial -name 'table_*' | wc -l)" = \
		"$(sql race "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")" ]
}

wait_for_slow() {
	{ wait_for 10 test -e "$T/dumping" && wait_for 10 copied; } || fail "the dump did not start" "$(cat "$T/err")"
}

start_slow() { # sets PID; the dump waits until $T/go is there
	launch_slow "$@"
	wait_for_slow
}

sql race "CREATE SEQUENCE s; SELECT nextval('s')" >"$T/ignored"
start_slow
sql race "SELECT nextval('s'), nextval('s'); INSERT INTO t VALUES (4); DELETE FROM log" >"$T/ignored"
run psql_as postgres race -c "SET lock_timeout = '100ms'; TRUNCATE t"
isnt "$RC" 0 "nobody truncates a table while it is backed up"
touch "$T/go"
wait "$PID"
is $? 0 "others may write meanwhile"
SLOW=$(jq -r '.backups[0].id' "$T/out")
is "$(manifest "$SLOW" '.tables[] | select(.name == "t" or .name == "log") | .rows' | tr '\n' ' ')" "2 3 " "what they write is not in the manifest"
FILE=$(manifest "$SLOW" '.tables[] | select(.name == "t") | .file')
is "$(zcat "$MIGSAFE_BACKUP_DIR/$SLOW/$FILE" | grep -c '^[0-9]')" 3 "and not in the files"
is "$(pg_restore -f - "$MIGSAFE_BACKUP_DIR/$SLOW" | grep -o "setval('public.s', [0-9]*, [a-z]*)")" \
	"setval('public.s', $(manifest "$SLOW" '.sequences[] | "\(.last_value), \(.is_called)"'))" "a sequence is in the manifest as a restore will set it"

# Made while we wait for another table's lock: it must have been locked as well, not only seen.
bg_sql race 'BEGIN; LOCK TABLE t; CREATE TABLE newborn AS SELECT 1 AS i'
launch_slow
wait_for 10 lock_waited_for race
bg_more "$BG" COMMIT
bg_kill "$BG"
wait_for_slow
run psql_as postgres race -c "SET lock_timeout = '100ms'; TRUNCATE newborn"
isnt "$RC" 0 "a table made at the last moment is locked too"
touch "$T/go"
wait "$PID"
is "$? $(manifest "$(jq -r '.backups[0].id' "$T/out")" '.tables[] | select(.name == "newborn") | .rows')" "0 1" "and backed up"

rm -rf "$MIGSAFE_BACKUP_DIR"
start_slow --lock-timeout 500ms
bg_sql race "SET application_name = 'the migration'; SELECT 1"
bg_send "$BG" 'ALTER TABLE t ADD COLUMN later int'
wait_for 10 sh -c "[ \"\$('$TEST_PGBIN/psql' -XAtq -h '$TEST_PGHOST' -p '$TEST_PGPORT' -U postgres -c \"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'the migration' AND wait_event_type = 'Lock'\")\" = 1 ]"
touch "$T/go"
wait "$PID"
is $? 79 "DDL that queues before pg_dump came to its locks ends the backup"
like "$(jq -r .error.detail "$T/out")" "^Process [0-9]+ \(the migration\) waits for an ACCESS EXCLUSIVE lock on table \"public\".\"t\": ALTER TABLE" "and is named"
is "$(backups)" "" "nothing is left behind"
wait_for 10 bg_settled "$BG"
ok $? "the DDL goes on"
bg_kill "$BG"

start_slow
kill -INT "$PID"
wait "$PID"
is $? 130 "a backup can be cancelled"
is "$(backups)" "" "which leaves nothing behind"
ok "$(wait_for 5 no_sessions race; echo $?)" "no session either"

start_slow
sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$(db_name race)' AND application_name = 'migsafe backup'" >/dev/null
touch "$T/go"
wait "$PID"
is $? 69 "a snapshot that is lost ends the backup"
like "$(jq -r .error.message "$T/out")" 'the session that holds the snapshot was lost' "with the reason"
is "$(backups)" "" "nothing is left behind"

start_slow
kill -KILL "$PID"
wait "$PID" 2>/dev/null
like "$(backups)" '\.partial' "a killed backup leaves folders in the making"
run "$MIGSAFE" list --json
is "$(jq '.backups | length' <<<"$OUT")" 0 "which are no backups"
ok "$(wait_for 5 no_sessions race; echo $?)" "its sessions end"
touch -d '1 hour ago' "$MIGSAFE_BACKUP_DIR"/*.partial
touch "$T/go"
run env DATABASE_URL="$(db_url race)" "$MIGSAFE" backup --kind full
is "$(backups)" "${OUT%% *}" "the next backup removes them"

# --- what cannot work -------------------------------------------------------------------------------------------

rm -rf "$MIGSAFE_BACKUP_DIR"
run "$MIGSAFE" backup --kind half
status_is 64 "an unknown kind"
run "$MIGSAFE" backup --reason because
status_is 64 "an unknown reason"
run "$MIGSAFE" backup --compression lz4
status_is 78 "an unknown compression"
run env -u DATABASE_URL "$MIGSAFE" backup
status_is 78 "no URL"
run env DATABASE_URL="postgresql://postgres@localhost:1/app?host=$T" "$MIGSAFE" backup
status_is 69 "a server that does not answer"
mkdir "$T/empty"
run "$MIGSAFE" backup --pg-bin "$T/empty"
status_is 74 "no pg_dump where pg-bin says"
touch "$T/file"
run "$MIGSAFE" backup --backup-dir "$T/file/backups"
status_is 71 "a folder that cannot be made"
like "$ERR" "$T/file" "is named"

role_create reader
run env DATABASE_URL="$(db_url race reader)" "$MIGSAFE" backup --json
status_is 65 "a role that may not read every table"
like "$(jq -r '.error | .sqlstate + " " + .message + " " + .hint' <<<"$OUT")" '42501 .*permission denied.*pg_read_all_data' "is told what to grant"
sql race "GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"$(role_name reader)\"; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO \"$(role_name reader)\";
	ALTER TABLE log ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON log USING (what = 'mine')"
run env DATABASE_URL="$(db_url race reader)" "$MIGSAFE" backup --json
status_is 65 "row security refuses instead of hiding rows"
like "$(jq -r .error.message <<<"$OUT")" 'row-level security' "and is named"
sql race 'ALTER TABLE log DISABLE ROW LEVEL SECURITY'
run env DATABASE_URL="$(db_url race reader)" "$MIGSAFE" backup --kind full
status_is 0 "a role that may read everything needs no more"
is "$(backups)" "${OUT%% *}" "failed ones have left nothing behind"

# --- a full disk ----------------------------------------------------------------------------------------------------

touch "$T/file"
run "$MIGSAFE" backup --backup-dir "$T/file" --json
status_is 71 "a backup-dir that is a file"
is "$(jq -r .error.detail <<<"$OUT")" null "how much room there is does not matter then"

small_disk() { # SIZE: mounted on $T/disk
	mkdir -p "$T/disk" && mount -t tmpfs -o "size=$1,mode=700" none "$T/disk" 2>/dev/null
}

if small_disk 200k; then
	run "$MIGSAFE" backup --backup-dir "$T/disk/backups" --json
	status_is 71 "a disk with less room than a tenth of the database"
	like "$(jq -r '.error | .message + " " + .detail' <<<"$OUT")" "not enough room for a backup in \"$T/disk/backups\" .*bytes are free" "is refused before anything is done"
	umount "$T/disk"
	sql app "CREATE TABLE noise AS SELECT gen_random_uuid() || gen_random_uuid()::text AS a FROM generate_series(1, 60000)"
	small_disk 2000k
	run "$MIGSAFE" backup --backup-dir "$T/disk/backups" --json
	status_is 71 "a disk that becomes full"
	like "$(jq -r '.error | .message + " " + .detail' <<<"$OUT")" "\"$T/disk/backups/.*No space left on device.* [0-9]+ bytes are free" "is named, with what is free"
	is "$(ls -A "$T/disk/backups")" "" "and gets its room back"
	sql app 'DROP TABLE noise'
	umount "$T/disk"
else
	pass "a small disk cannot be mounted here # SKIP needs root and mount"
fi

# --- extensions and other encodings ------------------------------------------------------------------------------------

sql app "CREATE TABLE of_extension (i int); CREATE TABLE of_extension_config (i int); INSERT INTO of_extension_config VALUES (1);
	ALTER EXTENSION hstore ADD TABLE of_extension; ALTER EXTENSION hstore ADD TABLE of_extension_config;
	UPDATE pg_extension SET extconfig = ARRAY['of_extension_config'::regclass::oid], extcondition = ARRAY[''] WHERE extname = 'hstore'"
run "$MIGSAFE" backup --kind full
status_is 0 "tables of an extension do not break it"
is "$(manifest "${OUT%% *}" '[.tables[].name | select(test("extension"))] | length')" 0 "and are left out of the manifest"

sql postgres "CREATE DATABASE \"$(db_name latin)\" TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'"
sql latin <<'END'
\encoding UTF8
CREATE TABLE "Größe" (id serial, "é" text);
INSERT INTO "Größe" ("é") VALUES ('ü');
END
run env DATABASE_URL="$(db_url latin)" "$MIGSAFE" backup --kind full
status_is 0 "a database in another encoding"
is "$(manifest "${OUT%% *}" '.tables[0].name + " " + .tables[0].columns[1].name + " " + .sequences[0].name + " " + .database.encoding')" \
	"Größe é Größe_id_seq LATIN1" "has its names in the manifest as UTF-8"

done_testing
