# Something happens to a migsafe at each record of its journal, in turn: what the tests of the fault matrix share.
#
# A scenario is a command on a small shop. It runs undisturbed first: its journal says which records there are, its
# database what "after" is. Then each case runs it on a fresh database and lets something happen at one record, lets
# `migsafe recover` see to it, and looks at all that there is. Sourced after tests/lib.sh; a case is one test.
# shellcheck shell=bash
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"

grep -qa __asan_init "$MIGSAFE" && skip_all 'built with ASan, which must be loaded first'
KILL_AT=$T/kill_at.so
"${CC:-cc}" -O1 -shared -fPIC -o "$KILL_AT" "$ROOT/tests/fault/kill_at.c" -ldl >"$T/cc.log" 2>&1 ||
	bail "kill_at.c could not be compiled: $(cat "$T/cc.log")"

# --- the shop ---------------------------------------------------------------------------------------------

# matrix_base: an application with two tables, at $APP, and a database with rows as the template of all.
matrix_base() {
	APP=$T/app
	mkdir "$T/tmp"
	app_copy "$APP" || bail 'the fixture application could not be copied'
	rm -rf "$APP"/prisma/migrations/2*
	mkdir "$APP/prisma/migrations/20240101000000_init"
	cp "$ROOT/tests/fault/small.prisma" "$APP/prisma/schema.prisma"
	cp "$ROOT/tests/fault/small.sql" "$APP/prisma/migrations/20240101000000_init/migration.sql"
	role_create owner 'CREATEDB IN ROLE pg_signal_backend'
	db_create base owner
	(cd "$APP" && DATABASE_URL=$(db_url base owner) CHECKPOINT_DISABLE=1 \
		node node_modules/prisma/build/index.js migrate deploy) >"$T/base.log" 2>&1 ||
		bail "the history could not be applied: $(cat "$T/base.log")"
	sql_as owner base 'INSERT INTO "Product" (name, description) SELECT i || md5(i::text), md5((-i)::text) FROM generate_series(1, 300) i;
		INSERT INTO "Order" ("productId", "totalCents") SELECT 1 + i % 300, i FROM generate_series(1, 2000) i;
		' || bail 'the rows could not be made'
}

# A fresh database `live` with properties that no dump of it has, and empty folders.
live_new() {
	local name
	name=$(db_name live)
	for left in $(db_list | grep '^live'); do db_drop "$TEST_PREFIX$left"; done
	BACKUPS=${BACKUPS_AT:-$T/backups}
	rm -rf "${BACKUPS:?}" "${T:?}/tmp"
	mkdir "$T/tmp"
	psql_as postgres postgres -c "CREATE DATABASE \"$name\" TEMPLATE \"$(db_name base)\" OWNER \"$(role_name owner)\" CONNECTION LIMIT 77" \
		-c "COMMENT ON DATABASE \"$name\" IS 'of the shop'" -c "ALTER DATABASE \"$name\" SET work_mem = '9MB'" \
		-c "REVOKE TEMPORARY ON DATABASE \"$name\" FROM PUBLIC" \
		-c "ALTER ROLE \"$(role_name owner)\" IN DATABASE \"$name\" SET statement_timeout = '10min'" || bail 'no database live'
	ORIGIN_OID=$(live_oid)
}

live_oid() { # "oid|may be connected to"
	sql postgres "SELECT oid, datallowconn FROM pg_database WHERE datname = '$(db_name live)'"
}

# The ids and times of the ledger are others in each run: it is compared by what it says.
live_state() {
	state_of live | sed -E 's/^(table public\._prisma_migrations\|[0-9]+)\|.*/\1/'
	sql live 'SELECT migration_name, checksum, finished_at IS NOT NULL, rolled_back_at IS NOT NULL, applied_steps_count
		FROM _prisma_migrations ORDER BY started_at'
}

# --- one run ------------------------------------------------------------------------------------------------

