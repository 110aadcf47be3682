#!/usr/bin/env bash
# The answer to the COMMIT that sets, or lifts, the fence is lost, though it was done: nothing of the fence stays, neither on
# the database nor in sessions.  A standby that is waited for and is not there makes such a COMMIT.
# shellcheck source=tests/lib.sh
if [ -z "${TEST_OWN_SERVER-}" ]; then # all of its commits wait
	exec env -u TEST_PGHOST -u TEST_PGPORT TEST_OWN_SERVER=1 "$(dirname "$0")/../../scripts/with-cluster.sh" "$0"
fi
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/matrix.sh
. "$ROOT/tests/fault/matrix.sh"
# shellcheck source=tests/fault/strike.sh
. "$ROOT/tests/fault/strike.sh"
matrix_base
MODE='split'
prepare() { :; }
app_migration "$APP" good_two

psql="psql -X -q -t -A -h $TEST_PGHOST -p $TEST_PGPORT -U postgres -d postgres"
# "hang": from now on COMMITs wait.  The first that does is cut off: it is done, but its session does not hear of it.
cat >"$T/cutter" <<END
#!/bin/sh
for i in \$(seq 400); do
	[ "\$($psql -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")" = 0 ] || break
	sleep 0.05
done
touch "$T/cut"
$psql -c "ALTER SYSTEM RESET synchronous_standby_names" -c "SELECT pg_reload_conf()"
END
chmod +x "$T/cutter"
strike_program hang <<END
$psql -c "ALTER SYSTEM SET synchronous_standby_names = 'nobody'" -c "SELECT pg_reload_conf()" >"$T/ignored"
until [ "\$($psql -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")" != 0 ]; do
	$psql -c "SELECT pg_logical_emit_message(true, 'probe', '')" >"$T/ignored" 2>&1 &
	sleep 0.05
done
setsid "$T/cutter" >"$T/ignored" 2>&1 &
END
# "hang_under": the same, when somebody has begun a session under the fence.
strike_program hang_under <<END
PGOPTIONS= psql -X -h $TEST_PGHOST -p $TEST_PGPORT -U $(role_name owner) -d $(db_name live) -c 'SELECT pg_sleep(60)' >"$T/ignored" 2>&1 &
until [ "\$($psql -c "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)'")" = 1 ]; do
	sleep 0.05
done
"$T/hang"
END

fence_left() {
	sql postgres "SELECT count(*) FROM pg_database d LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid AND s.setrole = 0
		WHERE datname = '$(db_name live)' AND (shobj_description(d.oid, 'pg_database') LIKE 'migsafe%' OR
		'default_transaction_read_only=on' = ANY (s.setconfig))"
}

WANT=0
scenario deploy --fence on --rehearse never --backup-after=off --json

live_new
prepare
rm -f "$T/cut"
CASE_ENV=(TEST_KILL_RUN="$T/hang")
migsafe_at "after:$(point_number 'fence begin')" "${COMMAND[@]}"
isnt "$RC" 0 'the COMMIT that sets the fence is not answered: the deploy fails'
[ -e "$T/cut" ]
ok $? 'it was that one' || diag "$ERR"
is "$(fence_left)" 0 'and leaves no fence'
is "$(end_of .data.verdict)" refused 'nothing was changed'

live_new
prepare
rm -f "$T/cut"
CASE_ENV=(TEST_KILL_RUN="$T/hang_under")
migsafe_at "after:$(point_number 'unfence begin')" "${COMMAND[@]}"
status_is 0 'the COMMIT that lifts it is not answered: the deploy is done all the same'
[ -e "$T/cut" ]
ok $? 'it was that one' || diag "$ERR"
is "$(fence_left)" 0 'and leaves no fence'
is "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND query NOT LIKE '%pg_stat_activity%'")" 0 \
	'nor a session that began under it'
CASES=2
matrix_done
