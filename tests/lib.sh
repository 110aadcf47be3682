#!/usr/bin/env bash
# The library of the shell tests: TAP, captured commands, databases, sessions in the background.
#
#   #!/usr/bin/env bash
#   # What this file proves, in one sentence.
#   # shellcheck source=tests/lib.sh
#   . "$(dirname "$0")/../lib.sh"
#   db_create app
#   run "$MIGSAFE" status --url "$(db_url app)"
#   status_is 0 "status answers"
#   done_testing
#
# Rules of use: a test is an executable tests/{cli,pg,deploy,ways}/NAME.t and runs alone, in any order and
# beside others. Its working folder is $T (empty, 0700), files of the project are below $ROOT. Names
# of databases and roles are local: `app` stands for <test>_<pid>_app, see db_name; names that start
# so are taken as they are. Everything so named is dropped at the end. cli tests need no server.
# Assertions return 0 when they hold. No `set -e` here: a failed assertion must not hide the next.
# shellcheck disable=SC2317 # what traps call is reachable
set -uo pipefail

# --- place and surroundings ---------------------------------------------------------------------

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
MIGSAFE=${TEST_MIGSAFE:-$ROOT/build/release/migsafe}
case $MIGSAFE in /*) ;; *) MIGSAFE=$PWD/$MIGSAFE ;; esac

# What the product reads from its surroundings comes from the test alone.
while IFS= read -r name; do
	case $name in
	PG* | *_URL | MIGSAFE_* | BACKUP_* | S3_* | AWS_* | PERL_TEST_HARNESS_*) unset "$name" ;;
	esac
done < <(compgen -e)
unset name
export LC_ALL=C.UTF-8 TZ=UTC

TEST_NAME=$(basename "$0" .t)
TEST_PREFIX=$(printf '%s' "$TEST_NAME" | tr -c 'a-z0-9\n' '_' | cut -c1-8)_$$_
T=$(mktemp -d /tmp/mt.XXXXXX) || exit 71
cd "$T" || exit 71
exec </dev/null

# --- TAP ------------------------------------------------------------------------------------------

TESTS_RUN=0
TESTS_FAILED=0
TESTS_DONE=

diag() { # TEXT: shown as a comment of the last test
	printf '%s\n' "$*" | sed 's/^/#   /'
}

pass() { # NAME
	TESTS_RUN=$((TESTS_RUN + 1))
	printf 'ok %d - %s\n' "$TESTS_RUN" "${1//#/\\#}"
}

fail() { # NAME [DIAGNOSTIC]
	TESTS_RUN=$((TESTS_RUN + 1))
	TESTS_FAILED=$((TESTS_FAILED + 1))
	printf 'not ok %d - %s\n' "$TESTS_RUN" "${1//#/\\#}"
	diag "at ${BASH_SOURCE[-1]##*/}:${BASH_LINENO[-2]}"
	[ $# -lt 2 ] || diag "$2"
	return 1
}

ok() { # STATUS NAME, as in: [ -e file ]; ok $? "the file is there"
	if [ "$1" = 0 ]; then pass "$2"; else fail "$2" "status $1"; fi
}

is() { # GOT WANT NAME
	if [ "$1" = "$2" ]; then pass "$3"; else fail "$3" "got:  $1"$'\n'"want: $2"; fi
}

isnt() { # GOT UNWANTED NAME
	if [ "$1" != "$2" ]; then pass "$3"; else fail "$3" "got, but must differ: $1"; fi
}

like() { # GOT REGEX NAME: POSIX extended expression, matched anywhere
	if [[ $1 =~ $2 ]]; then pass "$3"; else fail "$3" "got:  $1"$'\n'"want: $2"; fi
}

unlike() { # GOT REGEX NAME
	if [[ $1 =~ $2 ]]; then fail "$3" "got:    $1"$'\n'"unwanted: $2"; else pass "$3"; fi
}

status_is() { # STATUS NAME: of the last run
	[ "$RC" = "$1" ] && pass "$2" && return
	fail "$2" "status $RC, want $1"
	diag "stdout: $OUT"
	diag "stderr: $ERR"
	return 1
}

skip_all() { # REASON: ends the test file
	printf '1..0 # SKIP %s\n' "$1"
	TESTS_DONE=1
	exit 0
}

bail() { # MESSAGE: the test itself cannot go on
	diag "$1"
	exit 99
}

done_testing() { # must be the last line of a test; without it the test counts as failed
	printf '1..%d\n' "$TESTS_RUN"
	TESTS_DONE=1
	[ "$TESTS_FAILED" = 0 ]
	exit
}

# --- running commands -------------------------------------------------------------------------------

RC=0 OUT='' ERR=''
RUN_PID=

