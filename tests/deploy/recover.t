#!/usr/bin/env bash
# A deploy or a restore killed at its turning points: the next recover, or deploy, finishes or undoes it.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
# shellcheck source=tests/deploy/dying.sh
. "$ROOT/tests/deploy/dying.sh"
shop_base
export MIGSAFE_REHEARSE=never MIGSAFE_BACKUP_AFTER=off

# --- killed before Prisma was started ---------------------------------------------------------------------
shop_new early
app_migration "$APP" good_add_column
state_of early >"$T/before"
die_at pre-migrate
deploy early
status_is 137 'killed in the pre-migrate hook'
recover early --dry-run
status_is 0 'a dry run says what would be done'
is "$(json '.runs[0].verdict')" unchanged 'that nothing was changed'
is "$(journal_of | jq -rs '.[-1].command')" deploy 'and writes nothing'
run_folder=$(find "$BACKUPS/.migsafe/runs" -mindepth 1 -maxdepth 1 -type d)
touch "$run_folder/migrations.json.tmp4711"
recover early
status_is 21 'recover: unchanged'
unchanged_since "$T/before" early 'the database is as before'
is "$(report_of '"\(.verdict) \(.recovered) \(.exit)"')" 'unchanged true 21' 'the report of the run says so'
is "$(find "$run_folder" -name '*.tmp*')" '' 'what was being written when it died is removed'
recover early
status_is 0 'there is nothing more to recover'
deploy early --json
status_is 0 'and the next deploy migrates'

# --- killed when every migration was applied: forward --------------------------------------------------------
shop_new applied
app_migration "$APP" good_two
die_at post-migrate
deploy applied
status_is 137 'killed in the post-migrate hook'
migsafe_for applied status
like "$OUT" 'migsafe recover' 'status names what to do'
is "$(journal_of | jq -rs '.[-1].command')" deploy 'and does nothing'
rm -rf "$APP"/prisma/migrations/2027*
MIGSAFE_BACKUP_AFTER=on recover applied
status_is 0 'all applied: recover goes forward, whatever the folder holds by now'
is "$(json '.runs[0].verdict')" migrated 'its verdict is migrated'
is "$(journal_of | jq -r 'select(.step == "health" and .event == "done") | .command')" recover 'the commit point is journaled by it'
is "$(report_of '[.backups[].kind] | sort | join(",")')" 'data,full,full' 'the backup after it is taken'

shop_new losing
app_migration "$APP" lose_drop_column
state_of losing >"$T/before"
die_at post-migrate
deploy losing --gate warn
status_is 137 'killed when a losing migration was applied'
recover losing
status_is 20 'health finds it: recover goes back'
unchanged_since "$T/before" losing 'the database is as before'
no_side_databases losing 'no side database is left'
deploy losing --gate warn
status_is 21 'the same migrations are refused at once'

# --- killed in the middle of a migration: back, by the next deploy -----------------------------------------------
shop_new middle
app_migration "$APP" very_slow
state_of middle >"$T/before"
no_hooks
(cd "$APP" && DATABASE_URL=$(db_url middle owner) MIGSAFE_BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=split \
	exec "$MIGSAFE" deploy) >"$T/log" 2>&1 &
pid=$!
wait_for 60 sleeping_in middle
kill -9 "$pid"
wait "$pid" 2>/dev/null
app_forget "$APP" very_slow
app_migration "$APP" good_add_column
die_at pre-restore
deploy middle
status_is 137 'the recover of the next deploy is killed too'
die_at post-restore
deploy middle
status_is 137 'and the one after it, when it has swapped'
no_hooks
deploy middle --json
status_is 0 'the third finishes it, and migrates what is there now'
like "$ERR" 'is at its end: restored' 'it says so'
no_side_databases middle 'no side database is left'
dead=$(find "$BACKUPS/.migsafe/runs" -mindepth 1 -maxdepth 1 | sort | head -n 1)
is "$(jq -r '.verdict + " " + .command' "$dead/report.json")" 'restored deploy' 'the report of the run that died says restored'
kept=$(jq -r .kept.name "$dead/report.json")
ok "$(db_exists "$kept" && echo 0 || echo 1)" 'what was half migrated is kept'
is "$(sql middle "SELECT count(*) FROM pg_class WHERE relname = 'Coupon'")" 0 'nothing of the killed migration is there'

# --- with a standby of the rehearsal; in place ---------------------------------------------------------------------
dead_in_migrate stood slow --rehearse always
recover stood
status_is 20 'killed in the migration, with a standby: restored'
like "$(journal_of | jq -r 'select(.step == "swap" and .event == "done") | .data.side')" '__migsafe_standby_' 'the standby is swapped in'
is "$(sql stood "SELECT count(*) FROM pg_class WHERE relname = 'Coupon' OR relname = 'User'")" 1 'nothing of the migration is there'
no_side_databases stood 'no side database is left'

sql postgres "ALTER ROLE \"$(role_name owner)\" NOCREATEDB"
shop_new within
app_migration "$APP" fail_halfway
state_of within >"$T/before"
for at in pre-restore post-restore; do
	die_at $at
	deploy within --again
	status_is 137 "in place: killed in the $at hook"
	recover within
	status_is 20 'restored'
	unchanged_since "$T/before" within 'the database is as before'
done
sql postgres "ALTER ROLE \"$(role_name owner)\" CREATEDB"

# --- a restore -------------------------------------------------------------------------------------------------------
shop_new restored
migsafe_for restored backup --kind full --json
id=$(json '.backups[0].id')
for at in pre-restore post-restore; do
	die_at $at
	migsafe_for restored restore "$id" --yes --hooks-dir "$HOOKS"
	status_is 137 "a restore killed in the $at hook"
	recover restored
	case $at in
	pre-restore) status_is 21 'not swapped: unchanged' ;;
	*) status_is 0 'swapped: restored' ;;
	esac
	no_side_databases restored 'no side database is left'
done
die_at pre-restore
migsafe_for restored restore "$id" --data-only --replace --yes --hooks-dir "$HOOKS"
recover restored
status_is 21 'a restore of rows that had not begun: unchanged'
die_at post-restore
migsafe_for restored restore "$id" --data-only --replace --yes --hooks-dir "$HOOKS"
recover restored
status_is 0 'one that had committed: restored'
done_testing
