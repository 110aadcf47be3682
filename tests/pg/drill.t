#!/usr/bin/env bash
# The drill tells before anything is done that the way back would fail, and why; it leaves nothing.
. "$(dirname "$0")/../lib.sh"

MIGSAFE_STATE_DIR=$T/state
export DATABASE_URL MIGSAFE_STATE_DIR
export MIGSAFE_WAY_BACK=swap # tests/pg/doctor.t is about the other way

role_create plain "CREATEDB IN ROLE pg_signal_backend, pg_monitor"
role_create other
plain=$(role_name plain)
db_create app plain
DATABASE_URL=$(db_url app plain)
live=$(db_name app)
sql_as plain app "CREATE TABLE \"User\" (id serial PRIMARY KEY, level varchar(9) CHECK (level IN ('low', 'high')));
	CREATE VIEW high AS SELECT id FROM \"User\" WHERE level IN ('high', 'higher');
	CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE EXTENSION hstore; CREATE TABLE parts (at date) PARTITION BY RANGE (at);
	CREATE TABLE part PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
	ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO \"$(role_name other)\""

drill() { # [ARGUMENT...]: sets RC and what it said of the drill
	run "$MIGSAFE" doctor --drill --json "$@"
	SAID=$(jq -r '.checks[] | select(.check == "drill") | "\(.level) \(.message) \(.detail) \(.hint)"' <<<"$OUT")
}

works() { # NAME [ARGUMENT...]
	local name=$1
	drill "${@:2}"
	like "$SAID" '^ok ' "$name"
	nothing_left "$name"
}

fails() { # WORDS HINT NAME [ARGUMENT...]
	local name=$3
	drill "${@:4}"
	isnt "$RC" 0 "$name: doctor fails"
	like "$SAID" "^error .*$1" "$name: what"
	like "$SAID" "$2" "$name: what helps"
	nothing_left "$name"
}

nothing_left() { # NAME
	is "$(db_list | grep __migsafe_)$(ls -A "$MIGSAFE_STATE_DIR")" "" "$1: nothing is left"
}

works "a plain owner with CREATEDB"
works "a superuser as admin-url" --admin-url "$(db_url app)"
if [ "$(sql postgres 'SHOW server_version_num')" -ge 140000 ]; then
	sql postgres "ALTER ROLE \"$plain\" SET idle_session_timeout = '100ms'"
	works 'no time limit of the role ends a session that waits for its turn'
	sql postgres "ALTER ROLE \"$plain\" RESET idle_session_timeout"
fi

# --- rights ---------------------------------------------------------------------------------------

sql postgres "ALTER ROLE \"$plain\" NOCREATEDB"
fails 'may not create or rename databases' "ALTER ROLE \"$plain\" CREATEDB" "without CREATEDB"
works "which admin-url has" --admin-url "$(db_url app)"
sql postgres "ALTER ROLE \"$plain\" CREATEDB"

sql postgres "REVOKE pg_signal_backend FROM \"$plain\""
works "without pg_signal_backend while nobody else is there"
bg_sql app 'SELECT 1' other
fails "of role \"$(role_name other)\"" "GRANT pg_signal_backend TO \"$plain\"" "without pg_signal_backend beside another role"
works "which admin-url has" --admin-url "$(db_url app)"
bg_kill "$BG"
sql postgres "GRANT pg_signal_backend TO \"$plain\""

# --- what the restoring role may not make -----------------------------------------------------------

sql app 'CREATE EXTENSION file_fdw'
fails 'permission denied to create extension "file_fdw"' 'admin-url' "an untrusted extension"
works "which admin-url may create" --admin-url "$(db_url app)"
sql app 'DROP EXTENSION file_fdw'

sql app "CREATE TABLE foreign_owner (a int); ALTER TABLE foreign_owner OWNER TO \"$(role_name other)\";
	GRANT SELECT ON foreign_owner TO \"$plain\""
fails "must be (member of role|able to SET ROLE) \"$(role_name other)\".*foreign_owner" 'admin-url' "a table of another owner"
works "which admin-url may give away" --admin-url "$(db_url app)"
sql app "REVOKE SELECT ON foreign_owner FROM \"$plain\""
fails 'could not dump the schema.*permission denied for table foreign_owner' 'give role' "a table that may not even be read"
sql app 'DROP TABLE foreign_owner'

sql app "CREATE FUNCTION quiet() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
	ALTER FUNCTION quiet() OWNER TO \"$plain\"; CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION quiet()"
fails 'permission denied to create event trigger "watch"' 'admin-url' "an event trigger"
works "which admin-url may create" --admin-url "$(db_url app)"
sql app 'DROP EVENT TRIGGER watch'

# --- properties of the database ---------------------------------------------------------------------

sql postgres "COMMENT ON DATABASE \"$live\" IS 'mine'"
sql postgres "REVOKE TEMPORARY ON DATABASE \"$live\" FROM PUBLIC"
sql_as plain app "ALTER DATABASE \"$live\" SET search_path = public"
sql_as plain app "ALTER DATABASE \"$live\" CONNECTION LIMIT 50"
works "settings, rights, comment and limit of one's own"
sql postgres "ALTER DATABASE \"$live\" SET log_min_messages = 'notice'"
fails 'log_min_messages' 'GRANT SET ON PARAMETER "log_min_messages"' "a setting of a superuser"
works "which admin-url may set" --admin-url "$(db_url app)"
sql postgres "ALTER DATABASE \"$live\" RESET log_min_messages"
works "without it"

# What live has dropped of template0 comes back with a new database, unless the dump says otherwise.
sql app "DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION \"$plain\""
works "a public schema of one's own"

# --- stopped, and names ---------------------------------------------------------------------------------

# A lock holds the drill's pg_dump.
sql_as plain app "CREATE TABLE held (a int)"
bg_sql app "BEGIN; LOCK TABLE held" plain
"$MIGSAFE" doctor --drill >"$T/out" 2>&1 &
pid=$!
dumping() {
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$live' AND wait_event_type = 'Lock'")" = 1 ]
}
wait_for 20 dumping
ok $? "the drill is under way"
isnt "$(db_list | grep -c __migsafe_drill_)" 0 "its database is there"
kill -TERM "$pid"
wait "$pid"
nothing_left "stopped by a signal"
bg_kill "$BG"

db_create 'Odd-Name.of+a_database_that_goes_on_and_on_to_the_li' plain
DATABASE_URL="$(db_url 'Odd-Name.of+a_database_that_goes_on_and_on_to_the_li' plain)"
works "a long and odd name"
done_testing
