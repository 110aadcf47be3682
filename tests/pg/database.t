#!/usr/bin/env bash
# What a database has outside of its dump is carried to another one exactly, or the error says what not.
. "$(dirname "$0")/../lib.sh"

DRIVER=$(dirname "$MIGSAFE")/tests/database_driver
[ -x "$DRIVER" ] || bail "no $DRIVER: run make drivers"
need_server

difference() { # WAS IS -> lines
	"$DRIVER" "$TEST_PGHOST" "$TEST_PGPORT" postgres difference "$(db_name "$1")" "$(db_name "$2")"
}

apply() { # ROLE FROM TARGET: sets RC, OUT
	run "$DRIVER" "$TEST_PGHOST" "$TEST_PGPORT" "$(role_name "$1")" apply "$(db_name "$2")" "$(db_name "$3")"
}

outside() { # DATABASE -> what is outside of a dump, as the catalogs have it; independent of our code
	sql postgres "SELECT pg_get_userbyid(datdba), datacl IS NULL, (SELECT array_agg(x::text ORDER BY x::text) FROM unnest(datacl) x), datconnlimit, shobj_description(d.oid, 'pg_database'), dattablespace,
			(SELECT array_agg(setrole::regrole::text || setconfig::text ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid)
		FROM pg_database d WHERE datname = '$(db_name "$1")'"
}

carried() { # NAME: applies from to target as superuser and looks whether they are the same
	local written
	apply postgres from target
	status_is 0 "$1: is set"
	is "$(difference from target)" "" "$1: no difference is left"
	is "$(outside target)" "$(outside from)" "$1: the catalogs agree"
	written=$(sql postgres "SELECT xmin FROM pg_database WHERE datname = '$(db_name target)'")
	apply postgres from target
	is "$RC $(sql postgres "SELECT xmin FROM pg_database WHERE datname = '$(db_name target)'")" "0 $written" \
		"$1: a second time changes nothing"
}

alter() { # SQL with THEDB for the quoted name of the database
	sql postgres "${1//THEDB/\"$(db_name from)\"}"
}

role_create owner CREATEDB
role_create "odd role, = / x"
role_create a
role_create b
OWNER=\"$(role_name owner)\" A=\"$(role_name a)\" B=\"$(role_name b)\"
ODD=\"$(role_name 'odd role, = / x')\"

# --- property by property, as superuser -----------------------------------------------------------------

db_create from
db_create target
is "$(difference from target)" "" "two new databases do not differ"
apply postgres from target
status_is 0 "nothing to do is done"

alter "ALTER DATABASE THEDB OWNER TO $ODD"
is "$(difference from target)" "owner: postgres, was $(role_name 'odd role, = / x')" "an owner is a difference"
carried "owner"

alter "REVOKE ALL ON DATABASE THEDB FROM PUBLIC; GRANT CONNECT ON DATABASE THEDB TO $A WITH GRANT OPTION; GRANT CREATE, TEMPORARY ON DATABASE THEDB TO $B"
like "$(difference from target)" '^access rights: default, was \{' "rights are a difference"
apply postgres from target
is "$(difference from target)" "" "rights are carried"
sql_as a postgres "GRANT CONNECT ON DATABASE \"$(db_name from)\" TO $B"
like "$(outside from)" "c/$(role_name a)" "(a right was granted by another than the owner)"
carried "rights with a chain of grantors"
alter "REVOKE ALL ON DATABASE THEDB FROM $A CASCADE; REVOKE ALL ON DATABASE THEDB FROM $B; REVOKE ALL ON DATABASE THEDB FROM $ODD"
is "$(sql postgres "SELECT datacl FROM pg_database WHERE datname = '$(db_name from)'")" "{}" "(nobody has any right)"
carried "no rights at all"
alter "GRANT ALL ON DATABASE THEDB TO $ODD; GRANT CONNECT, TEMPORARY ON DATABASE THEDB TO PUBLIC"
apply postgres from target
is "$RC $(difference from target)" "0 " "the default, written out"
db_create plain "odd role, = / x"
apply postgres plain target
is "$RC $(difference plain target)" "0 " "the default, absent, equals it"
sql postgres "REVOKE CONNECT ON DATABASE \"$(db_name target)\" FROM PUBLIC"
apply postgres plain target
is "$RC $(difference plain target)" "0 " "and comes back when PUBLIC was shut out"

alter "COMMENT ON DATABASE THEDB IS E'it''s a\\n\"comment\" \\\\ so'"
like "$(difference from target)" "^comment: none, was it's a" "a comment is a difference"
carried "comment"
alter "COMMENT ON DATABASE THEDB IS NULL"
carried "no comment"

alter "ALTER DATABASE THEDB CONNECTION LIMIT 7"
is "$(difference from target)" "connection limit: -1, was 7" "a connection limit is a difference"
carried "connection limit"

sql from "CREATE SCHEMA \"A, b\"; CREATE SCHEMA \"say \"\"x\"\"\""
alter "ALTER DATABASE THEDB SET search_path = \"A, b\", \"say \"\"x\"\"\", public, \"\$user\";
	ALTER DATABASE THEDB SET work_mem = '64MB'; ALTER DATABASE THEDB SET \"app.Setting\" = 'it''s, \"so\"';
	ALTER DATABASE THEDB SET temp_tablespaces = ''; ALTER DATABASE THEDB SET datestyle = 'SQL, DMY';
	ALTER DATABASE THEDB SET session_preload_libraries = auto_explain, 'a b'; ALTER DATABASE THEDB SET \"TimeZone\" = 'Europe/Berlin'"
is "$(difference from target | wc -l)" 7 "settings are differences"
sql postgres "ALTER DATABASE \"$(db_name target)\" SET statement_timeout = '1s'; ALTER DATABASE \"$(db_name target)\" SET work_mem = '1MB'"
apply postgres from target
status_is 0 "settings: are set"
is "$(difference from target)" "" "settings: no difference is left, what was too much is gone"
is "$(sql postgres "SELECT setconfig::text FROM (SELECT array_agg(s ORDER BY s) AS setconfig, setdatabase FROM pg_db_role_setting, unnest(setconfig) s
	WHERE setrole = 0 AND setdatabase IN (SELECT oid FROM pg_database WHERE datname IN ('$(db_name from)', '$(db_name target)'))
	GROUP BY setdatabase) x GROUP BY setconfig" | wc -l)" 1 "settings: the catalogs agree"
alter "ALTER DATABASE THEDB RESET session_preload_libraries"
apply postgres from target
is "$(sql target 'SHOW search_path') $(sql target "SELECT current_setting('app.Setting')")" \
	"\"A, b\", \"say \"\"x\"\"\", public, \"\$user\" it's, \"so\"" "settings: a session of the target has them"
alter "ALTER DATABASE THEDB SET search_path = ''"
apply postgres from target
is "$RC $(sql target 'SHOW search_path')" '0 ""' "settings: an empty search_path"
alter "ALTER DATABASE THEDB RESET ALL"
carried "no settings"

alter "ALTER ROLE $A IN DATABASE THEDB SET statement_timeout = '5s'; ALTER ROLE $A IN DATABASE THEDB SET search_path = x, \"Y z\";
	ALTER ROLE $ODD IN DATABASE THEDB SET work_mem = '1MB'"
is "$(difference from target | sort | head -n 1)" "setting of a role gone: $(role_name a): search_path=x, \"Y z\"" "settings of roles are differences"
sql postgres "ALTER ROLE $B IN DATABASE \"$(db_name target)\" SET work_mem = '2MB'"
carried "settings of roles"
alter "ALTER ROLE $A IN DATABASE THEDB RESET ALL; ALTER ROLE $ODD IN DATABASE THEDB RESET ALL"
carried "no settings of roles"

mkdir -m 700 "$T/space"
[ "$(id -u)" != 0 ] || { chmod 711 "$T" && chown postgres "$T/space"; }
sql postgres "CREATE TABLESPACE \"${TEST_PREFIX}space\" LOCATION '$T/space'"
alter "ALTER DATABASE THEDB SET TABLESPACE \"${TEST_PREFIX}space\""
is "$(difference from target)" "tablespace: pg_default, was ${TEST_PREFIX}space" "a tablespace is a difference"
carried "tablespace"
alter "ALTER DATABASE THEDB SET TABLESPACE pg_default"
carried "back in the default tablespace"
sql postgres "DROP TABLESPACE \"${TEST_PREFIX}space\""

# No label provider is at hand: the catalog is written directly.
label() { # DATABASE: gives it a security label of a provider that is not there
	psql_as postgres postgres -c 'SET allow_system_table_mods = on' -c "INSERT INTO pg_shseclabel
		SELECT oid, 'pg_database'::regclass, 'nobody', 'a label' FROM pg_database WHERE datname = '$(db_name "$1")'"
}
label from
is "$(difference from target)" "security label gone: nobody: a label" "a security label is a difference"
apply postgres from target
is "$RC" 1 "a label whose provider is not there cannot be set"
like "$OUT" 'could not set the security label of "nobody" of database .*provider "nobody" is not loaded' "which is said"
label target
apply postgres from target
is "$RC $(difference from target)" "0 " "a label that is there already is left alone"
psql_as postgres postgres -c 'SET allow_system_table_mods = on' -c "DELETE FROM pg_shseclabel WHERE provider = 'nobody'"

# --- all of it is set, or nothing ---------------------------------------------------------------------------

db_create from2 owner
sql postgres "COMMENT ON DATABASE \"$(db_name from2)\" IS 'new'; ALTER DATABASE \"$(db_name from2)\" CONNECTION LIMIT 3"
db_create half
label from2
BEFORE=$(outside half)
apply postgres from2 half
is "$RC $(outside half)" "1 $BEFORE" "when one property cannot be set none is"
psql_as postgres postgres -c 'SET allow_system_table_mods = on' -c "DELETE FROM pg_shseclabel WHERE provider = 'nobody'"

# --- as a plain owner with CREATEDB ------------------------------------------------------------------------------

create_as() { # ROLE NAME
	sql_as "$1" postgres "CREATE DATABASE \"$(db_name "$2")\" TEMPLATE template0"
}
create_as owner mine
create_as owner copy
MINE=\"$(db_name mine)\"
sql_as owner postgres "REVOKE ALL ON DATABASE $MINE FROM PUBLIC"
sql_as owner postgres "GRANT CONNECT ON DATABASE $MINE TO $A WITH GRANT OPTION"
sql_as owner postgres "COMMENT ON DATABASE $MINE IS 'mine'"
sql_as owner postgres "ALTER DATABASE $MINE CONNECTION LIMIT 20"
sql_as owner postgres "ALTER DATABASE $MINE SET search_path = public, \"X y\""
sql_as owner postgres "ALTER ROLE $OWNER IN DATABASE $MINE SET work_mem = '3MB'"
apply owner mine copy
status_is 0 "a plain owner carries over what is its own"
is "$(difference mine copy)" "" "plain owner: no difference is left"
is "$(outside copy)" "$(outside mine)" "plain owner: the catalogs agree"
apply owner mine copy
status_is 0 "plain owner: once more"

refused() { # NAME REGEX: apply fails with 42501, and says so
	apply owner mine copy
	is "$RC" 1 "plain owner: $1 is refused"
	like "$OUT" "^42501 could not set $2" "plain owner: $1 is named, with what helps"
}
sql postgres "ALTER DATABASE $MINE SET \"app.custom\" = 'x'"
refused "a setting that only a superuser may make" "setting \"app.custom\" \(ALTER DATABASE .*/ Run GRANT SET ON PARAMETER \"app.custom\" TO"
sql postgres "ALTER DATABASE \"$(db_name copy)\" SET \"app.custom\" = 'x'"
apply owner mine copy
status_is 0 "plain owner: unless it is there already"
sql postgres "ALTER DATABASE $MINE RESET \"app.custom\"; ALTER DATABASE \"$(db_name copy)\" RESET \"app.custom\"; ALTER ROLE $B IN DATABASE $MINE SET work_mem = '1MB'"
refused "a setting of another role" "setting \"work_mem\" \(ALTER ROLE .*the right to alter that role"
sql postgres "ALTER ROLE $B IN DATABASE $MINE RESET work_mem"
sql_as a postgres "GRANT CONNECT ON DATABASE $MINE TO $B"
refused "a right granted by another role" "the access rights of .*could not grant to $B as $A: .*/ Run GRANT $A TO"
sql postgres "GRANT $A TO $OWNER"
apply owner mine copy
is "$RC $(outside copy)" "0 $(outside mine)" "plain owner: a member of that role may"
sql postgres "REVOKE $A FROM $OWNER; ALTER DATABASE $MINE OWNER TO $B"
refused "another owner" "the owner $B of .*/ Run GRANT $B TO the connecting role, which needs CREATEDB"
sql postgres "GRANT $B TO $OWNER"
apply owner mine copy
is "$RC $(sql postgres "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '$(db_name copy)'")" "0 $(role_name b)" \
	"plain owner: a member of that role may give it away"

# --- what is not there -------------------------------------------------------------------------------------------------

apply postgres nothing target
is "$RC" 1 "no such database"
like "$OUT" '^3D000 database ".*nothing" does not exist' "is told by its SQLSTATE"
sql postgres "CREATE DATABASE \"$(db_name icu)\" TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C.UTF-8'"
is "$(difference from icu | grep -c -e 'locale provider: i, was c' -e 'ICU locale: de')" 2 "locales are compared"
apply postgres from icu
is "$RC" 0 "but not set: they are given when a database is created"

done_testing
