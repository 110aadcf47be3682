#!/usr/bin/env bash
# A recover meets what others did meanwhile: another migsafe's migrations, a backup, sessions under the fence.
# test: long
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
# shellcheck source=tests/deploy/dying.sh
. "$ROOT/tests/deploy/dying.sh"
shop_base
export MIGSAFE_REHEARSE=never MIGSAFE_BACKUP_AFTER=off

# --- another container, with journals of its own, has migrated since -----------------------------------------
shop_new since
app_migration "$APP" good_two
die_at post-migrate
deploy since
status_is 137 'killed when its migrations were applied'
dead=$(run_of)
no_hooks
mkdir "$APP/prisma/migrations/20270909000000_more"
echo 'CREATE TABLE "More" (id int PRIMARY KEY)' >"$APP/prisma/migrations/20270909000000_more/migration.sql"
MIGSAFE_STATE_DIR=$T/other deploy since --json
status_is 0 'a migsafe with another state folder migrates further'
recover since
status_is 22 'its migrations are not taken away: a person must decide'
like "$OUT" 'Others have migrated' 'that is told'
is "$(sql since "SELECT count(*) FROM pg_class WHERE relname = 'More'")" 1 'what it migrated is there'
recover since "$dead" --keep
status_is 0 'and is kept'

