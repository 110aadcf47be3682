#!/bin/sh
# Entry point of a container: waits for the database, applies the migrations with the way back, then
# becomes the application. POSIX sh, because slim images have no bash.
#
# Several replicas may start at once: migsafe's lock lets one migrate, the others wait for it and find
# nothing to do. After a failure the application is not started.
set -eu
set -f # the words of MIGSAFE are split, not expanded

usage() {
	cat <<'END'
usage: entrypoint.sh [COMMAND [ARGUMENT...]]

Runs `migsafe wait` and `migsafe deploy`, then becomes COMMAND; without one, ends. When migsafe
fails, COMMAND is not started and the exit status is migsafe's (docs/EXIT.md).

  MIGSAFE             the program, also several words (default: migsafe)
  ENTRYPOINT_DEPLOY   on (default), or off: COMMAND is started at once
END
}

say() {
	printf 'entrypoint: %s\n' "$*" >&2
}

child='' signals=''

# The first process of a container hears TERM only where it asks to.
on_signal() { # NAME
	signals="$signals $1"
	[ -z "$child" ] || kill -TERM "$child" 2>/dev/null || :
}

# In the background, because a trap must not wait for it. migsafe is told of the signal, and how it
# ends counts: it may be on its way back.
run() { # COMMAND...
	if [ -n "$signals" ]; then return 130; fi
	"$@" &
	child=$!
	while :; do
		before=$signals status=0
		wait "$child" || status=$?
		# A wait that a trap has ended says nothing of the child.
		if [ "$status" -le 128 ] || [ "$before" = "$signals" ]; then break; fi
	done
	child=''
	return "$status"
}

explain() { # STATUS
	case $1 in
	20) say "the migration failed and the database was restored" ;;
	21) say "the migration failed and nothing had changed, or it failed before and is not tried again" ;;
	22) say "a person must decide" ;;
	esac
	say "the application is not started (exit status $1)"
	exit "$1"
}

deploy() {
	trap 'on_signal INT' INT
	trap 'on_signal TERM' TERM
	trap 'on_signal HUP' HUP
	for command in wait deploy; do
		result=0
		# shellcheck disable=SC2086 # split on blanks
		run ${MIGSAFE:-migsafe} "$command" || result=$?
		[ "$result" = 0 ] || explain "$result"
	done
	if [ -n "$signals" ]; then
		say "stopped by a signal; the migrations are applied"
		explain 130
	fi
	trap - INT TERM HUP
}

case ${1-} in -h | --help) usage && exit 0 ;; esac
case ${ENTRYPOINT_DEPLOY:-on} in
on) deploy ;;
off) ;;
*)
	say "ENTRYPOINT_DEPLOY is on or off, not \"$ENTRYPOINT_DEPLOY\""
	exit 78
	;;
esac
[ $# -gt 0 ] || exit 0
exec "$@"
