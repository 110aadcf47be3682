# What strikes a migsafe that goes on: the server dies, connections are cut, the disk is full. Sourced after
# tests/fault/matrix.sh; each strike is a program that kill_at.c runs, in $T.
# shellcheck shell=bash disable=SC2034,SC2153 # for matrix.sh, and from it

# strike_program NAME: the program $T/NAME, of what is on standard input; it says in $T/struck that it has struck.
strike_program() {
	{
		printf '#!/bin/sh\nunset TEST_FAULT_MARK LD_PRELOAD\n'
		cat
		printf 'touch "%s/struck"\n' "$T"
	} >"$T/$1"
	chmod +x "$T/$1"
}

# server_strikes: "down" ends the server at once, "up" starts it, "bounce" does both.
server_strikes() {
	local start="$TEST_PGBIN/pg_ctl -D $TEST_PGHOST/data -l $TEST_PGLOG -w -t 60 -s start"
	[ "$(id -u)" != 0 ] || start="runuser -u postgres -- $start"
	strike_program down <<-END
		pid=\$(head -n 1 "$TEST_PGHOST/data/postmaster.pid")
		kill -QUIT "\$pid"
		while [ -e "$TEST_PGHOST/data/postmaster.pid" ]; do sleep 0.02; done
	END
	strike_program up <<-END
		[ -e "$TEST_PGHOST/data/postmaster.pid" ] || { cd / && $start; }
	END
	strike_program bounce <<-END
		"$T/down" && "$T/up"
	END
}

# proxy_strikes: live is reached by a proxy; "cut" cuts all connections, "refuse" lets no new ones in for a second, too.
proxy_strikes() {
	local name
	mkdir "$T/proxy"
	"$ROOT/tests/fault/proxy.py" "$T/proxy" "$TEST_PGHOST/.s.PGSQL.$TEST_PGPORT" 2>"$T/proxy.log" &
	PROXY=$!
	trap 'kill "$PROXY"; test_end' EXIT
	wait_for 10 test -S "$T/proxy/.s.PGSQL.5432" || bail "no proxy: $(cat "$T/proxy.log")"
	LIVE_URL=$(TEST_PGHOST=$T/proxy TEST_PGPORT=5432 db_url live owner)
	for name in cut:USR1 refuse:USR2; do
		strike_program "${name%:*}" <<-END
			rm -f "$T/proxy/cut"
			kill -${name#*:} $PROXY
			while [ ! -e "$T/proxy/cut" ]; do sleep 0.01; done
		END
	done
}

# disk_strikes: the backups are on a small disk; "fill" leaves no byte of it, "free" all. By "choke" no record gets into
# the journal any more, either: its last page has room for some.
disk_strikes() {
	local name
	mkdir "$T/disk"
	mount -t tmpfs -o size=24m,mode=0700 tmpfs "$T/disk" 2>/dev/null || skip_all 'a small disk cannot be mounted here: needs root and mount'
	trap 'cd /; umount "$T/disk"; test_end' EXIT
	BACKUPS_AT=$T/disk/backups
	for name in fill choke; do
		strike_program "$name" <<-END
			dd if=/dev/zero of="$T/disk/filler" bs=4k 2>"$T/ignored"
		END
	done
	strike_program free <<-END
		rm -f "$T/disk/filler"
	END
}

# asleep STRIKE: the same, once a statement of the migration sleeps.
asleep() {
	strike_program "$1_asleep" <<-END
		until [ "\$("$TEST_PGBIN/psql" -XAtq -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres -d postgres -c \
			"SELECT count(*) FROM pg_stat_activity WHERE query ~ 'pg_sleep' AND state = 'active' AND usename = '$(role_name owner)'")" = 1 ]; do
			sleep 0.02
		done
		exec "$T/$1"
	END
	STRIKE=$1_asleep
}

# It was not killed: it says what happened, by its status and in words. Wants STATUSES, those that it may end with.
disturbed() {
	[[ $CASE_AT != later:* ]] || wait_for 2 test -e "$T/struck"
	[ -e "$T/struck" ] || bad 'it ended before'
	[[ $CASE_RC =~ ^($STATUSES)$ ]] || bad "status $CASE_RC: $CASE_ERR"
	[ "$CASE_RC" = 0 ] || [ -n "$CASE_ERR" ] || bad 'it fails and says nothing'
	[[ ! $CASE_ERR =~ kill_at: ]] || bad "$CASE_ERR"
	relieve
}

# strike POINT NAME: a case with the program $T/NAME.
strike() {
	local CASE_ENV=("TEST_KILL_RUN=$T/$2")
	[[ $2 != choke* ]] || CASE_ENV+=(TEST_KILL_FULL=1)
	rm -f "$T/struck"
	a_case "$1" "$2"
}

# --- the three scenarios ------------------------------------------------------------------------------------------

# own_migration NAME: the newest migration of the application, of what is on standard input.
own_migration() {
	mkdir "$APP/prisma/migrations/20270101000001_$1" && cat >"$APP/prisma/migrations/20270101000001_$1/migration.sql"
}

# strikes_in_all FIRST SECOND: in turn at each step of a deploy that succeeds, and both in the middle of its long ones; in turn
# at each record from Prisma on of one that fails, and of a restore.
strikes_in_all() {
	local i id both=("$1" "$2")
	MODE='split'
	own_migration sleeps <<-'END'
		CREATE TABLE "Coupon" ("code" TEXT NOT NULL PRIMARY KEY);
		SELECT pg_sleep(0.4);
		ALTER TABLE "Order" ADD COLUMN "channel" TEXT;
		UPDATE "Order" SET "channel" = 'WEB';
	END
	prepare() { :; }
	WANT=0
	scenario deploy --attempts 1 --wait 2s --rehearse never --fence off
	for i in "${!POINTS[@]}"; do
		case ${POINTS[i]} in
		*' begin' | 'run verdict' | 'migrate note' | 'health done') strike "after:$i" "${both[CASES % 2]}" ;;
		esac
	done
	strike "later:$(point_number 'preflight begin'):120" "$1"
	strike "later:$(point_number 'backup begin'):30" "$2"
	for i in "${both[@]}"; do
		asleep "$i"
		strike "later:$(point_number 'migrate note'):0" "$STRIKE"
	done

	app_forget "$APP" sleeps
	app_migration "$APP" fail_halfway
	WANT=20
	scenario deploy --attempts 1 --wait 2s --rehearse never --fence off
	for i in "${!POINTS[@]}"; do
		[ "$i" -le "$(point_number 'migrate note')" ] || strike "after:$i" "${both[i % 2]}"
	done
	strike "later:$(point_number 'rollback note created'):30" "$1"
	app_forget "$APP" fail_halfway

	live_new
	migsafe_at never backup --kind full --json
	id=$(json '.backups[0].id')
	rm -rf "${T:?}/taken"
	mv "$BACKUPS" "$T/taken"
	prepare() {
		cp -a "$T/taken" "$BACKUPS"
		sql_as owner live "UPDATE \"Product\" SET name = 'since'; CREATE TABLE since (id int PRIMARY KEY)" || bail 'no changes'
	}
	WANT=0
	scenario restore "$id" --yes
	for i in "${!POINTS[@]}"; do
		strike "after:$i" "${both[i % 2]}"
	done
}
