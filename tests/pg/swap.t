#!/usr/bin/env bash
# The swap: clients wait some milliseconds, and nobody loses more than the session it had.
# test: long
# shellcheck source=tests/lib.sh
if [ -z "${TEST_OWN_SERVER-}" ]; then # other tests' pg_dump and pg_basebackup keep the gate from being closed
	exec env -u TEST_PGHOST -u TEST_PGPORT TEST_OWN_SERVER=1 "$(dirname "$0")/../../scripts/with-cluster.sh" "$0"
fi
. "$(dirname "$0")/../lib.sh"

MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

fill() { # DB: `then` is what the backup has, `now` what live has; sets id
	psql_as "${2:-postgres}" "$1" -c "CREATE TABLE me AS SELECT 'then' AS name; GRANT SELECT ON me TO PUBLIC"
	run "$MIGSAFE" backup --kind full --json
	[ "$RC" = 0 ] || bail "backup: $ERR"
	id=$(jq -r '.backups[0].id' <<<"$OUT")
	sql "$1" "UPDATE me SET name = 'now'"
}

clients() { # DB: in the background, until clients_end
	rm -f "$T/ready"
	"$ROOT/tests/pg/swap_clients.py" "$TEST_PGHOST" "$TEST_PGPORT" "$(role_name client)" "$(db_name "$1")" 120 "$T/ready" \
		>"$T/clients" 2>"$T/clients.err" &
	CLIENTS=$!
	wait_for 60 test -e "$T/ready" || bail "no clients: $(cat "$T/clients.err")"
}

clients_end() { # what they saw is in $T/clients
	kill "$CLIENTS"
	wait "$CLIENTS"
}

clients_saw() { # JQ-FILTER
	jq -r "$1" "$T/clients"
}

drop_others() { # DB: side and kept databases of it
	local other
	for other in $(db_list | grep "^$1__migsafe_"); do db_drop "$TEST_PREFIX$other"; done
}

role_create client
db_create app
DATABASE_URL=$(db_url app)
fill app
app_id=$id

# --- under load, as a superuser -------------------------------------------------------------------

clients app
run "$MIGSAFE" restore "$id" --yes --json
status_is 0 "swapped under ten clients"
clients_end
is $? 0 "the clients have come to their end: $(cat "$T/clients.err")"
diag "new connections waited $(jq .blocked_ms <<<"$OUT") ms, longest connect $(clients_saw .longest_connect_ms) ms"
is "$(clients_saw '.refused | keys | join(",")')" "" "no connection was refused"
is "$(jq .newcomers_gated <<<"$OUT")" true "because newcomers waited at the gate"
is "$(clients_saw '.seen | keys | sort | join(" ")')" "now then" "they saw the old database and the new one"
is "$(clients_saw .back)" 0 "nobody went back to the old one"
is "$(clients_saw '.last | unique | join(" ")')" "then" "all are in the new one"
is "$(clients_saw '[.ended | keys[] | select(. != "57P01 terminating connection due to administrator command" and . != "connection closed")] | join(",")')" \
	"" "sessions were only ended by us"
ended=$(clients_saw '[.ended[]] | add')
if [ "$ended" -ge 4 ] && [ "$ended" -le 10 ]; then pass "each at most once ($ended)"; else fail "each at most once" "$ended"; fi
jq -e '.blocked_ms >= 1 and .blocked_ms < 5000 and .sessions_ended >= 4 and .swap_attempts == 1' <<<"$OUT" >/dev/null
ok $? "the wait and the sessions are told"
drop_others app

# --- somebody holds pg_authid for a while, as pg_dump does --------------------------------------------

sql app "UPDATE me SET name = 'now'"
# (Until a second after the gate was tried for the first time.)
sql postgres "DO \$\$ BEGIN
	LOCK TABLE pg_catalog.pg_authid IN ACCESS SHARE MODE;
	FOR i IN 1..60000 LOOP
		PERFORM pg_stat_clear_snapshot();
		EXIT WHEN EXISTS (SELECT FROM pg_stat_get_activity(NULL) WHERE application_name LIKE 'migsafe:%swap'
			AND (wait_event_type = 'Lock' OR query LIKE '%SAVEPOINT gate'));
		PERFORM pg_sleep(0.005);
	END LOOP;
	PERFORM pg_sleep(1); END \$\$" >"$T/ignored" 2>&1 &
