#!/usr/bin/env bash
# A deploy that fails in Prisma half way, killed with SIGKILL around each record of its journal: all is as before.
# shellcheck source=tests/lib.sh
# test: long
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/matrix.sh
. "$ROOT/tests/fault/matrix.sh"
matrix_base
app_migration "$APP" fail_halfway
MODE='split'
WANT=20
prepare() { :; }
scenario deploy --attempts 1 --rehearse never --fence off
each_point killed
in_the_middle_of 20 'rollback begin' 'rollback note create' 'rollback note created' 'swap begin swap'
in_the_middle_of 80 'rollback note created'
matrix_done
