#!/usr/bin/env bash
# The throw-away server, the database helpers and the fingerprint of a database do what they promise.
# shellcheck disable=SC2016 # inner shells expand
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

PATH=$TEST_PGBIN:$PATH

# The server.
is "$(sql postgres 'SHOW wal_level')" logical "logical slots can be made"
is "$(sql postgres 'SHOW listen_addresses')" "" "nobody else can reach it"
is "$(stat -c %a "$TEST_PGHOST" "$TEST_PGHOST/data" | tr '\n' ' ')" "755 700 " "socket folder open, data closed"
run "$ROOT/scripts/with-cluster.sh" sh -c 'echo "$TEST_PGHOST"; exit 7'
is "$RC $OUT" "7 $TEST_PGHOST" "an outer server is used again, the status comes back"
DATABASE_URL=x PGHOST=x MIGSAFE_GATE=x run "$ROOT/scripts/with-cluster.sh" env
unlike "$OUT" $'(^|\n)(DATABASE_URL|PGHOST|MIGSAFE_GATE)=' "settings of the caller are hidden"
for signal in INT TERM KILL; do
	rm -f place
	env -u TEST_PGHOST --default-signal=INT "$ROOT/scripts/with-cluster.sh" \
		bash -c 'echo "$TEST_PGHOST" >place.new; mv place.new place; exec sleep 30' 2>/dev/null &
	cluster=$!
	wait_for 30 test -s place
	place=$(cat place)
	sleeper=$(pgrep -P "$cluster" -x sleep)
	[ -d "$place" ]
	ok $? "a server of its own"
	kill "-$signal" "$cluster"
	wait "$cluster" 2>/dev/null
	wait_for 10 test ! -e "$place"
	ok $? "SIG$signal leaves no folder behind"
	[ "$signal" != KILL ] || kill "$sleeper"
	run kill -0 "$sleeper"
	[ "$signal" = KILL ] || isnt "$RC" 0 "SIG$signal ends the command"
done

# Databases, roles, sessions.
role_create owner
role_create secret "PASSWORD 'right' IN ROLE password_users"
db_create app owner
is "$(sql postgres "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = '$(db_name app)'")" \
	"$(role_name owner)" "a database with an owner"
run psql -XAtc 'SELECT current_database(), current_user' "$(db_url app secret:right connect_timeout=5)"
is "$OUT" "$(db_name app)|$(role_name secret)" "a URL with user, password and options"
run psql -XAtc 'SELECT 1' "$(db_url app secret:wrong)"
isnt "$RC" 0 "a wrong password is refused"
run sql app 'CREATE TABLE t (a int); SELECT 1/0'
isnt "$RC" 0 "sql fails when SQL does"

sql app 'CREATE TABLE t (a int)'
bg_sql app 'BEGIN; LOCK TABLE t'
run sql app "SET lock_timeout = '100ms'; SELECT * FROM t"
like "$ERR" 'lock timeout' "a session in the background holds its lock"
waiter=$BG
bg_sql app 'SELECT 1'
bg_send "$BG" 'SELECT count(*) FROM t'
run wait_for 0 bg_settled "$BG"
is "$RC" 1 "another waits for it"
bg_kill "$waiter"
run wait_for 5 bg_settled "$BG"
is "$RC" 0 "until it is ended"
bg_alive "$BG"
ok $? "a session answers"
sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$(db_name app)'" >/dev/null
bg_alive "$BG"
is $? 1 "an ended one does not"

# What a test leaves is dropped, however it clings.
cat >inner.t <<END
#!/usr/bin/env bash
. '$ROOT/tests/lib.sh'
role_create r
db_create d r
sql d "CREATE TABLE t (a int)"
sql d "SELECT pg_create_logical_replication_slot('slot_\$\$', 'test_decoding')"
sql d "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'prepared_\$\$'"
sql d "CREATE SUBSCRIPTION s CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)" 2>/dev/null
sql postgres "CREATE DATABASE \"\$(db_name d)__migsafe_kept_1\" ALLOW_CONNECTIONS false"
bg_sql d 'BEGIN; SELECT 1'
echo "\$TEST_PREFIX"
pass here
done_testing
END
chmod +x inner.t
run ./inner.t
status_is 0 "a test that leaves much"
prefix=$(grep '^inner_' <<<"$OUT")
is "$(sql postgres "SELECT count(*) FROM pg_database WHERE starts_with(datname, '$prefix')")" 0 "no database stays"
is "$(sql postgres "SELECT count(*) FROM pg_roles WHERE starts_with(rolname, '$prefix')")" 0 "no role stays"

# The fingerprint.
print() { # DB FILE
	"$ROOT/scripts/db-fingerprint.sh" "$(db_name "$1")" >"$2"
}

sql app 'CREATE TABLE wide (id serial PRIMARY KEY, name text, at timestamptz, n double precision, b bytea);
	CREATE SCHEMA "Other"; CREATE TABLE "Other"."T x" (a int)'
sql app "INSERT INTO wide (name, at, n, b) SELECT md5(i::text), 'epoch', i / 7.0, '\\x00ff' FROM generate_series(1, 70000) i"
start=$(date +%s%N)
print app before
ok $? "a fingerprint"
took=$((($(date +%s%N) - start) / 1000000))
[ $took -lt 60000 ]
ok $? "of 70,000 rows, without hanging ($took ms)"
print app again
cmp -s before again
ok $? "the same state gives the same text"
db_drop copy
sql postgres "CREATE DATABASE \"$(db_name copy)\" TEMPLATE \"$(db_name app)\" OWNER \"$(role_name owner)\""
print copy again
run diff before again
is "$OUT" "" "the name of the database does not matter"
sql app "ALTER DATABASE \"$(db_name app)\" SET datestyle = 'SQL'"
sql app "ALTER DATABASE \"$(db_name app)\" RESET datestyle"
sql app 'UPDATE wide SET name = name WHERE id < 100'
print app again
cmp -s before again
ok $? "nor does the order of rows"

db=\"$(db_name app)\"
while IFS='|' read -r what change; do
	print app before
	sql app "$change" >/dev/null
	print app after
	cmp -s before after
	is $? 1 "seen: $what"
done <<END
one value|UPDATE wide SET n = n + 1 WHERE id = 5
NULL for an empty text|UPDATE wide SET name = NULL WHERE id = 6
a row|INSERT INTO "Other"."T x" VALUES (1)
a row twice|INSERT INTO "Other"."T x" VALUES (1)
a sequence|SELECT nextval('wide_id_seq')
a sequence called|SELECT setval('wide_id_seq', (SELECT last_value FROM wide_id_seq), false)
a column|ALTER TABLE t ADD x int
a grant|GRANT SELECT ON t TO "$(role_name owner)"
an owner|ALTER TABLE t OWNER TO "$(role_name owner)"
a comment|COMMENT ON TABLE t IS 'x'
a large object|SELECT lo_from_bytea(0, 'x')
the owner of the database|ALTER DATABASE $db OWNER TO postgres
its grants|GRANT CREATE ON DATABASE $db TO "$(role_name owner)"
its comment|COMMENT ON DATABASE $db IS 'x'
its connection limit|ALTER DATABASE $db CONNECTION LIMIT 5
its settings|ALTER DATABASE $db SET work_mem = '5MB'
settings of a role|ALTER ROLE "$(role_name owner)" IN DATABASE $db SET work_mem = '6MB'
END
run "$ROOT/scripts/db-fingerprint.sh" nowhere
isnt "$RC" 0 "no such database is an error"

done_testing
