#!/usr/bin/env bash
# Stopped: by one signal the way back is taken, and why there was a second attempt is still told; by a second one at once.
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

# --- a second signal ---------------------------------------------------------------------------------------
shop_new twice
sql_as owner twice 'CREATE MATERIALIZED VIEW slow AS SELECT 1 AS a FROM pg_sleep(4)' # the way back takes longer than this needs
app_migration "$APP" very_slow
(cd "$APP" && DATABASE_URL=$(db_url twice owner) MIGSAFE_BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=split \
	exec "$MIGSAFE" deploy --json) >"$T/out.json" 2>"$T/log" &
pid=$!
wait_for 60 sleeping_in twice
kill -STOP "$pid"
kill -INT "$pid"
kill -CONT "$pid"
sleep 0.1
kill -INT "$pid" # the terminal and npm both pass a Ctrl-C on
sleep 0.1
kill -0 "$pid"
ok $? 'the same Ctrl-C that comes twice is one'
sleep 0.5
kill -TERM "$pid"
wait "$pid"
is $? 143 'a second signal ends it at once'
like "$(cat "$T/log")" 'stopped at once by a second signal' 'and says so'
unlike "$(journal_of)" '"event":"verdict"' 'the run has no end: recover goes on from its journal'

# The next takes it up, and then goes on: nothing was wrong with the migration.
migsafe_for twice recover --json
status_is 20 'recover brings the database back'
next=$(jq -rs '.[-1].next' "$BACKUPS"/.migsafe/runs/*/report.json)
like "$next" 'not known to be at fault: deploy again' 'and does not blame the migration'
unlike "$next" 'refused without --again' 'nor say that the same files are refused'

# --- standard input, output and error are closed -------------------------------------------------------------
# What is opened next has their numbers: a log that is written to 2 must not go to the server, or into a file.
shop_new closed
app_migration "$APP" good_two
(cd "$APP" && DATABASE_URL=$(db_url closed owner) MIGSAFE_BACKUP_DIR=$BACKUPS exec "$MIGSAFE" deploy <&- >&- 2>&-)
is $? 0 'a deploy whose standard files are closed succeeds'
is "$(jq -r .verdict "$BACKUPS"/.migsafe/runs/*/report.json)" migrated 'and its report says so'
run env -C "$APP" DATABASE_URL="$(db_url closed owner)" MIGSAFE_BACKUP_DIR="$BACKUPS" bash -c "'$MIGSAFE' deploy >/dev/full"
status_is 0 'that its words do not get out does not make a deploy a failure'
like "$ERR" 'could not write to standard output' 'but it is told'
done_testing
