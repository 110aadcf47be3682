#!/usr/bin/env bash
# Sessions ended, signals, kill -9 and a server that dies, each in the middle of a backup, a verification and a
# restore: the status says which, nothing half is listed or left, and the live database is what it was.
# shellcheck source=tests/lib.sh
if [ -z "${TEST_OWN_SERVER-}" ]; then # one that may be killed
	exec env -u TEST_PGHOST -u TEST_PGPORT TEST_OWN_SERVER=1 "$(dirname "$0")/../../scripts/with-cluster.sh" "$0"
fi
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/fault.sh
. "$ROOT/tests/fault/fault.sh"

# What takes some time to be copied, and what holds a restore where it is to be held.
fault_database app
sql app "CREATE TABLE noise AS SELECT i AS id, repeat(md5(i::text), 8) AS v FROM generate_series(1, 300000) i;
	CREATE TABLE told (v int); ANALYZE"
take --kind both
GOOD=$FULL
GOOD_DATA=$DATA
sql app 'CREATE MATERIALIZED VIEW slow AS SELECT 1 AS a FROM pg_sleep(1)'
take --kind both
SLOW=$FULL
sql app "DROP MATERIALIZED VIEW slow; UPDATE a SET v = 'since' WHERE id = 1"
fingerprint app >"$T/before"
glance app >"$T/glance"
good=$(listed)

as_it_was() { # NAME
	nothing_left "$1" app
	is "$(listed)" "$good" "$1: the backups are those from before"
	is "$(glance app)" "$(cat "$T/glance")" "$1: live is what it was"
}

COPYING='COPY .*noise.* TO stdout'
LOADING='COPY .*noise.* FROM STDIN'

# --- a backup --------------------------------------------------------------------------------------------------

start backup
session=$(held_at "$COPYING")
isnt "$session" "" "a worker copies"
terminate "$session"
go_on
ended
status_is 69 "the session of a worker is ended"
like "$ERR" 'noise|terminat|connection' "it is said"
as_it_was "worker ended"

start backup
held_at "$COPYING" >"$T/ignored"
holder=$(sql postgres "SELECT pid FROM pg_stat_activity WHERE application_name = 'migsafe backup' AND state = 'idle in transaction'
	AND xact_start = (SELECT min(xact_start) FROM pg_stat_activity WHERE application_name = 'migsafe backup')")
isnt "$holder" "" "one session holds the snapshot"
terminate "${holder%%$'\n'*}"
go_on
ended
status_is 69 "the session that holds the snapshot is ended"
like "$ERR" 'snapshot was lost|connection' "it is said"
as_it_was "holder ended"

# pg_dump waits behind DDL that waits behind us.
mkdir "$T/slow"
cat >"$T/slow/pg_dump" <<END
#!/bin/sh
case \$1 in --version) exec "$TEST_PGBIN/pg_dump" --version ;; esac
echo \$\$ >"$T/dumping"
while [ ! -e "$T/go" ]; do sleep 0.02; done
exec "$TEST_PGBIN/pg_dump" "\$@"
END
chmod +x "$T/slow/pg_dump"
slow_backup() {
	rm -f "$T/dumping" "$T/go"
	start backup --pg-bin "$T/slow" "$@"
	wait_for 20 test -s "$T/dumping"
}
tables_copied() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'migsafe backup' AND state = 'active'")" = 0 ]
}
pg_dump_waits() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE query ~ '^LOCK TABLE' AND wait_event_type = 'Lock'")" = 1 ]
}
slow_backup --lock-timeout 60s
wait_for 20 tables_copied
bg_sql app 'SELECT 1'
bg_send "$BG" 'TRUNCATE told'
wait_for 10 sh -c "! '$TEST_PGBIN/psql' -XAtq -h '$TEST_PGHOST' -p '$TEST_PGPORT' -U postgres -d '$(db_name app)' -c \"SET lock_timeout = '50ms'; SELECT 1 FROM told LIMIT 1\" 2>/dev/null"
touch "$T/go"
wait_for 10 pg_dump_waits
ok $? "pg_dump waits behind a TRUNCATE that waits behind the backup"
terminate "$(sql postgres "SELECT pid FROM pg_stat_activity WHERE query ~ '^LOCK TABLE' AND wait_event_type = 'Lock'")"
ended
[[ $RC =~ ^(69|74)$ ]]
ok $? "pg_dump's session is ended (status $RC)" || diag "$ERR"
like "$ERR" 'pg_dump|connection' "it is said"
bg_kill "$BG"
glance app >"$T/glance"
as_it_was "pg_dump's session ended"