# --- another migsafe at work, from another maintenance database -----------------------------------------------
db_create elsewhere owner
(sql_as owner elsewhere "SET application_name = 'migsafe:20260101_000000_abcd lock';
	SELECT pg_advisory_lock(('x' || substr(md5('migsafe:$(db_name since)'), 1, 16))::bit(64)::bigint), pg_sleep(60)" \
	>/dev/null 2>&1) &
session=$!
wait_for 20 sleeping_in elsewhere
deploy since --wait-for-other 0
status_is 75 'its lock counts, in whatever database it is'
like "$ERR" '20260101_000000_abcd' 'and it is named'
sql_as owner elsewhere "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid() AND datname = current_database()" >/dev/null
wait "$session"

# --- journals of another server in the same folder --------------------------------------------------------------
shop_new server
app_migration "$APP" good_two
die_at post-migrate
deploy server
status_is 137 'killed when its migrations were applied'
dead=$(run_of)
journal=$BACKUPS/.migsafe/runs/$dead/journal.jsonl
like "$(jq -r 'select(.step == "run" and .event == "begin") | .data.server' "$journal")" '^[0-9]{10,}$' 'the journal has the identity of the server'
sed -i 's/"server":"[0-9]*"/"server":"1234567890"/' "$journal"
no_hooks
recover server
status_is 0 'a run on another server is no business of recover'
like "$ERR" "run $dead .*another server" 'but named'
is "$(jq -rs '.[-1].command' "$journal")" deploy 'and left as it is'
cp "$journal" "$T/journal"
printf '{"v":1,"seq":999,"at":"2026-01-01T00:00:00.000Z","run":"%s","command":"deploy","step":"run","event":"verdict","data":{"verdict":"broken","exit":22}}\n' \
	"$dead" >>"$journal"
deploy server
status_is 0 'nor does one that ended broken there stop a deploy here'
cp "$T/journal" "$journal"
recover server "$dead" --restore
status_is 64 'its backup is not restored over this one'
recover server "$dead" --keep
status_is 0 'a person can close it'

# --- a run whose lock is lost, but that goes on -------------------------------------------------------------------
shop_new alive
app_sql slow <<'SQL'
SELECT pg_sleep(6);
SQL
no_hooks
(cd "$APP" && DATABASE_URL=$(db_url alive owner) MIGSAFE_BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=split \
	exec "$MIGSAFE" deploy --json) >"$T/alive.json" 2>"$T/alive.log" &
pid=$!
wait_for 60 sleeping_in alive
sql_as owner postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'migsafe:$(run_of) lock'" >/dev/null
recover alive
status_is 75 'a run that has lost its lock, but is at work: recover does nothing'
recover alive --dry-run
status_is 75 'nor does it say that it would'
wait "$pid"
is "$?" 0 'and its Prisma was not ended: it migrates' || diag "$(tail -5 "$T/alive.log")"

# --- a run that is not the newest by its name: it waited for that one, or the clock was set back ------------------
shop_new order
app_migration "$APP" good_two
die_at post-migrate
deploy order
status_is 137 'killed when its migrations were applied'
dead=$(run_of)
mkdir "$BACKUPS/.migsafe/runs/29990101_000000_abcd"
jq -c 'select(.step == "run") | .run = "29990101_000000_abcd"' "$BACKUPS/.migsafe/runs/$dead/journal.jsonl" \
	>"$BACKUPS/.migsafe/runs/29990101_000000_abcd/journal.jsonl"
printf '{"v":1,"seq":2,"at":"2026-01-01T00:00:00.000Z","run":"29990101_000000_abcd","command":"deploy","step":"run","event":"verdict","data":{"verdict":"refused","exit":11}}\n' \
	>>"$BACKUPS/.migsafe/runs/29990101_000000_abcd/journal.jsonl"
no_hooks
deploy order
status_is 0 'a deploy with nothing pending'
is "$(jq -r 'select(.event == "verdict") | .data.verdict' "$BACKUPS/.migsafe/runs/$dead/journal.jsonl")" migrated 'finishes the dead run all the same'

# --- a side database that somebody has taken over ------------------------------------------------------------------
dead_in_migrate taken very_slow --rehearse always
sql postgres "ALTER DATABASE \"$(db_list | grep '^taken__migsafe_standby' | sed "s/^/$TEST_PREFIX/")\" RENAME TO \"$(db_name took)\""
recover taken
status_is 20 'its standby has another name now: the backup is restored'
ok "$(db_exists "$(db_name took)" && echo 0 || echo 1)" 'and it is left to whoever renamed it'
db_drop "$(db_name took)"

# --- an expired fence under which a recover goes back ----------------------------------------------------------
read_only() { # NAME: has the database the fence's setting?
	sql postgres "SELECT count(*) FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
		WHERE d.datname = '$(db_name "$1")' AND 'default_transaction_read_only=on' = ANY (s.setconfig)"
}
mark() { # NAME RUN UNTIL: the mark of a fence
	sql postgres "COMMENT ON DATABASE \"$(db_name "$1")\" IS 'migsafe-fence run=$2 until=$3 was=none'"
}
dead_in_migrate expired very_slow --fence on
mark expired "$(run_of)" 2020-01-01T00:00:00.000Z
mkdir -p "$HOOKS/pre-restore"
printf '#!/bin/sh\n>"%s"\nwhile [ ! -e "%s" ]; do sleep 0.1; done\n' "$T/in" "$T/go" >"$HOOKS/pre-restore/wait"
chmod +x "$HOOKS/pre-restore/wait"
(cd "$APP" && DATABASE_URL=$(db_url expired owner) MIGSAFE_BACKUP_DIR=$BACKUPS \
	exec "$MIGSAFE" recover --hooks-dir "$HOOKS") >"$T/recover.log" 2>&1 &
pid=$!
wait_for 60 test -e "$T/in"
migsafe_for expired backup --kind data
status_is 0 'a backup while a recover goes back'
is "$(read_only expired)" 1 'leaves its fence alone'
: >"$T/go"
wait "$pid"
is "$?" 20 'the recover restores'
is "$(read_only expired)" 0 'without the fence'

# --- a fence that is lifted already ------------------------------------------------------------------------------
dead_in_migrate since2 very_slow --fence on
dead=$(run_of)
older 3600
sql since2 "BEGIN READ WRITE; INSERT INTO \"Category\" (slug, name) VALUES ('late', 'late'); COMMIT"
recover since2
status_is 22 'a person must decide'
mark since2 "$dead" 2020-01-01T00:00:00.000Z
migsafe_for since2 backup --kind data
is "$(read_only since2)" 0 'a backup lifts the fence, which has expired'
sql postgres "ALTER DATABASE \"$(db_name since2)\" SET default_transaction_read_only = on"
recover since2 "$dead" --keep
status_is 0 'the person, who has made the database read-only meanwhile, keeps it as it is'
is "$(read_only since2)" 1 'and it stays read-only: that is no fence'

# shellcheck disable=SC2317 # called by wait_for
has_verdict() { grep -q '"event":"verdict"' "$journal"; }
shop_new between
app_migration "$APP" good_two
die_at pre-migrate
deploy between --fence on
status_is 137 'killed under a fence'
journal=$BACKUPS/.migsafe/runs/$(run_of)/journal.jsonl
wait_for 30 has_verdict
# As if the watchdog had lifted it, and had died before it ended the sessions.
jq -cs 'map(select(.step == "migrate"))[0].seq as $seq | .[] | select(.seq < $seq)' "$journal" >"$T/journal"
cp "$T/journal" "$journal"
sql postgres "ALTER DATABASE \"$(db_name between)\" SET default_transaction_read_only = on"
sql_as owner between "SELECT pg_sleep(60)" >/dev/null 2>"$T/session.log" &
session=$!
wait_for 20 sleeping_in between
sql postgres "ALTER DATABASE \"$(db_name between)\" RESET default_transaction_read_only"
no_hooks
recover between
status_is 21 'recover clears up'
ok "$(sleeping_in between && echo 1 || echo 0)" 'and ends sessions that began under a fence that is gone'
wait "$session"

# --- in place: sessions that began under the fence --------------------------------------------------------------
sql postgres "ALTER ROLE \"$(role_name owner)\" NOCREATEDB"
shop_new within
app_migration "$APP" fail_halfway
die_at post-restore
deploy within --fence on
status_is 137 'a way back in place, killed at its end'
journal=$BACKUPS/.migsafe/runs/$(run_of)/journal.jsonl
# As if it had died a moment earlier, when the transaction was committed.
jq -c 'if .step == "fence" and .data.part == "lifted" then empty else . end' "$journal" >"$T/journal"
jq -cs 'map(select(.data.part == "in place")) | .[-1].seq as $seq | $seq' "$journal" >"$T/seq"
jq -c --argjson seq "$(cat "$T/seq")" 'select(.seq <= $seq)' "$T/journal" >"$journal"
sql postgres "ALTER DATABASE \"$(db_name within)\" SET default_transaction_read_only = on"
mark within "$(run_of)" 2099-01-01T00:00:00.000Z
sql_as owner within "SELECT pg_sleep(60)" >/dev/null 2>"$T/session.log" &
session=$!
wait_for 20 sleeping_in within
no_hooks
recover within
status_is 20 'recover finishes it'
is "$(read_only within)" 0 'the fence is lifted'
ok "$(sleeping_in within && echo 1 || echo 0)" 'sessions that began under it, and could not write, are ended'
wait "$session"
done_testing
