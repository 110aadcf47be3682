#!/usr/bin/env bash
# A migration that outlasts migrate-timeout is ended, and the database restored.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base

shop_new late
app_migration "$APP" very_slow
state_of late >"$T/before"
MODE='split'
migsafe_for late deploy --migrate-timeout 20s --json
status_is 20 'the time limit of Prisma ends it, and the database is restored'
like "$(json .error.message)" 'time limit' 'the error names the limit'
unchanged_since "$T/before" late 'which is as before'
done_testing
