#!/usr/bin/env bash
# A deploy that succeeds in Prisma and loses values, killed with SIGKILL around each record of its journal: all is as before.
# shellcheck source=tests/lib.sh
# test: long
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/matrix.sh
. "$ROOT/tests/fault/matrix.sh"
matrix_base
app_migration "$APP" lose_drop_column
MODE=whole
WANT=20
prepare() { :; }
scenario deploy --attempts 1 --gate warn --rehearse never --fence off
each_point killed
matrix_done
