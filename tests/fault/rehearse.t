#!/usr/bin/env bash
# The rehearsal where something is in its way: a restored database that cannot be copied, and a
# standby that cannot be swapped in.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
export MIGSAFE_REHEARSE=auto
RUN_TIMEOUT=300
shop_base
sql postgres "CREATE ROLE \"$(role_name guest)\" LOGIN SUPERUSER"

guest() { # DATABASE SECONDS: a session that the deploy may not end
	PGAPPNAME=guest psql -Xqc "SELECT pg_sleep($2)" -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U "$(role_name guest)" -d "$1"
}

# --- no copy: rehearsed on the restored one ----------------------------------------------------------
shop_new alone
app_migration "$APP" good_add_column
(
	for _ in $(seq 400); do
		name=$(sql postgres "SELECT datname FROM pg_database WHERE datname LIKE '$(db_name alone)\_\_migsafe\_standby%'")
		[ -n "$name" ] && break
		sleep 0.02
	done
	guest "$name" 20
) >/dev/null 2>&1 &
guest=$!
migsafe_for alone deploy --json
status_is 0 'a restored database that cannot be copied is rehearsed on itself'
is "$(json .rehearsal.done)" true 'it was rehearsed'
like "$(json .rehearsal.no_standby)" 'being accessed' 'and why there was no standby'
sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'guest'" >/dev/null
wait "$guest"

# --- the limit passes, what reaches past the copy -----------------------------------------------------
shop_new limit
app_migration "$APP" good_add_column
state_of limit >"$T/before"
migsafe_for limit deploy --json --rehearse always --rehearse-limit 20ms
status_is 11 'always: the limit that passes refuses'
like "$(json .error.message)" 'rehearse-limit' 'and names it'
unchanged_since "$T/before" limit 'production is untouched'
no_side_databases limit 'no side database is left'

shop_new global
app_sql role <<'SQL'
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'migsafe_no_such') THEN PERFORM 'CREATE ROLE migsafe_no_such'; END IF;
END $$;
SQL
migsafe_for global deploy --json
status_is 0 'what reaches past the database is not rehearsed'
like "$(json .rehearsal.why)" 'CREATE ROLE' 'and says which words'

# --- before a fence that it would outlast ----------------------------------------------------------------
shop_new ahead
app_migration "$APP" good_add_column
migsafe_for ahead deploy --json --fence on --fence-limit 1500ms
status_is 0 'a rehearsal that would outlast the fence does not keep a deploy from its end'
is "$(json .rehearsal.done)" true 'it was made'
is "$(journal_of | jq -rs '[.[] | select(.step == "rehearse" and .data.part == "measured" or .step == "fence" and .event == "begin") | .step] | join(",")')" \
	rehearse,fence 'before the fence'
is "$(json '[.backups[] | select(.kind == "full")] | length')" 2 'the backup that counts is a fresh one'
is "$(find "$BACKUPS" -name manifest.json -path '*_full*' | wc -l)" 3 'beside that of the rehearsal'
like "$(json .rehearsal.no_standby)" 'before the fence' 'so there was no standby'
no_side_databases ahead 'no side database is left'

shop_new ahead_bad
app_migration "$APP" fail_first
state_of ahead_bad >"$T/before"
migsafe_for ahead_bad deploy --json --fence on --fence-limit 1500ms
status_is 10 'what fails there is refused before there is a fence'
is "$(journal_of | jq -r 'select(.step == "fence") | .event')" '' 'no fence was set'
unchanged_since "$T/before" ahead_bad 'production is untouched'
no_side_databases ahead_bad 'no side database is left'

# --- killed while the standby is there -----------------------------------------------------------------------
shop_new killed
app_sql killed <<SQL
CREATE TABLE "Killed" (a int);
DO \$\$ BEGIN
  IF current_database() = '$(db_name killed)' THEN PERFORM pg_sleep(60); END IF;
END \$\$;
SQL
MODE='split'
state_of killed >"$T/before"
(
	cd "$APP" && exec env DATABASE_URL="$(db_url killed owner)" MIGSAFE_BACKUP_DIR="$BACKUPS" MIGRATION_SCRIPT=split \
		"$MIGSAFE" deploy >/dev/null 2>&1
) &
victim=$!
wait_for 60 sleeping_in killed
kill -9 "$victim"
wait "$victim" 2>/dev/null
migsafe_for killed recover --json
status_is 20 'a deploy that was killed in production is undone by recover'
like "$ERR" 'standby' 'by the standby'
is "$(journal_of | jq -r 'select(.step == "rollback" and .event == "note" and .data.part == "create") | .data.part')" '' 'nothing was restored again'
unchanged_since "$T/before" killed 'the database is as before'
no_side_databases killed 'no side database is left'

# --- a standby that cannot be swapped in stays -----------------------------------------------------------
shop_new stuck
app_sql stuck <<SQL
CREATE TABLE "Stuck" (a int);
DO \$\$ BEGIN
  IF current_database() = '$(db_name stuck)' THEN PERFORM pg_sleep(3); RAISE EXCEPTION 'only here'; END IF;
END \$\$;
SQL
MODE='split'
(
	wait_for 60 sleeping_in stuck
	guest "$(db_name stuck)" 120
) >/dev/null 2>&1 &
guest=$!
migsafe_for stuck deploy --json
status_is 22 'a swap that stays impossible leaves it to a person'
standby=$(journal_of | jq -r 'select(.step == "rollback" and .event == "begin") | .data.standby')
ok "$(db_exists "$standby" && echo 0 || echo 1)" 'the standby is still there'
like "$(json '.warnings | join(" ")')" 'standby .* stays' 'and the report says so'
is "$(sql postgres "SELECT datallowconn FROM pg_database WHERE datname = '$standby'")" f 'closed, so that nobody writes into it'
sql postgres "ALTER DATABASE \"$standby\" ALLOW_CONNECTIONS true"
is "$(sql "$standby" 'SELECT count(*) FROM "User"')" "$(sql base 'SELECT count(*) FROM "User"')" 'with the rows of the backup'
sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'guest'" >/dev/null
wait "$guest"

done_testing
