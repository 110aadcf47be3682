#!/usr/bin/env bash
# A deploy under a fence, killed with SIGKILL at each record of its journal: the fence is gone, the database whole.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/matrix.sh
. "$ROOT/tests/fault/matrix.sh"
matrix_base
MODE='split'
prepare() { :; }

app_migration "$APP" good_two
WANT=0
scenario deploy --attempts 1 --rehearse never --fence on --backup-after=off
for i in "${!POINTS[@]}"; do
	[ "$i" -ge "$(point_number 'fence begin')" ] || continue
	[[ ${POINTS[i]} != *fence* ]] || a_case "before:$i" killed
	a_case "after:$i" killed
done

app_forget "$APP" good_two
app_migration "$APP" fail_halfway
WANT=20
scenario deploy --attempts 1 --rehearse never --fence on
for i in "${!POINTS[@]}"; do
	[ "$i" -lt "$(point_number 'migrate attempt')" ] || a_case "after:$i" killed
done
matrix_done
