#!/usr/bin/env bash
# The swap killed with SIGKILL at many instants: live is always there under its name, the old one or the new one.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR
runs=$MIGSAFE_BACKUP_DIR/.migsafe/runs

drop_others() { # DB: side and kept databases of it
	local other
	for other in $(db_list | grep "^$1__migsafe_"); do db_drop "$TEST_PREFIX$other"; done
}

role_create client
db_create app
DATABASE_URL=$(db_url app)
sql app "CREATE TABLE me AS SELECT 'then' AS name; GRANT SELECT ON me TO PUBLIC"
run "$MIGSAFE" backup --kind full --json
status_is 0 "a backup of what was then" || bail "$ERR"
id=$(jq -r '.backups[0].id' <<<"$OUT")

# By halving the time the kills come close to the commit from both sides.
low=0 high=400 kills=0 old=0 swapped=0 bad=
"$ROOT/tests/pg/swap_clients.py" "$TEST_PGHOST" "$TEST_PGPORT" "$(role_name client)" "$(db_name app)" 600 "$T/ready" >"$T/clients" 2>&1 &
CLIENTS=$!
wait_for 60 test -e "$T/ready" || bail "no clients: $(cat "$T/clients")"
while [ "$kills" -lt 16 ]; do
	sql app "UPDATE me SET name = 'now'"
	rm -rf "$runs" # of the run that was killed: an unfinished one refuses the next
	oid=$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$(db_name app)'")
	delay=$(((low + high) / 2))
	read -r run_id state < <("$ROOT/tests/fault/swap_kill.py" "$delay" "$runs" "$MIGSAFE" restore "$id" --yes)
	# The server may still be at what the dead one had asked for; nobody may have to wait long for it.
	timeout 10 "$TEST_PGBIN/psql" -XAtq -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres -d "$(db_name app)" \
		-c "SELECT name FROM me" >"$T/seen" 2>&1
	[ $? != 124 ] || bad+="$kills after $delay ms: no connection in 10 s; "
	seen=$(grep -v 'terminating connection\|server closed\|probably means\|before or while\|connection to server was lost' "$T/seen")
	while [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'migsafe:%swap'")" != 0 ]; do sleep 0.05; done
	now=$(sql postgres "SELECT oid, datallowconn FROM pg_database WHERE datname = '$(db_name app)'")
	kept=$(sql postgres "SELECT oid, datallowconn FROM pg_database WHERE datname = '$(db_name app)__migsafe_kept_$run_id'")
	name=$(sql app "SELECT name FROM me")
	kills=$((kills + 1))
	case "$now,$kept,$name" in
	"$oid|t,,now") old=$((old + 1)) low=$delay ;;
	*"|t,$oid|f,then" | *"|t,$oid|t,then") swapped=$((swapped + 1)) high=$delay ;;
	*) bad+="$kills after $delay ms ($state): live $now kept $kept holds $name; " ;;
	esac
	[ "$run_id" != none ] || bad+="$kills: no swap was begun; "
	case $seen in now | then | '') ;; *) bad+="$kills after $delay ms: a client got: $seen; " ;; esac
	# The machine may have become slower or faster meanwhile: begin anew around what was found.
	[ $((high - low)) -gt 2 ] || { low=$((low / 2)) high=$((high * 2)); }
	drop_others app
done
rm -rf "$runs"
kill "$CLIENTS" 2>/dev/null
wait "$CLIENTS" 2>/dev/null
diag "$kills kills: $old times the old database, $swapped times the new one"
is "$bad" "" "killed $kills times around the swap: live is always there, open, the old one or the new one"
[ "$old" -gt 0 ] && [ "$swapped" -gt 0 ]
ok $? "some kills came before the commit and some after"
done_testing