# migsafe_at POINT COMMAND [ARGUMENT...]: with kill_at.c unless POINT is "never". Sets RC, OUT, ERR.
CASE_ENV=() # NAME=VALUE...
migsafe_at() {
	local preload=() point=$1
	shift
	[ "$point" = never ] || preload=("LD_PRELOAD=$KILL_AT" "TEST_KILL_AT=$point")
	# By a shell that lives on: it is the one that tells of the death of its child.
	# shellcheck disable=SC2016 # the inner shell expands
	run sh -c 'env "$@"; exit $?' sh -C "$APP" TEST_FAULT_MARK="$T" TMPDIR="$T/tmp" DATABASE_URL="${LIVE_URL:-$(db_url live owner)}" \
		MIGSAFE_BACKUP_DIR="$BACKUPS" MIGRATION_SCRIPT="$MODE" "${CASE_ENV[@]}" "${preload[@]}" "$MIGSAFE" "$@"
}

# points_of [COMMAND]: the records of the newest journal that count, as "step event" lines.
points_of() { journal_of | jq -r 'select((.data.progress | not) and (.command | test($only)))
	| .step + " " + .event + (.data.part // "" | if . == "" then "" else " " + . end)' --arg only "${1-}"; }

# --- what must hold after all ---------------------------------------------------------------------------------

no_session_of_ours() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE usename = '$(role_name owner)'")" = 0 ]
}

children_of_ours() { # -> command lines of processes that a migsafe of this test has started, or is
	local environ
	grep -lsaF "TEST_FAULT_MARK=$T" /proc/[0-9]*/environ | while IFS= read -r environ; do
		tr '\000' ' ' <"${environ%environ}cmdline" 2>/dev/null
	done
}
no_child_of_ours() { [ -z "$(children_of_ours)" ]; }

# What may stay on disk: whole backups and, of each run, its records.
odd_files() {
	(cd "$BACKUPS" 2>/dev/null && find . -mindepth 1 \( -name '*.partial*' -o -name '*.removed*' -o -name '*.tmp*' \) &&
		find . -mindepth 1 -maxdepth 1 -type d -name '*_20*' ! -exec test -s '{}/manifest.json' \; -print &&
		find .migsafe/runs -mindepth 2 ! -name journal.jsonl ! -name report.json ! -name catalogs.txt ! -name migrations.json ! -name lost-writes.sql.gz 2>/dev/null)
	find "$T/tmp" -mindepth 1
}

BAD=''
bad() { BAD+="$*"$'\n'; }

kept_count() { db_list | grep -c '^live__migsafe_kept_'; }

# nothing_is_left: of side databases, sessions, locks, processes, files.
nothing_is_left() {
	local left
	left=$(db_list | grep -v -e '^base$' -e '^live$' -e '^live__migsafe_kept_')
	[ -z "$left" ] || bad "databases are left: $left"
	[ "$(kept_count)" -le 1 ] || bad "kept databases: $(kept_count)"
	wait_for 5 no_session_of_ours || bad "sessions are left: $(sql postgres "SELECT datname, application_name, state, left(query, 80)
		FROM pg_stat_activity WHERE usename = '$(role_name owner)'")"
	wait_for 5 no_child_of_ours || bad "processes are left: $(children_of_ours)"
	left=$(odd_files)
	[ -z "$left" ] || bad "files are left: $left"
}

# --- a scenario -----------------------------------------------------------------------------------------------

# scenario COMMAND [ARGUMENT...]: runs it undisturbed. Wants WANT, its exit status, and `prepare`, a function that makes
# of a fresh `live` what it starts from. Sets POINTS, its records from 1, and the states before.txt and after.txt.
scenario() {
	COMMAND=("$@")
	live_new
	prepare
	live_state >"$T/before.txt"
	migsafe_at never "${COMMAND[@]}"
	status_is "$WANT" "undisturbed: ends with $WANT" || bail 'there is nothing to disturb'
	POINTS=()
	mapfile -t -O 1 POINTS < <(points_of)
	live_state >"$T/after.txt"
	BAD=''
	nothing_is_left
	is "$BAD" '' 'undisturbed: nothing is left'
	[ "${#POINTS[@]}" -ge 7 ] || bail "only ${#POINTS[@]} records"
}

point_number() { # "STEP EVENT" -> the number of the first such record, or 0
	local i
	for i in "${!POINTS[@]}"; do
		[ "${POINTS[i]}" != "$1" ] || { printf '%d' "$i" && return; }
	done
	printf 0
}

