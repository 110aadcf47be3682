#!/usr/bin/env bash
# The fence: writes of others are refused from the snapshot to the verdict, nothing of it stays, and who gets
# through is told.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base
role_create other
role_create freed
sql base "GRANT INSERT, SELECT ON \"Category\" TO \"$(role_name other)\", \"$(role_name freed)\";
	GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO \"$(role_name other)\", \"$(role_name freed)\""

outside() { # NAME -> comment and settings of a database
	sql postgres "SELECT coalesce(shobj_description(d.oid, 'pg_database'), '-') || '|' || coalesce((SELECT array_to_string(setconfig, ',')
		FROM pg_db_role_setting WHERE setdatabase = d.oid AND setrole = 0), '-') FROM pg_database d WHERE datname = '$(db_name "$1")'"
}

fenced() { outside "$1" | grep -q '^migsafe-fence run=.* until=.* was=.*'; }
# shellcheck disable=SC2317 # called by wait_for
unfenced() { ! fenced "$1"; }
insert() { # ROLE NAME SLUG [BEGIN]
	sql_as "$1" "$2" "${4-BEGIN}; INSERT INTO \"Category\" (slug, name) VALUES ('$3', 'x'); COMMIT" 2>&1
}

# shellcheck disable=SC2317 # called by wait_for
ended() { journal_of | grep -q '"event":"verdict"'; }
# shellcheck disable=SC2317 # called by wait_for
watchdog_gone() { ! kill -0 "$WATCHDOG"; }

deploy_behind() { # NAME [ARGUMENT...]: sets PID; its output in out.json and log
	local name=$1
	shift
	(cd "$APP" && DATABASE_URL=$(db_url "$name" owner) MIGSAFE_BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=split \
		exec "$MIGSAFE" deploy --json "$@") >"$T/out.json" 2>"$T/log" &
	PID=$!
}

ends_with() { # STATUS NAME
	wait "$PID"
	is $? "$1" "$2" || diag "$(tail -5 "$T/log")"
	OUT=$(cat "$T/out.json") ERR=$(cat "$T/log")
}

# --- a good deploy ---------------------------------------------------------------------------------
shop_new good
sql postgres "ALTER DATABASE \"$(db_name good)\" SET work_mem = '7MB'"
sql postgres "ALTER DATABASE \"$(db_name good)\" SET default_transaction_read_only = 'false'"
sql postgres "COMMENT ON DATABASE \"$(db_name good)\" IS E'the shop\n\n  of ''Zoë'' '"
outside good >"$T/outside"
app_migration "$APP" slow
bg_sql good 'SELECT 1' owner
pooled=$BG
deploy_behind good --fence on
wait_for 60 sleeping_in good || diag "$(cat "$T/log")"
like "$(insert owner good refused)" 'read-only transaction' 'a write of the application is refused while the migration runs'
is "$(sql_as owner good 'SELECT count(*) FROM "Category"')" 60 'reading goes on'
ok "$(bg_alive "$pooled" && echo 1 || echo 0)" 'an idle session of a pool that began before was ended'
bg_sql good 'SELECT 1' owner
late=$BG
like "$(outside good)" "^migsafe-fence run=[0-9a-f_]+ until=[0-9TZ:.-]+ was=false
the shop" 'the mark stands before the comment'
ends_with 0 'Prisma is not hindered: the deploy succeeds'
is "$(outside good)" "$(cat "$T/outside")" 'comment and settings are as before'
is "$(insert owner good after)" '' 'writes go on'
ok "$(bg_alive "$late" && echo 1 || echo 0)" 'a session that began under the fence, and could never write, was ended'
bg_kill "$pooled" "$late"
like "$(json .writes_refused_ms)" '^[3-9][0-9]{3}$|^[0-9]{5,}$' 'the report says how long writes were refused'
is "$(json '.warnings | map(select(test("unfenced"))) | length')" 0 'nothing got through'
is "$(find "$BACKUPS" -name manifest.json -exec jq -c '.database | [.comment, .settings]' {} + | sort -u | wc -l)" 1 'all backups tell the same of the database'
unlike "$(cat "$BACKUPS"/*/manifest.json)" 'migsafe-fence' 'and nothing of the fence'
is "$(journal_of | jq -r 'select(.step == "migrate" and .event == "begin") | .data.fenced')" true 'the journal says that it was fenced'

# --- a rollback; read-only by its own setting before --------------------------------------------------
shop_new back
sql postgres "ALTER DATABASE \"$(db_name back)\" SET default_transaction_read_only = on"
app_migration "$APP" fail_halfway
outside back >"$T/outside"
state_of back >"$T/before"
migsafe_for back deploy --json --fence on --url "$(db_url back owner 'options=-c%20default_transaction_read_only%3Doff')"
status_is 20 'a failing migration under the fence is rolled back'
is "$(outside back)" "$(cat "$T/outside")" 'its own setting is as before, and there is no comment'
unchanged_since "$T/before" back 'the database is as before'
unlike "$(outside "$(json .kept.name)")" 'migsafe-fence' 'nothing of the fence is left on the kept database'
is "$(outside "$(json .kept.name)" | sed 's/.*|//')" 'default_transaction_read_only=on' 'which has its own setting again'
migsafe_for back deploy --json --fence on --again
like "$(json .error.message)" 'read-only transaction' 'Prisma is exempt from the fence, not from a setting of the database itself'
is "$(json '.attempts | length')" 1 'which no further attempt can change'

