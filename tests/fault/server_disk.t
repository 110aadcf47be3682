#!/usr/bin/env bash
# The disk of backups and journals becomes full in the middle of a deploy and of a restore: it says so, and the database
# is wholly as before or wholly as after, by itself or, with room again, by `migsafe recover`.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/matrix.sh
. "$ROOT/tests/fault/matrix.sh"
# shellcheck source=tests/fault/strike.sh
. "$ROOT/tests/fault/strike.sh"
matrix_base
disk_strikes
STATUSES='0|11|20|21|71|22'
relieve() { "$T/free"; }
strikes_in_all fill choke
matrix_done