end_of() { # FILTER: of the record of the newest run's verdict
	journal_of | jq -r "select(.event == \"verdict\") | $1" | tail -n 1
}

# Which of the two states the database has now: "before", "after", or neither with the difference.
state_now() {
	live_state >"$T/now.txt" 2>&1
	if cmp -s "$T/before.txt" "$T/now.txt"; then
		STATE=before
	elif cmp -s "$T/after.txt" "$T/now.txt"; then
		STATE=after
	else
		STATE=neither
		bad "the database is neither as before nor as after: $(diff "$T/before.txt" "$T/now.txt" | head -n 20)"
	fi
}

# verdict_fits: the verdict, its exit status and the report say what is in the database.
verdict_fits() {
	local swapped=no
	VERDICT=$(end_of .data.verdict)
	[ "$(live_oid)" = "$ORIGIN_OID" ] || swapped=yes
	case $VERDICT,$STATE,$swapped,${COMMAND[0]} in
	migrated,after,no,deploy | refused,before,no,* | unchanged,before,no,* | restored,before,yes,deploy | restored,after,yes,restore) ;;
	,before,no,*) [ ! -s "$(newest_run)/journal.jsonl" ] || bad 'the run has no verdict' ;;
	*) bad "the verdict is \"$VERDICT\", the database as $STATE, swapped: $swapped" ;;
	esac
	[ "$swapped,$(kept_count)" != yes,0 ] || bad 'the replaced database is not kept'
	[ "$swapped,$(kept_count)" != no,1 ] || bad 'a kept database, but live was never swapped'
	case $VERDICT,${COMMAND[0]},$(end_of .data.exit) in
	,,* | ,*,'' | migrated,*,0 | restored,deploy,20 | restored,restore,* | unchanged,*,* | refused,*,*) ;;
	*) bad "exit status $(end_of .data.exit) in the journal of a run that ended $VERDICT" ;;
	esac
	[ -z "$VERDICT" ] || report_fits
}

newest_run() { find "$BACKUPS/.migsafe/runs" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | sort | tail -n 1; }

report_fits() {
	local run
	run=$(basename "$(newest_run)")
	migsafe_at never report "$run" --json
	[ "$RC" = 0 ] || bad "report: status $RC, $ERR"
	[ "$(json .verdict)" = "$VERDICT" ] || bad "the report says $(json .verdict), the journal $VERDICT"
}

# recover_now: what was left is seen to, and a second time there is nothing to do.
recover_now() {
	local was ended told
	ended=$(end_of .data.verdict)
	migsafe_at never recover --json
	told=$(json '.runs[0] | "\(.verdict) \(.exit)"' 2>/dev/null)
	case ${ended:-none},$(end_of .data.verdict),${COMMAND[0]},$told,$RC in
	none,migrated,deploy,'migrated 0',0 | none,restored,deploy,'restored 20',20 | none,restored,restore,'restored 0',0) ;;
	none,refused,*,'refused 21',21 | none,unchanged,*,'unchanged 21',21) ;;
	"$ended,$ended,"*,'null null',0 | none,,*,'null null',0) ;;
	none,*,deploy,'null null',0) # the watchdog of its fence was there first
		[ "$(end_of .command)" = recover ] || bad "nothing to recover, it says: $ERR"
		;;
	*) bad "recover of a run that ended \"$ended\": $told, status $RC: $OUT $ERR" ;;
	esac
	[ "$(json '.left_over | length')" = 0 ] || bad "recover tells of leftovers: $OUT"
	was=$(live_oid)$(cat "$BACKUPS"/.migsafe/runs/*/journal.jsonl 2>/dev/null | wc -l)
	migsafe_at never recover --json
	[ "$RC" = 0 ] || bad "a second recover: status $RC: $OUT $ERR"
	[ "$was" = "$(live_oid)$(cat "$BACKUPS"/.migsafe/runs/*/journal.jsonl 2>/dev/null | wc -l)" ] || bad 'a second recover does something'
}

