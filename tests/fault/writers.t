#!/usr/bin/env bash
# Clients write at full speed while deploys fail and are rolled back, counted against their own logs of what was
# acknowledged. Without a fence every write that is missing is in lost-writes.sql.gz and `replay` brings it
# back; with one, none is missing.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base
role_create writer
sql base "CREATE TABLE written (id bigint PRIMARY KEY, v int NOT NULL); CREATE TABLE bag (id bigint, v int);
	GRANT SELECT, INSERT, UPDATE, DELETE ON written, bag TO \"$(role_name writer)\";
	ALTER TABLE written OWNER TO \"$(role_name owner)\"; ALTER TABLE bag OWNER TO \"$(role_name owner)\""

migration() { # NUMBER NAME <SQL
	mkdir "$APP/prisma/migrations/2027010100000${1}_$2" && cat >"$APP/prisma/migrations/2027010100000${1}_$2/migration.sql"
}

WRITERS=
writers_start() { # DB LOG ROUND
	"$ROOT/tests/fault/writers.py" "$TEST_PGHOST" "$TEST_PGPORT" "$(role_name writer)" "$(db_name "$1")" 4 "$2" "$3" &
	WRITERS=$!
	sleep 1
}
writers_stop() {
	kill "$WRITERS"
	wait "$WRITERS" 2>/dev/null
}
writers_check() { # DB LOG [FILE]: sets SEEN
	SEEN=$("$ROOT/tests/fault/writers.py" --check "$2" "$TEST_PGHOST" "$TEST_PGPORT" "$(role_name writer)" "$(db_name "$1")" "${@:3}")
}
seen() { # JQ-FILTER
	jq -r "$1" <<<"$SEEN"
}

# What the migrations do before they fail; the second statement is what others have time to write in.
failing() { # ROUND
	case $1 in
	1) # an applied migration, and one that fails
		printf 'CREATE TABLE one (id int);\n' | migration 1 good
		printf 'SELECT pg_sleep(1.5);\nSELECT 1/0;\n' | migration 2 bad
		;;
	2) # the migration changes the very table, and writes to it
		printf 'ALTER TABLE written ADD extra int;\nUPDATE written SET extra = 1 WHERE id %% 2 = 0;\n' | migration 1 good
		printf 'SELECT pg_sleep(1);\nSELECT 1/0;\n' | migration 2 bad
		;;
	3) # it is applied, and unhealthy
		printf 'SELECT pg_sleep(1);\nCREATE INDEX bag_v ON bag (v);\nALTER TABLE "Product" DROP COLUMN "price";\n' | migration 1 bad
		;;
	esac
}

# --- without a fence ----------------------------------------------------------------------------------
shop_new open
for round in 1 2 3; do
	rm -rf "$APP"/prisma/migrations/2027*
	failing "$round"
	writers_start open "$T/open.log" "$round"
	migsafe_for open deploy --fence off --gate warn --again --json
	status_is 20 "round $round: a deploy fails under writers and is rolled back"
	run_id=$(json .run) sure=$(json '.lost_rows_note == null')
	sleep 0.5
	writers_stop
	writers_check open "$T/open.log" "$BACKUPS/.migsafe/runs/$run_id/lost-writes.sql.gz"
	diag "before replay: $SEEN"
	[ "$(seen .not_there)" -gt 0 ]
	ok $? "writes that were acknowledged are missing then: the test sees them"
	is "$(seen .not_in_file)" 0 'every one is in the file'
	# Only where the migration writes to the table itself is it a question whose the rows are.
	options=()
	[ "$round" != 2 ] || options=(--include-migrated)
	migsafe_for open replay "$run_id" --yes --json "${options[@]}"
	status_is 0 'they are brought back'
	diag "$(json '"\(.rows) rows, \(.done) done, \(.there) there, \(.conflicts) conflicts, \(.left_out) left out"')"
	writers_check open "$T/open.log"
	is "$(seen '"\(.not_there) \(.twice) \(.strange)"')" '0 0 0' 'nothing that was acknowledged is missing, nothing is there that was not written' ||
		diag "$SEEN"
	is "$sure" true 'and the file said that it was all'
	for kept in $(db_list | grep '^open__migsafe_kept'); do db_drop "$TEST_PREFIX$kept"; done
done

# --- with one ------------------------------------------------------------------------------------------
shop_new fenced
for round in 1 2 3; do
	rm -rf "$APP"/prisma/migrations/2027*
	failing "$round"
	writers_start fenced "$T/fenced.log" "$round"
	migsafe_for fenced deploy --fence on --gate warn --again --json
	status_is 20 "round $round: the same under a fence"
	is "$(json .lost_writes_file)" null 'nothing was lost, there is no file'
	sleep 0.5
	writers_stop
	writers_check fenced "$T/fenced.log"
	is "$(seen '"\(.not_there) \(.twice) \(.strange)"')" '0 0 0' 'no write that was acknowledged is missing' || diag "$SEEN"
	diag "$SEEN"
	for kept in $(db_list | grep '^fenced__migsafe_kept'); do db_drop "$TEST_PREFIX$kept"; done
done
done_testing
