#!/usr/bin/env bash
# Runs that died where recovering by itself could destroy later work: nothing is touched, a person decides.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
# shellcheck source=tests/deploy/dying.sh
. "$ROOT/tests/deploy/dying.sh"
shop_base
export MIGSAFE_REHEARSE=never MIGSAFE_BACKUP_AFTER=off

dead_in_migrate repaired
older 90000
sql_as owner repaired "CREATE TABLE \"Coupon\" (\"code\" text NOT NULL PRIMARY KEY)"
sql_as owner repaired "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL"
sql_as owner repaired "INSERT INTO \"Coupon\" VALUES ('NEW'); INSERT INTO \"User\" (email, \"updatedAt\") VALUES ('later@example.com', now())" ||
	diag 'the writes of a day failed'
app_migration "$APP" good_add_column
state_of repaired >"$T/before"
run_id=$(run_of)
deploy repaired
status_is 22 'died in migrate, repaired by hand, written to for a day: a new deploy refuses with 22'
like "$ERR" "migsafe recover $run_id --keep" 'it names the one way'
like "$ERR" "migsafe recover $run_id --restore" 'and the other'
like "$ERR" 'Others have written' 'and why'
unchanged_since "$T/before" repaired 'nothing is changed'
is "$(report_of '"\(.verdict) \(.recovered)"')" 'broken true' 'the report says broken'
deploy repaired
status_is 22 'the next one is refused too'
recover repaired
status_is 22 'recover says it again'
is "$(json '.runs[0].ways | length >= 2')" true 'with both ways'
recover repaired "$run_id" --keep
status_is 0 'a person decides to keep it'
unchanged_since "$T/before" repaired 'the database is not touched by that'
recover repaired
status_is 0 'then there is nothing to recover'

dead_in_migrate chosen
older 90000
sql_as owner chosen "INSERT INTO \"User\" (email, \"updatedAt\") VALUES ('later@example.com', now())"
recover chosen
status_is 22 'older than recover-limit, and written to: broken'
recover chosen "$(run_of)" --restore
status_is 0 'a person decides to restore'
is "$(sql chosen "SELECT count(*) FROM \"User\" WHERE email = 'later@example.com'")" 0 'the backup is live'
is "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname = '$(json '.runs[0].kept_database')'")" 1 'what was there is kept'
no_side_databases chosen 'no side database is left'

# --- under its fence nobody can have written, however long ago it was ----------------------------------------------------
dead_in_migrate fenced very_slow --fence on
state=$(sql fenced "SELECT count(*) FROM \"User\"")
older 90000
recover fenced
status_is 20 'a fence that still stands: restored after a day, too'
is "$(sql fenced "SELECT count(*) FROM \"User\"")" "$state" 'no row is lost'
is "$(sql postgres "SELECT coalesce(shobj_description(d.oid, 'pg_database'), '-') || (SELECT count(*) FROM pg_db_role_setting s WHERE s.setdatabase = d.oid)
	FROM pg_database d WHERE datname = '$(db_name fenced)'")" '-0' 'and the fence is lifted'

dead_in_migrate old
older 1000
recover old
status_is 22 'a journal older than recover-limit: broken'
like "$(json '.runs[0].why')" 'recover-limit' 'and that is why'
recover old "$(run_of)" --keep
status_is 0 'and is kept'

# --- live that is gone -----------------------------------------------------------------------------------------------------
sql postgres "ALTER DATABASE \"$(db_name old)\" RENAME TO \"$(db_name put_by)\""
recover old
status_is 69 'no database of that name, and none of ours'
sql postgres "ALTER DATABASE \"$(db_name put_by)\" RENAME TO \"$(db_name old)\""

shop_new reopened
app_migration "$APP" fail_halfway
die_at post-restore
deploy reopened
status_is 137 'killed after the swap of a rollback'
kept=$(journal_of | jq -r 'select(.step == "swap" and .event == "done") | .data.kept')
sql postgres "ALTER DATABASE \"$(db_name reopened)\" RENAME TO \"$(db_name put_aside)\""
sql postgres "ALTER DATABASE \"$kept\" RENAME TO \"$(db_name reopened)\""
sql postgres "ALTER DATABASE \"$(db_name reopened)\" ALLOW_CONNECTIONS true"
oid=$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$(db_name reopened)'")
recover reopened
status_is 22 'live reopened by hand after the swap: broken'
is "$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$(db_name reopened)'")" "$oid" 'it stays live'
recover reopened "$(run_of)" --keep
status_is 0 'and is kept'
sql postgres "ALTER DATABASE \"$(db_name reopened)\" RENAME TO \"$kept\""
recover reopened
status_is 22 'live is gone, and a database of ours is there: broken'
like "$(json .error.hint)" 'ALTER DATABASE .* RENAME TO' 'what helps is named'

# --- another database under live's name, and what was live is kept already -------------------------------------------------
shop_new replaced
app_migration "$APP" fail_halfway
die_at post-restore
deploy replaced
status_is 137 'killed after the swap'
kept=$(journal_of | jq -r 'select(.step == "swap" and .event == "done") | .data.kept')
sql postgres "ALTER DATABASE \"$(db_name replaced)\" RENAME TO \"$(db_name first_copy)\""
sql postgres "CREATE DATABASE \"$(db_name replaced)\" TEMPLATE \"$(db_name first_copy)\" OWNER \"$(role_name owner)\""
sql_as owner replaced 'CREATE TABLE of_hand (i int)'
recover replaced
status_is 22 'another database has the name of live: broken'
recover replaced "$(run_of)" --restore
status_is 0 'a person says: restore' || diag "$ERR"
is "$(sql replaced "SELECT to_regclass('of_hand') IS NULL")" t 'the backup is live'
second=$(json '.runs[0].kept_database')
isnt "$second" "$kept" 'what was there is kept under another name than what was live first'
is "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname IN ('$kept', '$second')")" 2 'both are there'

done_testing