# What must have come of it, by where it was met.
end_fits() { # WHEN RECORD
	local committed=0 proven=0
	if [ "${COMMAND[0]}" = deploy ]; then
		[ "$WANT" != 0 ] || committed=$(point_number 'health done')
		proven=$(point_number 'migrate note')
	else
		committed=$(point_number 'swap done')
		proven=$(point_number 'restore done')
	fi
	[ "$1" != before ] || set -- after $(($2 - 1))
	if [ "$committed" != 0 ] && [ "$2" -ge "$committed" ]; then
		[ "$STATE" = after ] || bad "after the commit point it goes forward, but is $STATE"
	elif [ "$CASE_RC" = 0 ]; then
		[ "$STATE" = after ] || bad "it says that all is well, but is $STATE"
	elif [ "$1" != later ] && [ "$2" -lt "$((proven - 1))" ]; then
		[ "$STATE" = before ] || bad "nothing was to be kept yet, but is $STATE"
	fi
}

again() { # the same once more ends as the undisturbed one did
	[ "${COMMAND[0]}" != deploy ] || set -- --again
	migsafe_at never "${COMMAND[@]}" "$@"
	[ "$RC" = "$WANT" ] || bad "the same again: status $RC, want $WANT: $ERR"
	live_state | cmp -s "$T/after.txt" - || bad 'the same again does not end as it should'
}

meet() { migsafe_at "$1" "${COMMAND[@]}"; } # POINT

CASES=0
# a_case POINT DOES: one case: POINT for kill_at.c, DOES its name in the past tense. TEST_CASES, a pattern, chooses some.
a_case() {
	local point=$1 record when
	CASE_AT=$point
	when=${point%%:*} record=${point#*:} record=${record%%:*}
	[[ "$2 $when ${POINTS[record]}" =~ ${TEST_CASES-} ]] || return 0
	CASES=$((CASES + 1)) BAD='' STATE='' VERDICT=''
	live_new
	prepare
	meet "$point"
	CASE_RC=$RC CASE_ERR=$ERR
	disturbed
	recover_now
	state_now
	verdict_fits
	nothing_is_left
	end_fits "$when" "$record"
	[ $((CASES % 5)) != 0 ] || again
	is "$BAD" '' "$2 $when ${POINTS[record]} ($point): ${VERDICT:-nothing}, as $STATE" || diag "$(journal_of | cut -c1-300)"
}

# What is looked at before recover comes: here that it was killed.
disturbed() { [ "$CASE_RC" = 137 ] || [[ $CASE_AT == later:* && $CASE_RC = "$WANT" ]] || bad "it was not killed: status $CASE_RC: $CASE_ERR"; }

# each_point DOES: cases right before and right after every record.
each_point() {
	local i
	for i in "${!POINTS[@]}"; do
		a_case "before:$i" "$1"
		a_case "after:$i" "$1"
	done
}

# recover_scenario POINT: what is disturbed is the recover of a run that was killed at POINT. Undisturbed it ends in
# the state ENDS, and so must every other.
recover_scenario() {
	FIRST=$1
	live_new
	prepare
	BAD='' POINTS=()
	migsafe_at "$FIRST" "${COMMAND[@]}"
	migsafe_at never recover --json
	mapfile -t -O 1 POINTS < <(points_of recover)
	[ "${#POINTS[@]}" -ge 3 ] || bail "the recover of $FIRST: ${#POINTS[@]} records: $ERR"
	state_now
	verdict_fits
	is "$BAD" '' "undisturbed: the recover of $FIRST" || bail 'there is nothing to disturb'
	ENDS=$STATE
	meet() {
		migsafe_at "$FIRST" "${COMMAND[@]}"
		[ "$RC" = 137 ] || bad "it was not killed the first time: status $RC: $ERR"
		migsafe_at "$1" recover --json
	}
	end_fits() { [ "$STATE" = "$ENDS" ] || bad "a recover that is left in peace ends $ENDS, this $STATE"; }
}

# in_the_middle_of MS RECORD...: cases so long after the first such record, in the middle of what it begins.
in_the_middle_of() {
	local ms=$1 record
	shift
	for record in "$@"; do
		a_case "later:$(point_number "$record"):$ms" killed
	done
}

matrix_done() {
	diag "$CASES cases in $SECONDS s"
	done_testing
}
