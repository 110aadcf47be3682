#!/usr/bin/env bash
# The database of a Prisma project comes back, backed up and restored by its owner, who is no superuser.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
# shellcheck source=tests/roundtrip/roundtrip.sh
. "$ROOT/tests/roundtrip/roundtrip.sh"
shop_base
# shellcheck disable=SC2034 # for roundtrip
ROUNDTRIP_ROLE=owner
roundtrip_source base
roundtrip base 'as it comes'
roundtrip base 'gzip, four jobs, split' MIGSAFE_COMPRESSION=gzip:6 MIGSAFE_JOBS=4 MIGSAFE_SPLIT_SIZE=64kB
done_testing
