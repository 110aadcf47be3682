#!/usr/bin/env bash
# A restore within the live database that is ended in its middle (signals, kill -9, its session): live is what it was, and
# so it is after the next one brings the backup.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/fault.sh
. "$ROOT/tests/fault/fault.sh"

fault_database app
# What holds a restore among the rows, and among the archive's statements, long enough to be seen there.
sql app "CREATE MATERIALIZED VIEW slow AS SELECT 1 AS a FROM pg_sleep(1);
	CREATE TABLE held (id int CHECK (pg_sleep(1)::text = '')); INSERT INTO held VALUES (1)"
take --kind full
fingerprint app >"$T/backed_up"
sql app "DROP MATERIALIZED VIEW slow; UPDATE a SET v = 'since' WHERE id = 1; DELETE FROM big WHERE id > 30000; CREATE TABLE later (id int);
	DROP TABLE empty; SELECT setval('s', 99)" >"$T/ignored"
fingerprint app >"$T/before"
glance app >"$T/glance"

forget_runs() {
	find "$MIGSAFE_BACKUP_DIR" -mindepth 1 -maxdepth 1 ! -name "$FULL" -exec rm -rf {} +
}

LOADING='^COPY .*held.* FROM STDIN'
for at in "$LOADING" 'PostgreSQL database dump'; do # rows; the archive's statements before or after them
	for how in TERM INT KILL session; do
		name="$how at ${at//[^A-Za-z ]/}"
		start restore "$FULL" --in-place --yes
		session=$(held_at "$at")
		isnt "$session" "" "$name: it comes so far"
		case $how in
		session) terminate "$session" && want='^(65|69)$' ;;
		KILL) kill -KILL "$PID" && want='^137$' ;;
		*) kill -"$how" "$PID" && want='^130$' ;;
		esac
		go_on 2>"$T/ignored"
		ended 2>"$T/ignored"
		like "$RC" "$want" "$name: the status"
		wait_for 20 no_sessions app
		ok $? "$name: its sessions end"
		is "$(glance app)" "$(cat "$T/glance")" "$name: live is what it was"
		is "$(db_list)" app "$name: no database is made"
		is "$(listed | grep -cv "^$FULL\$")" 2 "$name: the emergency backup is kept"
		[ "$how" = KILL ] || forget_runs
		if [ "$how" = KILL ]; then
			run "$MIGSAFE" recover
			status_is 21 "$name: recover finds that it was not committed"
			is "$(glance app)" "$(cat "$T/glance")" "$name: and changes nothing"
			forget_runs
		fi
	done
done
live_is "$T/before" app "in every way"
run "$MIGSAFE" restore "$FULL" --in-place --yes
status_is 0 "nothing keeps the next one from its work"
live_is "$T/backed_up" app "which brings the backup"
done_testing
