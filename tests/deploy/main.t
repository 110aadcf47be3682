#!/usr/bin/env bash
# The main job with a real Prisma: good, failing and losing migrations; what is restored equals what was.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base

# --- the history from an empty database -----------------------------------------------------------
db_create empty owner
BACKUPS=$T/backups_empty
migsafe_for empty deploy --json
status_is 0 'the whole history is deployed to an empty database'
is "$(json .verdict)" migrated 'its verdict is migrated'
is "$(json '.migrations | length')" 12 'its report has all twelve migrations'
is "$(sql empty 'SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL')" 12 'the ledger has them'

# --- a good migration -----------------------------------------------------------------------------
shop_new good
app_migration "$APP" good_add_column
migsafe_for good deploy --json
status_is 0 'a good migration is deployed'
is "$(json .exit)" 0 'the report says 0'
is "$(json '.attempts | length')" 1 'one attempt was made'
is "$(json '[.backups[].kind] | sort | join(",")')" 'data,full,full' 'a full and a data backup before, a full one after'
is "$(journal_of | jq -r 'select(.step == "health" and .event == "done") | .event')" 'done' 'the commit point is journaled'
no_side_databases good 'no side database is left'
like "$(find "$BACKUPS" -name manifest.json | wc -l)" '^3$' 'three backups are there'
migsafe_for good deploy
status_is 0 'a second deploy has nothing to do'
like "$OUT" 'nothing to do' 'and says so'
is "$(find "$BACKUPS/.migsafe/runs" -mindepth 1 -maxdepth 1 | wc -l)" 1 'it leaves no run folder'

# --- failing half-way, in both ways that Prisma runs a file ------------------------------------------
for mode in split whole; do
	shop_new "half_$mode"
	sql postgres "ALTER DATABASE \"$(db_name "half_$mode")\" SET work_mem = '7MB'" \
		"COMMENT ON DATABASE \"$(db_name "half_$mode")\" IS 'the shop'" 2>/dev/null ||
		sql postgres "ALTER DATABASE \"$(db_name "half_$mode")\" SET work_mem = '7MB'"
	sql postgres "COMMENT ON DATABASE \"$(db_name "half_$mode")\" IS 'the shop'"
	sql postgres "GRANT CONNECT ON DATABASE \"$(db_name "half_$mode")\" TO pg_monitor"
	app_migration "$APP" fail_halfway
	state_of "half_$mode" >"$T/before"
	MODE=$mode
	migsafe_for "half_$mode" deploy --json
	status_is 20 "$mode: a migration that fails half-way ends with 20"
	is "$(json .verdict)" restored "$mode: restored"
	is "$(json '.attempts | length')" 1 "$mode: a permanent error is not tried again"
	like "$(json .error.message)" 'division by zero' "$mode: the report has the first error"
	kept=$(json .kept.name)
	ok "$(db_exists "$kept" && echo 0 || echo 1)" "$mode: the replaced database is kept under the name in the report"
	like "$(json .kept.drop)" "DROP DATABASE" "$mode: with the command that drops it"
	unchanged_since "$T/before" "half_$mode" "$mode: rows, schema, owner, rights and settings are as before"
	no_side_databases "half_$mode" "$mode: no side database is left"
	migsafe_for "half_$mode" deploy
	status_is 21 "$mode: the same migrations are refused at once"
	like "$ERR" 'would fail again' "$mode: and it says why"
done
migsafe_for half_whole deploy --again
status_is 20 '--again tries them all the same'

# --- succeeding, but losing values: what a gate that only warns, or does not see it, leaves to health ------
for case in lose_rename:renamed-column lose_drop_column:drop-column lose_truncate:rows-lost null_out:values-lost; do
	name=${case%%:*} rule=${case#*:}
	shop_new "$name"
	app_migration "$APP" "$name"
	state_of "$name" >"$T/before"
	migsafe_for "$name" deploy --json --gate warn
	status_is 20 "$name: ends with 20"
	is "$(json "[.findings[] | select(.level == \"error\") | .rule] | unique | join(\",\")")" "$rule" "$name: found by health as $rule"
	unchanged_since "$T/before" "$name" "$name: the database is as before"
done

# --- loss that is meant ---------------------------------------------------------------------------
shop_new allowed
app_migration "$APP" allowed_drop
migsafe_for allowed deploy
status_is 0 'a drop that the migration itself allows is deployed'
shop_new by_flag
app_migration "$APP" lose_drop_column
migsafe_for by_flag deploy --dry-run
status_is 0 'a dry run tells the plan'
like "$OUT" 'refused by the gate' 'and what the gate says of it'
is "$(sql by_flag "SELECT count(*) FROM _prisma_migrations")" 12 'and changes nothing'
ok "$([ ! -e "$BACKUPS" ] && echo 0 || echo 1)" 'not even a folder'
done_testing
