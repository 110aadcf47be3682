#!/usr/bin/env bash
# A deploy that succeeds, killed with SIGKILL around each record of its journal: recover finishes or undoes it.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/matrix.sh
. "$ROOT/tests/fault/matrix.sh"
matrix_base
app_migration "$APP" good_two
MODE='split'
WANT=0
prepare() { :; }
scenario deploy --attempts 1 --rehearse never --fence off
each_point killed
in_the_middle_of 20 'backup begin' 'health begin' 'backup-after begin'
in_the_middle_of 150 'preflight begin' 'migrate note' 'backup begin'
in_the_middle_of 900 'migrate note'
matrix_done