for signal in INT TERM; do
	start backup
	held_at "$COPYING" >"$T/ignored"
	kill -"$signal" "$PID"
	go_on
	ended
	status_is 130 "SIG$signal in the middle of a backup"
	as_it_was "SIG$signal, backup"
done
slow_backup
child=$(cat "$T/dumping")
kill -TERM "$PID"
ended
status_is 130 "SIGTERM while pg_dump is at work"
wait_for 5 sh -c "! kill -0 $child 2>/dev/null"
ok $? "which goes, too"
as_it_was "SIGTERM, pg_dump"

# --- kill -9 ------------------------------------------------------------------------------------------------------

slow_backup
child=$(cat "$T/dumping")
kill -KILL "$PID"
ended
wait_for 5 sh -c "! kill -0 $child 2>/dev/null"
ok $? "kill -9: pg_dump dies with us"
wait_for 20 no_sessions app
ok $? "and the sessions end"
is "$(listed)" "$good" "what is half is not listed"
left=$(leftovers)
like "$left" '\.partial' "though it is there"
is "$(db_list | grep -c __migsafe_)" 0 "no database was made"
find "$MIGSAFE_BACKUP_DIR" -maxdepth 1 -name '*.partial' -exec touch -d '10 minutes ago' {} +
run "$MIGSAFE" backup --kind data --json
status_is 0 "the next backup works"
is "$(leftovers)" "" "and has swept it away"
rm -rf "${MIGSAFE_BACKUP_DIR:?}/$(jq -r '.backups[0].id' <<<"$OUT")"
start backup
held_at "$COPYING" >"$T/ignored"
kill -KILL "$PID"
ended
wait_for 20 no_sessions app
ok $? "kill -9 in the middle of a COPY: the sessions end"
is "$(listed)" "$good" "what is half is not listed"
find "$MIGSAFE_BACKUP_DIR" -maxdepth 1 -name '*.partial' -exec rm -rf {} +

# --- a verification ---------------------------------------------------------------------------------------------------

reads_data() { find "/proc/$PID/fd" -lname '*.dat*' 2>/dev/null | grep -q .; }
# Nothing on the server tells of a verification: it goes by small steps, and is looked at between them.
verify_held() { # leaves it stopped while it reads; one that was too fast begins again
	for _ in 1 2 3 4 5; do
		start verify "$GOOD"
		while kill -STOP "$PID" 2>/dev/null; do
			reads_data && return
			go_on
			sleep 0.005
		done
		ended
	done
	return 1
}
for signal in INT TERM; do
	verify_held
	ok $? "a verification reads"
	kill -"$signal" "$PID"
	go_on
	ended
	status_is 130 "SIG$signal in the middle of reading a backup"
	as_it_was "SIG$signal, verify"
	start verify "$GOOD" --level restore
	isnt "$(held_at "$LOADING")" "" "a verification loads"
	kill -"$signal" "$PID"
	go_on
	ended
	status_is 130 "SIG$signal in the middle of restoring for a verification"
	as_it_was "SIG$signal, verify by restore"
done
run "$MIGSAFE" show "$GOOD" --json
is "$(jq '[.. | .verified? // empty | .[]? ] | length' <<<"$OUT")" 0 "a verification that was stopped is not noted as one"

# --- a restore -----------------------------------------------------------------------------------------------------------

restores=("restore $GOOD --into $(db_name new)" "restore $GOOD --yes")
for command in "${restores[@]}"; do
	short=${command#"restore $GOOD "}
	short=${short%% *}
	for how in INT TERM session; do
		# shellcheck disable=SC2086 # words
		start $command
		session=$(held_at "$LOADING")
		isnt "$session" "" "restore $short: a table is loaded"
		want=130
		case $how in
		session) terminate "$session" && want=69 ;;
		*) kill -"$how" "$PID" ;;
		esac
		go_on
		ended
		status_is "$want" "restore $short: $how"
		as_it_was "restore $short, $how"
		db_exists new
		is $? 1 "restore $short, $how: no new database"
	done
