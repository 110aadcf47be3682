#!/usr/bin/env bash
# What follows a failed attempt: in place where nothing stayed, the way back where something may have.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base

# shellcheck disable=SC2317 # called by wait_for
attempts_made() { [ "$(journal_of | grep -c '"event":"attempt"')" -ge "$1" ]; }

# --- a lock in the way of attempts 1 and 2 ---------------------------------------------------------
shop_new locked
app_migration "$APP" lock_wait
bg_sql locked 'BEGIN; SELECT count(*) FROM "Order"' owner
blocker=$BG
blocker_pid=$(sql locked "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'")
(
	wait_for 60 attempts_made 2
	sql locked "SELECT pg_terminate_backend($blocker_pid)" >/dev/null
) &
MODE='split'
migsafe_for locked deploy --lock-timeout 1s --json
status_is 0 'a lock held by another session makes attempts 1 and 2 fail and attempt 3 succeed'
wait $! 2>/dev/null
bg_kill "$blocker"
is "$(json .verdict)" migrated 'in place, without a restore'
is "$(json '[.attempts[].class] | join(",")')" 'transient,transient,none' 'three attempts are in the report'
is "$(json '.attempts[0].sqlstate')" 55P03 'with the cause'
is "$(json '.attempts[0].blocker.pid')" "$blocker_pid" "with the blocker's pid"
like "$(json '.attempts[0].blocker.query')" 'SELECT count' "with the blocker's query"
is "$(json .kept)" null 'nothing was swapped'
is "$(sql locked "SELECT count(*) FROM pg_attribute WHERE attrelid = '\"Order\"'::regclass AND attname = 'channel'")" 1 'the migration is there'
is "$(sql locked "SELECT count(*) FROM _prisma_migrations WHERE rolled_back_at IS NOT NULL")" 2 'the failed rows are marked rolled back'

# --- a lock in the way of the second statement: rows were written before, in split mode --------------
shop_new second
app_migration "$APP" lock_wait_second
state_of second >"$T/before"
bg_sql second 'BEGIN; SELECT count(*) FROM "Order"' owner
MODE='split'
migsafe_for second deploy --lock-timeout 1s --json
status_is 20 'where rows may have been written before, it is not tried in place'
bg_kill "$BG"
is "$(json '.attempts | length')" 1 'one attempt'
unchanged_since "$T/before" second 'and the database is as before'

# --- the same file as one transaction: provable from what the server saw ------------------------------
shop_new whole
app_migration "$APP" lock_wait_second
bg_sql whole 'BEGIN; SELECT count(*) FROM "Order"' owner
blocker=$BG
(
	wait_for 60 attempts_made 1
	sql whole "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'" >/dev/null
) &
MODE=whole
migsafe_for whole deploy --lock-timeout 1s --json
status_is 0 'sent as one transaction, it is tried again in place'
wait $! 2>/dev/null
bg_kill "$blocker"
is "$(json '.attempts | length')" 2 'two attempts'
like "$(journal_of | jq -r 'select(.event == "attempt") | .data.left_behind' | head -1)" 'one transaction' 'the journal says why that was safe'

# --- one statement that has committed a part of its work --------------------------------------------------
shop_new halves
app_sql halves <<'SQL'
DO $$ BEGIN
	UPDATE "Product" SET price = price + 1;
	COMMIT;
	LOCK TABLE "Order" IN ACCESS EXCLUSIVE MODE;
END $$;
SQL
state_of halves >"$T/before"
bg_sql halves 'BEGIN; SELECT count(*) FROM "Order"' owner
MODE=whole
migsafe_for halves deploy --lock-timeout 1s --gate warn --json
status_is 20 'a DO that commits in its middle is not tried in place, which would do its first part twice'
bg_kill "$BG"
is "$(json '.attempts | length')" 1 'one attempt'
unchanged_since "$T/before" halves 'and the database is as before'

# --- permanent errors are not tried again ---------------------------------------------------------------
shop_new permanent
app_migration "$APP" fail_first
MODE='split'
migsafe_for permanent deploy --json
status_is 20 'a permanent SQL error ends with 20'
is "$(json '.attempts | length')" 1 'after one attempt'
is "$(json '.attempts[0].class')" permanent 'of class permanent'

# --- Prisma killed in the middle: its backend goes on, and is ended before anything is judged -------------
shop_new killed
app_migration "$APP" slow
state_of killed >"$T/before"
(
	wait_for 60 sleeping_in killed
	kill -KILL "$(journal_of | jq -r 'select(.step == "migrate" and .event == "note") | .data.pid' | tail -n 1)"
) &
MODE='split'
migsafe_for killed deploy --json
status_is 20 'Prisma killed by SIGKILL in the middle ends with 20'
wait $! 2>/dev/null
unchanged_since "$T/before" killed 'the database is as before, though its backend went on'

# --- stopped by a signal -----------------------------------------------------------------------------------
shop_new stopped
app_migration "$APP" slow
state_of stopped >"$T/before"
(cd "$APP" && DATABASE_URL=$(db_url stopped owner) MIGSAFE_BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=split \
	exec "$MIGSAFE" deploy --json) >"$T/stopped.json" 2>"$T/stopped.log" &
stopped=$!
wait_for 60 sleeping_in stopped
kill -TERM "$stopped"
wait "$stopped"
is $? 20 'SIGTERM in the middle of a migration restores the database'
unchanged_since "$T/before" stopped 'which is as before'

# --- no connection is left for the way back, for some seconds ------------------------------------------------
shop_new crowded
app_migration "$APP" slow
state_of crowded >"$T/before"
(cd "$APP" && DATABASE_URL=$(db_url crowded owner) MIGSAFE_BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=split \
	exec "$MIGSAFE" deploy --json) >"$T/crowded.json" 2>"$T/crowded.log" &
crowded=$!
wait_for 60 sleeping_in crowded
sql postgres "ALTER ROLE \"$(role_name owner)\" CONNECTION LIMIT 2"
kill -TERM "$crowded"
wait_for 60 grep -q 'warning: .*too many connections' "$T/crowded.log"
ok $? 'a way back that gets no session says so'
sql postgres "ALTER ROLE \"$(role_name owner)\" CONNECTION LIMIT -1"
wait "$crowded"
is $? 20 'and begins again until there is room'
unchanged_since "$T/before" crowded 'the database is as before'

shop_new filled
app_migration "$APP" slow
state_of filled >"$T/before"
(cd "$APP" && DATABASE_URL=$(db_url filled owner) MIGSAFE_BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=split \
	exec "$MIGSAFE" deploy --json --wait 1s) >"$T/filled.json" 2>"$T/filled.log" &
filled=$!
wait_for 60 sleeping_in filled
sql postgres "ALTER ROLE \"$(role_name owner)\" CONNECTION LIMIT 2"
kill -TERM "$filled"
wait "$filled"
is $? 22 'where there is none for longer than "wait" a way back ends with 22'
sql postgres "ALTER ROLE \"$(role_name owner)\" CONNECTION LIMIT -1"
like "$(jq -r .next "$T/filled.json")" 'recover. goes on with it' 'and the report does not ask a person to decide'
migsafe_for filled recover
status_is 20 'recover goes on with it'
unchanged_since "$T/before" filled 'the database is as before it, too'
done_testing
