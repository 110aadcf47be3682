#!/usr/bin/env bash
# A run that was killed, and a `migsafe recover` that is killed around each of its records: the next one ends it as the first would have.
# shellcheck source=tests/lib.sh
# test: long
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/matrix.sh
. "$ROOT/tests/fault/matrix.sh"
matrix_base
MODE='split'
prepare() { :; }

# recovers POINT...: the recover of a run that was killed there.
recovers() {
	local point
	for point in "$@"; do
		recover_scenario "$point"
		each_point "$point, recover killed"
	done
	meet() { migsafe_at "$1" "${COMMAND[@]}"; }
}
app_migration "$APP" good_two
WANT=0
scenario deploy --attempts 1 --rehearse never --fence off --backup-after=off
recovers "before:$(point_number 'backup done')" "after:$(point_number 'health begin')"
app_forget "$APP" good_two
app_migration "$APP" fail_halfway
WANT=20
scenario deploy --attempts 1 --rehearse never --fence off
recovers "before:$(point_number 'migrate attempt')" "after:$(point_number 'swap begin swap')" \
	"before:$(point_number 'swap done swapped')"
matrix_done