done
for signal in INT TERM; do
	start restore "$SLOW" --yes
	isnt "$(held_at 'REFRESH MATERIALIZED VIEW')$(sql postgres "SELECT 1 FROM pg_stat_activity WHERE query ~ '^REFRESH MATER'")" "" "after the rows, before the swap"
	kill -"$signal" "$PID"
	go_on
	ended
	status_is 130 "SIG$signal before the swap"
	as_it_was "SIG$signal before the swap"
done
start restore "$GOOD_DATA" --replace --accept-loss --yes
isnt "$(held_at "$LOADING")" "" "a data restore loads"
kill -INT "$PID"
go_on
ended
status_is 130 "SIGINT in the middle of a data restore"
find "$MIGSAFE_BACKUP_DIR" -maxdepth 1 -newer "$T/glance" -name '*_20*' | while IFS= read -r id; do
	jq -e '.reason == "emergency" or .reason == "manual"' "$id/manifest.json" >/dev/null && [ "$(listed | grep -cxF "${id##*/}")" = 1 ] &&
		! grep -qxF "${id##*/}" <<<"$good" && rm -rf "$id"
done
as_it_was "SIGINT, data restore"

start restore "$GOOD" --yes
held_at "$LOADING" >"$T/ignored"
kill -KILL "$PID"
ended
wait_for 20 no_sessions app
ok $? "kill -9 in the middle of a restore: the sessions end"
side=$(db_list | grep __migsafe_restore_)
isnt "$side" "" "the side database is there"
like "$(sql postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '$TEST_PREFIX$side'")" \
	"^migsafe restore of $(db_name app) run " "with its mark"
is "$(glance app)" "$(cat "$T/glance")" "live is what it was"
run "$MIGSAFE" recover
status_is 21 "recover: unchanged"
like "$OUT" "cleared: database .*${side#*__migsafe_restore_}" "its side database is dropped"
is "$(db_list | grep -c __migsafe_restore_)" 0 "and gone"
is "$(glance app)" "$(cat "$T/glance")" "live is still what it was"
rm -rf "$MIGSAFE_BACKUP_DIR/.migsafe/runs"

# --- the server dies --------------------------------------------------------------------------------------------------------

server_dies() {
	local pid
	pid=$(head -n 1 "$TEST_PGHOST/data/postmaster.pid")
	kill -QUIT "$pid"
	wait_for 20 test ! -e "$TEST_PGHOST/data/postmaster.pid"
}
server_comes() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && runuser -u postgres -- "$TEST_PGBIN/pg_ctl" -D "$TEST_PGHOST/data" -l "$TEST_PGLOG" -w -t 60 -s start)
	else
		"$TEST_PGBIN/pg_ctl" -D "$TEST_PGHOST/data" -l "$TEST_PGLOG" -w -t 60 -s start
	fi
}
crash() { # NAME COMMAND [ARGUMENT...]: the server dies in the middle of it
	local name=$1 at=$2
	shift 2
	start "$@"
	isnt "$(held_at "$at")" "" "$name: it is at work"
	server_dies
	go_on
	ended
	status_is 69 "$name: ends with 69"
	server_comes || bail "the server did not come again"
}
crash "the server dies in a backup" "$COPYING" backup
as_it_was "the server dies in a backup"
crash "the server dies in a restore" "$LOADING" restore "$GOOD" --yes
is "$(glance app)" "$(cat "$T/glance")" "the server dies in a restore: live is what it was"
is "$(listed)" "$good" "the backups are those from before"
for side in $(db_list | grep __migsafe_); do
	like "$(sql postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '$TEST_PREFIX$side'")" \
		"^migsafe restore of " "what could not be dropped has its mark"
	db_drop "$TEST_PREFIX$side"
done
rm -rf "$MIGSAFE_BACKUP_DIR/.migsafe/runs"
crash "the server dies in restore --into" "$LOADING" restore "$GOOD" --into "$(db_name new)"
db_exists new && like "$(sql postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '$(db_name new)'")" \
	"migsafe" "a half restored database is marked as one"
db_drop new
is "$(glance app)" "$(cat "$T/glance")" "live is what it was"
run "$MIGSAFE" verify "$GOOD" --level restore
status_is 0 "after all that the backup restores"
run "$MIGSAFE" backup
status_is 0 "and the next one works"

fingerprint app >"$T/after"
diff <(grep -v told "$T/before") <(grep -v told "$T/after") >"$T/diff"
ok $? "the live database is what it was, by its fingerprint" || diag "$(head -n 20 "$T/diff")"
done_testing
