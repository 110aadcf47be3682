#!/usr/bin/env bash
# Stopped between two attempts: the way back is taken, and why there was a second attempt is still told.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base

# shellcheck disable=SC2317 # called by wait_for
attempt_made() { journal_of | grep -q '"event":"attempt"'; }

shop_new pause
app_migration "$APP" lock_wait
state_of pause >"$T/before"
bg_sql pause 'BEGIN; SELECT count(*) FROM "Order"' owner
(cd "$APP" && DATABASE_URL=$(db_url pause owner) MIGSAFE_BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=split \
	exec "$MIGSAFE" deploy --json --lock-timeout 1s) >"$T/out.json" 2>"$T/log" &
pid=$!
wait_for 60 attempt_made
kill -TERM "$pid"
wait "$pid"
is $? 20 'SIGTERM between two attempts ends with 20'
bg_kill "$BG"
like "$(jq -r .error.message "$T/out.json")" 'cancelled' 'the error is the signal'
like "$(jq -r .error.detail "$T/out.json")" 'Before that: .*lock timeout' 'and what made the first attempt fail is told'
unchanged_since "$T/before" pause 'the database is as before'
done_testing