# Sets RC, OUT and ERR. Standard input is empty unless redirected; RUN_TIMEOUT in seconds, 124 when
# it passed. A shell function is run in a subshell, without a time limit.
run() { # COMMAND [ARGUMENT...]
	if declare -F "$1" >/dev/null; then
		("$@") <&0 >"$T/.out" 2>"$T/.err" &
	else
		# In the background so that this shell hears signals meanwhile; such a job would ignore INT.
		env --default-signal=INT,QUIT timeout -k 10 "${RUN_TIMEOUT:-600}" "$@" <&0 >"$T/.out" 2>"$T/.err" &
	fi
	RUN_PID=$!
	wait "$RUN_PID"
	RC=$?
	RUN_PID=
	OUT=$(tr -d '\000' <"$T/.out")
	ERR=$(tr -d '\000' <"$T/.err")
	rm -f "$T/.out" "$T/.err"
	return 0
}

# SECONDS are for a quiet machine; a busy one gets six times as long: the limit is against hanging only.
wait_for() { # SECONDS COMMAND [ARGUMENT...]: until it succeeds; 1 when it never did
	local end=$((SECONDS + 6 * $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -le "$end" ] || return 1
		sleep 0.05
	done
}

# --- databases ----------------------------------------------------------------------------------------

need_server() { # called by the helpers below
	[ -n "${TEST_PGHOST-}" ] || bail "no server: run this through scripts/with-cluster.sh or tests/run"
	TEST_PGPORT=${TEST_PGPORT:-5432}
	[ -z "${TEST_PGBIN-}" ] || case :$PATH: in *:"$TEST_PGBIN":*) ;; *) PATH=$TEST_PGBIN:$PATH ;; esac
}

db_name() { # NAME -> the name on the server
	case $1 in
	postgres | template0 | template1 | "$TEST_PREFIX"*) printf '%s' "$1" ;;
	*) printf '%s%s' "$TEST_PREFIX" "$1" ;;
	esac
}

role_name() { # NAME -> the name on the server
	case $1 in
	postgres | needs_password | password_users | pg_*) printf '%s' "$1" ;;
	*) db_name "$1" ;;
	esac
}

psql_command() { # ROLE DB: sets PSQL to the start of a command line
	need_server
	PSQL=(env "PGOPTIONS=-c client_min_messages=warning" "$TEST_PGBIN/psql" -XAtq -v ON_ERROR_STOP=1
		-h "$TEST_PGHOST" -p "$TEST_PGPORT" -U "$(role_name "$1")" -d "$(db_name "$2")")
}

psql_as() { # ROLE DB [PSQL-ARGUMENT...]
	local PSQL
	psql_command "$1" "$2"
	"${PSQL[@]}" "${@:3}"
}