holder=$!
held() { [ "$(sql postgres "SELECT count(*) FROM pg_locks WHERE relation = 'pg_authid'::regclass AND mode = 'AccessShareLock' AND granted")" != 0 ]; }
wait_for 20 held
"$MIGSAFE" restore "$id" --yes --json >"$T/out" 2>"$T/err"
is $? 0 "swapped while somebody held pg_authid"
wait "$holder"
is "$(jq -c '[.newcomers_gated, .swap_attempts]' "$T/out")" "[true,1]" "the gate was tried again until it could be closed"
[ "$(jq .blocked_ms "$T/out")" -lt 1000 ]
ok $? "what newcomers waited is counted from there ($(jq .blocked_ms "$T/out") ms)"
drop_others app

# --- and as a plain role: who comes in those milliseconds is refused, once ---------------------------

role_create plain "CREATEDB IN ROLE pg_signal_backend"
db_create own plain
DATABASE_URL=$(db_url own plain)
fill own plain
clients own
run "$MIGSAFE" restore "$id" --yes --json
status_is 0 "swapped under ten clients as a plain owner with CREATEDB and pg_signal_backend"
clients_end
diag "new connections waited $(jq .blocked_ms <<<"$OUT") ms, $(clients_saw '[.refused[]] | add // 0') were refused"
is "$(clients_saw "[.refused | keys[] | select(. != \"3D000 database \\\"$(db_name own)\\\" does not exist\")] | join(\",\")")" "" \
	"refused only because the name changed"
is "$(jq .newcomers_gated <<<"$OUT")" false "there is no gate for a plain role"
attempts=$(jq .swap_attempts <<<"$OUT")
[ "$(clients_saw '[.refused[]] | add // 0')" -le $((10 * attempts)) ]
ok $? "each client at most once an attempt"
is "$(clients_saw .back)" 0 "nobody went back to the old one"
is "$(clients_saw '.last | unique | join(" ")')" "then" "all are in the new one"
drop_others own

# (Killed at many instants: tests/fault/swap_kill.t.)

DATABASE_URL=$(db_url app) id=$app_id

# --- its own sessions are ended ------------------------------------------------------------------------

sql app "UPDATE me SET name = 'now'"
sql postgres "DO \$\$ DECLARE n int := 0; BEGIN
	FOR i IN 1..60000 LOOP
		PERFORM pg_stat_clear_snapshot();
		n := n + (SELECT count(pg_terminate_backend(pid)) FROM pg_stat_get_activity(NULL) WHERE application_name LIKE 'migsafe:%swap');
		EXIT WHEN n >= 6;
		PERFORM pg_sleep(0.002);
	END LOOP;
	RAISE WARNING 'ended %', n; END \$\$" 2>"$T/enders" &
enders=$!
run "$MIGSAFE" restore "$id" --yes --json
status_is 0 "the sessions of the swap are ended meanwhile: it is tried again"
wait "$enders"
like "$(cat "$T/enders")" 'ended [6-9]' "they were"
is "$(sql app "SELECT name FROM me")" "then" "swapped"
is "$(sql postgres "SELECT count(*) FROM pg_database WHERE starts_with(datname, '$(db_name app)__migsafe_') AND datallowconn")" 0 \
	"and nothing is left but what is kept"
drop_others app

# --- sessions that hold on ---------------------------------------------------------------------------

restoring() { # is the side database being filled?
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%REFRESH%slow%' AND datname LIKE '%\\_\\_migsafe%'")" = 1 ]
}

# In the side database somebody is at home when it is to be renamed; in live somebody has a transaction.
sql app "CREATE MATERIALIZED VIEW slow AS SELECT 1 AS a FROM pg_sleep(4)"
run "$MIGSAFE" backup --kind full --json
slow_id=$(jq -r '.backups[0].id' <<<"$OUT")
bg_sql app 'BEGIN; LOCK TABLE me'
in_live=$BG
"$MIGSAFE" restore "$slow_id" --yes --json >"$T/out" 2>"$T/err" &
pid=$!
wait_for 20 restoring
bg_sql "$TEST_PREFIX$(db_list | grep __migsafe_restore_)" 'SELECT 1'
in_side=$BG
wait "$pid"
is $? 0 "sessions in live and in the side database: swapped all the same"
bg_alive "$in_live" || bg_alive "$in_side"
is $? 1 "both were ended"
drop_others app

# A superuser's session, come after preflight, that a plain role may not end.
DATABASE_URL=$(db_url own plain)
sql_as plain own "CREATE MATERIALIZED VIEW slow AS SELECT 1 AS a FROM pg_sleep(4)"
run "$MIGSAFE" backup --kind full --json
slow_id=$(jq -r '.backups[0].id' <<<"$OUT")
oid=$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$(db_name own)'")
"$MIGSAFE" restore "$slow_id" --yes >"$T/out" 2>"$T/err" &
pid=$!
wait_for 20 restoring
bg_sql own 'SELECT pg_backend_pid()'
wait "$pid"
is $? 79 "a session that cannot be ended: given up after the time limit"
like "$(cat "$T/err")" "pid $(bg_out "$BG" | head -n 1), role \"postgres\".*(superuser|permission denied to terminate)" "which names it"
bg_alive "$BG"
ok $? "it lives on"
bg_kill "$BG"
is "$(sql postgres "SELECT oid, datallowconn FROM pg_database WHERE datname = '$(db_name own)'")" "$oid|t" "live is what it was"
is "$(db_list | grep -c __migsafe_)" 0 "and nothing is left beside it"

# --- what is refused before anything is done -----------------------------------------------------------

refused() { # WORDS HINT NAME [ARGUMENT...]
	local words=$1 hint=$2 name=$3
	shift 3
	run "$MIGSAFE" restore "$id" --yes "$@"
	status_is 11 "refused: $name"
	like "$ERR" "$words" "$name: what"
	like "$ERR" "$hint" "$name: what helps"
	is "$(db_list | grep -c __migsafe_)" 0 "$name: nothing was made"
}
sql_as plain own "DROP MATERIALIZED VIEW slow"
run "$MIGSAFE" backup --kind full --json
id=$(jq -r '.backups[0].id' <<<"$OUT")
plain=$(role_name plain)

sql postgres "ALTER ROLE \"$plain\" NOCREATEDB"
refused 'may not create or rename databases' "ALTER ROLE \"$plain\" CREATEDB" "without CREATEDB"
sql postgres "ALTER ROLE \"$plain\" CREATEDB"

sql postgres "REVOKE pg_signal_backend FROM \"$plain\""
bg_sql own 'SELECT 1' client
refused "of role \"$(role_name client)\"" "GRANT pg_signal_backend TO \"$plain\"" "sessions of another role, without pg_signal_backend"
bg_kill "$BG"
sql postgres "GRANT pg_signal_backend TO \"$plain\""
bg_sql own 'SELECT 1'
refused 'of role "postgres"' 'admin-url' "a superuser's session"
bg_kill "$BG"

sql own "BEGIN; CREATE TABLE two(); PREPARE TRANSACTION '${TEST_PREFIX}p'"
refused "prepared transactions: ${TEST_PREFIX}p" 'ROLLBACK PREPARED' "a prepared transaction"
refused "prepared transactions: ${TEST_PREFIX}p" 'ROLLBACK PREPARED' "a prepared transaction, whatever is accepted" --swap-with-slots accept
sql own "ROLLBACK PREPARED '${TEST_PREFIX}p'"

sql own "SELECT pg_create_logical_replication_slot('${TEST_PREFIX}s', 'pgoutput')" >"$T/ignored"
refused "logical replication slots: ${TEST_PREFIX}s" 'swap-with-slots' "a logical slot"
sql own "CREATE SUBSCRIPTION \"${TEST_PREFIX}u\" CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false)"
run "$MIGSAFE" restore "$id" --yes --swap-with-slots accept
status_is 0 "slot and subscription accepted: swapped"
kept=$(db_list | grep __migsafe_kept_)
is "$(sql postgres "SELECT database FROM pg_replication_slots WHERE slot_name = '${TEST_PREFIX}s'")" "$TEST_PREFIX$kept" \
	"the slot is left with the kept database"
db_drop "$TEST_PREFIX$kept"
sql own "CREATE SUBSCRIPTION \"${TEST_PREFIX}u\" CONNECTION 'host=/nowhere' PUBLICATION p WITH (connect = false)"
refused "subscriptions: ${TEST_PREFIX}u" 'swap-with-slots' "a subscription"
sql own "ALTER SUBSCRIPTION \"${TEST_PREFIX}u\" SET (slot_name = NONE)"
sql own "DROP SUBSCRIPTION \"${TEST_PREFIX}u\""

sql postgres "ALTER DATABASE \"$(db_name own)\" OWNER TO postgres"
refused 'its owner is "postgres"' "GRANT \"postgres\" TO \"$plain\"" "a database of somebody else"
run "$MIGSAFE" restore "$id" --yes --admin-url "$(db_url own)"
status_is 0 "an admin-url that may do it all"
is "$(sql postgres "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '$(db_name own)'")" "$plain" \
	"gives the owner of the backup"
done_testing
