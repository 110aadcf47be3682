#!/usr/bin/env bash
# The server dies in the middle of a deploy and of a restore, and comes back at once or once migsafe has ended: it says
# so, and the database is wholly as before or wholly as after, by itself or by `migsafe recover`.
# shellcheck source=tests/lib.sh
if [ -z "${TEST_OWN_SERVER-}" ]; then # one that may be killed
	exec env -u TEST_PGHOST -u TEST_PGPORT TEST_OWN_SERVER=1 "$(dirname "$0")/../../scripts/with-cluster.sh" "$0"
fi
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/matrix.sh
. "$ROOT/tests/fault/matrix.sh"
# shellcheck source=tests/fault/strike.sh
. "$ROOT/tests/fault/strike.sh"
matrix_base
server_strikes
STATUSES='0|20|21|69|75|22'
relieve() { "$T/up"; }
strikes_in_all down bounce
matrix_done
