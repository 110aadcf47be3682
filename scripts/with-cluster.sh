#!/usr/bin/env bash
# Runs a command beside a throw-away PostgreSQL server, which is gone when the command ends.
#
# The command finds the server by TEST_PGHOST (socket folder), TEST_PGPORT, TEST_PGBIN (programs of
# that version) and TEST_PGLOG (server log); the superuser is `postgres`, no password. Settings of
# the caller (PG*, *_URL, MIGSAFE_*) are hidden from the command, so that nothing here can ever
# touch a real database. Rule of use: everything that needs a server in tests goes through this
# file; it is cheap to nest, an outer server is used again.
# shellcheck disable=SC2317 # what traps call is reachable
set -euo pipefail

usage() {
	cat <<'END'
usage: scripts/with-cluster.sh COMMAND [ARGUMENT...]

Starts a throw-away PostgreSQL on a unix socket, runs COMMAND with TEST_PGHOST, TEST_PGPORT,
TEST_PGBIN and TEST_PGLOG set, removes the server and returns the status of COMMAND.
With TEST_PGHOST set to a server that answers, just runs COMMAND there.

Logins need no password, except those of role needs_password and of members of password_users.

  TEST_PGBIN     folder with initdb and pg_ctl (default: /usr/lib/postgresql/15/bin, then the newest)
  TEST_PGCONF    a file of server settings that replace those of tests (fsync is off in tests)
  TEST_CLUSTERS  where its folder is made (default: /tmp)
END
}

die() { # STATUS MESSAGE...
	local status=$1
	shift
	printf 'with-cluster: %s\n' "$*" >&2
	exit "$status"
}

case ${1-} in
-h | --help) usage && exit 0 ;;
"" | -*) usage >&2 && exit 64 ;;
esac

find_pgbin() {
	local dir best=
	for dir in "${TEST_PGBIN-}" /usr/lib/postgresql/15/bin; do
		[ -n "$dir" ] && [ -x "$dir/initdb" ] && printf '%s\n' "$dir" && return
	done
	for dir in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V); do
		[ -x "$dir/initdb" ] && best=$dir
	done
	[ -n "$best" ] || best=$(dirname "$(command -v initdb)" 2>/dev/null) || best=
	[ -n "$best" ] && [ -x "$best/initdb" ] && printf '%s\n' "$best"
}

hide_settings() {
	local name
	while IFS= read -r name; do
		case $name in
		PG* | *_URL | MIGSAFE_*) unset "$name" ;;
		esac
	done < <(compgen -e)
}

pgbin=$(find_pgbin) || die 69 "no PostgreSQL server programs found; run scripts/setup.sh"
hide_settings
export TEST_PGBIN=$pgbin

if [ -n "${TEST_PGHOST-}" ] &&
	"$pgbin/pg_isready" -q -t 3 -h "$TEST_PGHOST" -p "${TEST_PGPORT:=5432}" -U postgres; then
	export TEST_PGHOST TEST_PGPORT
	exec "$@"
fi

# PostgreSQL refuses to run as root.
as_owner() {
	if [ "$(id -u)" = 0 ]; then
		(cd / && exec runuser -u postgres -- "$@")
	else
		(cd / && exec "$@")
	fi
}

stop_server() { # also run by the watchdog, hence free of this shell's variables but `folder`
	local pid
	[ -d "$folder" ] || return 0
	if [ -s "$folder/data/postmaster.pid" ]; then
		pid=$(head -n 1 "$folder/data/postmaster.pid")
		# Immediate shutdown; the server's children go with it.
		kill -QUIT "$pid" 2>/dev/null || true
		for _ in $(seq 100); do
			# Not by kill -0 alone: a dead server may stay a zombie in a container.
			[ -s "$folder/data/postmaster.pid" ] || break
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.05
		done
		kill -KILL "$pid" 2>/dev/null || true
	fi
	rm -rf "$folder"
}

command_pid=
finish() { # SIGNAL-NAME STATUS
	trap '' INT TERM HUP
	if [ -n "$command_pid" ]; then
		kill "-$1" -- "$command_target" 2>/dev/null || true
		for _ in $(seq 100); do
			kill -0 "$command_pid" 2>/dev/null || break
			sleep 0.05
		done
		kill -KILL -- "$command_target" 2>/dev/null || true
	fi
	exit "$2"
}

# A short name: the path of a unix socket has at most 107 bytes.
folder=$(mktemp -d "${TEST_CLUSTERS:-/tmp}/ms.XXXXXX")
trap stop_server EXIT
trap 'finish INT 130' INT
trap 'finish TERM 143' TERM
trap 'finish HUP 129' HUP
chmod 0755 "$folder"
[ "$(id -u)" != 0 ] || chown postgres "$folder"

# Removes server and folder also when this shell is killed outright.
export -f stop_server
(
	cd /
	export folder
	# shellcheck disable=SC2016 # the inner shell expands
	exec setsid bash -c 'trap "" INT TERM HUP; tail --pid="$1" -f /dev/null; stop_server' watchdog $$
) </dev/null >/dev/null 2>&1 &
export -fn stop_server

as_owner "$pgbin/initdb" -D "$folder/data" -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 \
	--no-sync --no-instructions >"$folder/initdb.log" 2>&1 || {
	tail -n 20 "$folder/initdb.log" >&2
	die 71 "initdb failed"
}

cat >>"$folder/data/postgresql.conf" <<END
listen_addresses = ''
port = 5432
unix_socket_directories = '$folder'
fsync = off
full_page_writes = off
max_connections = 200
max_prepared_transactions = 10
wal_level = logical
timezone = 'UTC'
log_timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d %a '
END
[ -z "${TEST_PGCONF-}" ] || cat "$TEST_PGCONF" >>"$folder/data/postgresql.conf"
cat >"$folder/data/pg_hba.conf" <<END
local all needs_password,+password_users scram-sha-256
local all all trust
local replication all trust
END

as_owner "$pgbin/pg_ctl" -D "$folder/data" -l "$folder/server.log" -w -t 30 -s start || {
	printf '%s\n' "--- end of the server log" >&2
	tail -n 20 "$folder/server.log" >&2 || true
	die 69 "the server did not start within 30 s"
}
"$pgbin/psql" -XAtq -h "$folder" -p 5432 -U postgres -d postgres -v ON_ERROR_STOP=1 \
	-c 'CREATE ROLE password_users NOLOGIN' || die 69 "the server does not answer"

export TEST_PGHOST=$folder TEST_PGPORT=5432 TEST_PGLOG=$folder/server.log

# In the background, because a trap must not wait for the command. On a terminal the command stays
# in our process group, to be able to read from it; elsewhere it gets one of its own, so that all of
# it can be ended. A background job would ignore INT and QUIT.
if [ -t 0 ]; then
	env --default-signal=INT,QUIT "$@" <&0 &
	command_pid=$!
	command_target=$command_pid
else
	set -m
	env --default-signal=INT,QUIT "$@" <&0 &
	command_pid=$!
	command_target=-$command_pid
	set +m
fi
status=0
wait "$command_pid" || status=$?
command_pid=
exit "$status"
