#!/usr/bin/env bash
# migsafe restore --into NAME --drop: a trial. The new database is filled, counted and gone again, however it
# ends; live is not touched.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/pg/restore.sh
. "$ROOT/tests/pg/restore.sh"
sql app 'CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 1234)'
sql postgres "COMMENT ON DATABASE \"$(db_name app)\" IS 'the shop'"
id=$(take)
trial=$(db_name trial)
before=$("$ROOT/scripts/db-fingerprint.sh" "$(db_name app)")

gone() { # NAME
	is "$(db_list | tr '\n' ' ')" "app " "$1: the database is gone, no other is there"
}

run "$MIGSAFE" restore "$id" --into "$trial" --drop
status_is 0 "a trial of a backup"
like "$OUT" "restored into new database \"$trial\".*1 table and 1 234 rows.*\"$trial\" was dropped again" "tells what it had"
gone "a backup"
run "$MIGSAFE" restore "$id" --into "$trial" --drop --json
is "$(jq -c '[.verdict, .database, .dropped, .backup.tables, .backup.rows]' <<<"$OUT")" \
	"[\"restored\",\"$trial\",true,1,1234]" "as JSON"
"$MIGSAFE" export "$id" --output "$T/dump.sql" >/dev/null 2>&1 || bail "export"
run "$MIGSAFE" restore "$T/dump.sql" --into "$trial" --drop --json
is "$RC$(jq -c '[.dropped, .file.tables, .file.rows]' <<<"$OUT")" '0[true,1,1234]' "a trial of a file"
gone "a file"
run "$MIGSAFE" restore "$id" --into "$trial" --json
is "$(jq -c .dropped <<<"$OUT")" false "without --drop it stays"
db_exists trial
ok $? "there"
run "$MIGSAFE" restore "$id" --into "$trial" --drop
status_is 64 "a database that is there is not tried on"
db_exists trial
ok $? "nor dropped"
db_drop trial

run "$MIGSAFE" restore "$id" --drop --yes
status_is 64 "--drop without --into is refused"
run "$MIGSAFE" restore "$id" --into "$trial" --drop --dry-run
status_is 0 "a dry run of a trial"
gone "a dry run"
printf 'CREATE TABLE a (b int);\nSELECT 1/0;\n' >"$T/bad.sql"
run "$MIGSAFE" restore "$T/bad.sql" --into "$trial" --drop
status_is 76 "a file that fails"
gone "a failing file"

# Ended in the middle of it.
printf 'CREATE TABLE a (b int);\nSELECT pg_sleep(60);\n' >"$T/slow.sql"
env --default-signal=INT "$MIGSAFE" restore "$T/slow.sql" --into "$trial" --drop >"$T/out" 2>&1 &
pid=$!
asleep() { [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$trial' AND query LIKE '%pg_sleep%'")" = 1 ]; }
wait_for 30 asleep
ok $? "a slow one is at work"
kill -INT "$pid"
wait "$pid"
is $? 130 "interrupted"
gone "an interrupted one"
is "$("$ROOT/scripts/db-fingerprint.sh" "$(db_name app)")" "$before" "live is what it was"
done_testing
