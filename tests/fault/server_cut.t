#!/usr/bin/env bash
# All connections are cut in the middle of a deploy and of a restore, and new ones work at once or after a second: it says
# so, and the database is wholly as before or wholly as after, by itself or by `migsafe recover`.
# shellcheck source=tests/lib.sh
# test: long
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/matrix.sh
. "$ROOT/tests/fault/matrix.sh"
# shellcheck source=tests/fault/strike.sh
. "$ROOT/tests/fault/strike.sh"
matrix_base
proxy_strikes
STATUSES='0|20|21|69|75|22'
relieve() { sleep 1; }
strikes_in_all cut refuse
matrix_done