# --- undone when its mark was overwritten -------------------------------------------------------------------
shop_new marked
app_sql marked <<SQL
COMMENT ON DATABASE "$(db_name marked)" IS 'the migration''s own';
SELECT 1 / 0;
SQL
MODE='split'
migsafe_for marked deploy --json --fence on --gate off
status_is 20 'a migration writes its comment over the mark, and fails'
is "$(outside marked)" '-|-' 'the restored database has neither'
is "$(outside "$(json .kept.name)" | tail -n 1 | sed 's/.*|//')" '-' 'and the replaced one is not read-only'

# --- refused under the fence ----------------------------------------------------------------------------
shop_new refused
app_migration "$APP" good_add_column
sql postgres "COMMENT ON DATABASE \"$(db_name refused)\" IS 'mine'"
outside refused >"$T/outside"
mkdir -p "$T/hooks/pre-migrate"
printf '#!/bin/sh\nexit 1\n' >"$T/hooks/pre-migrate/no"
chmod 0755 "$T/hooks/pre-migrate/no"
migsafe_for refused deploy --fence on --hooks-dir "$T/hooks"
status_is 74 'a hook refuses under the fence'
is "$(outside refused)" "$(cat "$T/outside")" 'the fence is lifted'

# --- who gets through; sessions that cannot be read ------------------------------------------------------
shop_new through
app_migration "$APP" slow
sql postgres "ALTER ROLE \"$(role_name freed)\" SET default_transaction_read_only = off"
bg_sql through 'SELECT 1' other
pooled=$BG
deploy_behind through
wait_for 60 sleeping_in through || diag "$(cat "$T/log")"
fenced through
ok $? 'auto: a session that this role cannot read is reason enough'
ok "$(bg_alive "$pooled" && echo 1 || echo 0)" 'and it was ended'
bg_kill "$pooled"
is "$(insert freed through override)" '' 'a role with its own setting gets through'
is "$(insert other through explicit 'BEGIN READ WRITE')" '' 'so does BEGIN READ WRITE'
ends_with 0 'the deploy succeeds'
like "$(json '.warnings[]')" "role \"$(role_name freed)\" has a default_transaction_read_only of its own" 'preflight names the role'
like "$(json '.warnings[]')" 'pg_monitor' 'and what is missing to see others'
like "$(json '.warnings[]')" 'counts as unfenced: .*table public."Category": 2 rows written' 'what others wrote is told'

# --- auto, with nobody there ---------------------------------------------------------------------------------
shop_new alone
app_migration "$APP" good_add_column
migsafe_for alone deploy --json
status_is 0 'auto, and nobody is connected'
is "$(json .writes_refused_ms)" -1 'there was no fence'
is "$(journal_of | jq -r 'select(.step == "fence" and .event == "note") | .data.why')" 'nobody else is connected' 'the journal says why'

# --- killed under it ----------------------------------------------------------------------------------------
shop_new killed
sql postgres "COMMENT ON DATABASE \"$(db_name killed)\" IS 'mine'"
app_migration "$APP" slow
state_of killed >"$T/before"
deploy_behind killed --fence on
wait_for 60 sleeping_in killed
WATCHDOG=$(pgrep -P "$PID" -x migsafe-fence)
kill -9 "$PID"
{ wait "$PID"; } 2>/dev/null
fenced killed
ok $? 'the fence stands when migsafe is killed, while Prisma is at work'
wait_for 30 unfenced killed
is "$(outside killed)" 'mine|-' 'the watchdog lifts it then'
unchanged_since "$T/before" killed 'and the database is as before'
wait_for 60 grep -q 'is dead and was recovered: restored' "$T/log"
ok $? 'when it has recovered the run, and says so'
is "$(sql killed "SELECT count(*) FROM pg_class WHERE relname = 'Coupon'")" 0 'nothing of the migration is there'
wait_for 30 ended
is "$(journal_of | jq -r 'select(.event == "verdict") | .data.verdict')" restored 'the run has a verdict'
wait_for 10 watchdog_gone
ok $? 'nothing of it is left running'

shop_new late
app_migration "$APP" slow
deploy_behind late --fence on --fence-limit 8s
wait_for 60 sleeping_in late
WATCHDOG=$(pgrep -P "$PID" -x migsafe-fence)
isnt "$WATCHDOG" '' 'the watchdog is a child of migsafe'
kill -INT "$WATCHDOG"
kill -0 "$WATCHDOG"
ok $? 'which heeds no signal of a terminal'
kill -9 "$WATCHDOG"
kill -9 "$PID"
{ wait "$PID"; } 2>/dev/null
fenced late
ok $? 'without a watchdog the fence stays'
sleep 8.1
migsafe_for late backup
status_is 0 'the next command comes by when it has expired'
is "$(outside late)" '-|-' 'and lifts it'
like "$ERR" 'expired at .* and is lifted' 'and says so'
done_testing