sql() { # DB SQL, or: sql DB <file. As superuser; several statements are one transaction
	if [ $# -gt 1 ]; then psql_as postgres "$1" -c "$2"; else psql_as postgres "$1" -f -; fi
}

sql_as() { # ROLE DB SQL
	psql_as "$1" "$2" -c "$3"
}

db_create() { # NAME [OWNER]
	sql postgres "CREATE DATABASE \"$(db_name "$1")\" TEMPLATE template0 OWNER \"$(role_name "${2:-postgres}")\"" ||
		bail "database $1 could not be created"
}

db_exists() { # NAME
	[ "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname = '$(db_name "$1")'")" = 1 ]
}

db_list() { # -> all databases of this test, sorted, without their prefix
	sql postgres "SELECT substr(datname, length('$TEST_PREFIX') + 1) FROM pg_database
		WHERE starts_with(datname, '$TEST_PREFIX') ORDER BY datname COLLATE \"C\""
}

db_drop() { # NAME: also when closed, in use, or held by slots, subscriptions, prepared transactions
	local db line
	db=$(db_name "$1")
	db_exists "$db" || return 0
	sql postgres "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots
		WHERE database = '$db' AND active" >/dev/null
	for _ in $(seq 20); do
		sql postgres "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
			WHERE database = '$db'" >/dev/null 2>&1 && break
		sleep 0.1
	done
	if [ "$(sql postgres "SELECT (SELECT count(*) FROM pg_prepared_xacts WHERE database = '$db') +
		(SELECT count(*) FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid WHERE datname = '$db')")" != 0 ]; then
		sql postgres "ALTER DATABASE \"$db\" ALLOW_CONNECTIONS true"
		while IFS= read -r line; do
			[ -z "$line" ] || sql "$db" "$line"
		done < <(sql "$db" "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE database = current_database()
			UNION ALL SELECT unnest(ARRAY[format('ALTER SUBSCRIPTION %I DISABLE', subname),
				format('ALTER SUBSCRIPTION %I SET (slot_name = NONE)', subname),
				format('DROP SUBSCRIPTION %I', subname)])
			FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid WHERE datname = current_database()")
	fi
	sql postgres "ALTER DATABASE \"$db\" IS_TEMPLATE false"
	sql postgres "DROP DATABASE IF EXISTS \"$db\" WITH (FORCE)"
}

db_url() { # NAME [USER[:PASSWORD]] [QUERY] -> URL as Prisma reads it, over the unix socket
	need_server
	local user=${2:-postgres} password=
	case $user in *:*) password=:${user#*:} ;; esac
	printf 'postgresql://%s%s@localhost:%s/%s?host=%s%s' "$(role_name "${user%%:*}")" "$password" \
		"$TEST_PGPORT" "$(db_name "$1")" "$TEST_PGHOST" "${3:+&$3}"
}

# With a password: role_create app "PASSWORD 'x' IN ROLE password_users" (all others log in without).
role_create() { # NAME [ATTRIBUTES]
	sql postgres "CREATE ROLE \"$(role_name "$1")\" LOGIN ${2-}" || bail "role $1 could not be created"
	ROLES_MADE+=("$(role_name "$1")")
}

role_drop() { # NAME
	local role
	role=$(role_name "$1")
	sql postgres "DROP OWNED BY \"$role\" CASCADE" 2>/dev/null
	sql postgres "DROP ROLE IF EXISTS \"$role\""
}
ROLES_MADE=()

# --- sessions in the background -------------------------------------------------------------------------

declare -A BG_FD=() BG_PID=()
BG_LAST=0

# Opens a session that runs SQL and stays; returns when the SQL is done. Sets BG to its handle.
# As in: bg_sql app 'BEGIN; LOCK TABLE t' ... bg_kill "$BG"
bg_sql() { # DB SQL [ROLE]
	local fifo fd PSQL
	BG_LAST=$((BG_LAST + 1))
	BG=$BG_LAST
	fifo=$T/.bg$BG
	mkfifo "$fifo" || bail "mkfifo"
	# Opened for both directions, so that this does not block when psql never comes up.
	exec {fd}<>"$fifo"
	psql_command "${3:-postgres}" "$1"
	"${PSQL[@]}" -f "$fifo" >"$fifo.log" 2>&1 &
	BG_PID[$BG]=$!
	BG_FD[$BG]=$fd
	bg_more "$BG" "$2" || bail "session in the background: $(cat "$fifo.log")"
}

bg_send() { # HANDLE SQL: in the same session, without waiting for it
	rm -f "$T/.bg$1.done"
	printf '%s\n;\n\\! touch %s\n' "$2" "$T/.bg$1.done" >&"${BG_FD[$1]}"
}

bg_settled() { # HANDLE: the last SQL is done or the session is gone
	[ -e "$T/.bg$1.done" ] || ! kill -0 "${BG_PID[$1]}" 2>/dev/null
}

bg_more() { # HANDLE SQL: in the same session; returns when done, 1 when it failed
	bg_send "$1" "$2"
	wait_for "${RUN_TIMEOUT:-600}" bg_settled "$1" && [ -e "$T/.bg$1.done" ]
}

bg_alive() { # HANDLE: does the session still answer?
	[ -n "${BG_PID[$1]-}" ] && bg_more "$1" 'SELECT 1'
}

bg_out() { # HANDLE -> what the session has printed so far, errors too
	cat "$T/.bg$1.log"
}

bg_kill() { # HANDLE...: ends the sessions; what they had open is rolled back
	local handle fd pid
	for handle in "$@"; do
		[ -n "${BG_PID[$handle]-}" ] || continue
		fd=${BG_FD[$handle]} pid=${BG_PID[$handle]}
		exec {fd}>&-
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
		unset "BG_PID[$handle]" "BG_FD[$handle]"
	done
}

# --- the end --------------------------------------------------------------------------------------------

test_end() {
	local status=$? db
	trap '' INT TERM HUP
	[ -z "$RUN_PID" ] || kill "$RUN_PID" 2>/dev/null
	bg_kill "${!BG_PID[@]}"
	if [ "${KEEP-}" = 1 ]; then
		diag "kept: $T, databases and roles ${TEST_PREFIX}*"
	else
		if [ -n "${TEST_PGHOST-}" ] && sql postgres 'SELECT 1' >/dev/null 2>&1; then
			while IFS= read -r db; do
				db_drop "$TEST_PREFIX$db"
			done < <(db_list)
			while IFS= read -r db; do
				role_drop "$db"
			done < <(printf '%s\n' "${ROLES_MADE[@]}" | grep -x needs_password
				sql postgres "SELECT rolname FROM pg_roles WHERE starts_with(rolname, '$TEST_PREFIX')")
		fi
		cd / && rm -rf "$T"
	fi
	if [ -z "$TESTS_DONE" ]; then
		diag "the test ended before done_testing"
		[ "$status" != 0 ] || status=99
	fi
	exit "$status"
}
trap test_end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
