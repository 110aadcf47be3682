#!/usr/bin/env bash
# wait: a database that comes late is waited for, one that never will let us in is not.
. "$(dirname "$0")/../lib.sh"
need_server
db_create app

run "$MIGSAFE" wait --url "$(db_url app)"
status_is 0 "the database is there"
like "$OUT" "^$(db_name app) at $TEST_PGHOST:$TEST_PGPORT answers after " "and is named"
run env DATABASE_URL="$(db_url app)" "$MIGSAFE" wait --json
status_is 0 "wait --json"
is "$(jq -r '.database, (.server_version >= 120000), .attempts, (.waited_ms | type)' <<<"$OUT" | paste -sd' ')" \
	"$(db_name app) at $TEST_PGHOST:$TEST_PGPORT true 1 number" "its document"

said_to_wait() { grep -q 'waiting for it' "$T/.err"; } # the run in front

# A server that is not there yet: its socket appears a second after that was noticed.
mkdir late
(wait_for 20 said_to_wait && sleep 1 && ln -s "$TEST_PGHOST/.s.PGSQL.$TEST_PGPORT" "$T/late/.s.PGSQL.$TEST_PGPORT") &
url="postgresql://postgres@localhost:$TEST_PGPORT/$(db_name app)?host=$T/late"
run "$MIGSAFE" wait --json --wait 30s --url "$url"
status_is 0 "a server that comes late"
[ "$(jq .waited_ms <<<"$OUT")" -ge 800 ] && [ "$(jq .attempts <<<"$OUT")" -ge 2 ]
ok $? "was waited for"
like "$ERR" 'info: .*waiting for it up to 30' "which was said, once"
is "$(grep -c 'waiting for it' <<<"$ERR")" 1 "and only once"

# No free slot: waited for as well.
role_create one "CONNECTION LIMIT 1"
bg_sql app 'SELECT 1' one
run "$MIGSAFE" wait --json --wait 1s --url "$(db_url app one)"
status_is 69 "a role without a free connection"
like "$(jq -r .error.hint <<<"$OUT")" '^Raise the limit of the role' "may be given more"
(wait_for 20 said_to_wait && sleep 1 && kill "${BG_PID[$BG]}") &
run "$MIGSAFE" wait --json --wait 30s --url "$(db_url app one)"
status_is 0 "a role with one that comes free"
[ "$(jq .attempts <<<"$OUT")" -ge 2 ]
ok $? "was waited for"

refused() { # NAME URL WORDS SQLSTATE [HINT]
	local started=$SECONDS
	run "$MIGSAFE" wait --json --wait 60s --url "$2"
	status_is 69 "$1"
	like "$ERR" "$3" "$1: the reason"
	[ -z "${5-}" ] || like "$(jq -r .error.hint <<<"$OUT")" "$5" "$1: what helps"
	[ $((SECONDS - started)) -le 30 ]
	ok $? "$1: not waited for"
	is "$(jq -r .error.sqlstate <<<"$OUT")" "$4" "$1: SQLSTATE"
}
role_create needs_password "PASSWORD 'right'"
role_create outside
role_create nologin
sql postgres "ALTER ROLE \"$(role_name nologin)\" NOLOGIN"
sql app "REVOKE CONNECT ON DATABASE \"$(db_name app)\" FROM PUBLIC"
refused "wrong password" "$(db_url app needs_password:wrong)" 'password authentication failed' 28P01 'written %2F, %3F'
refused "no password" "$(db_url app needs_password)" 'no password supplied' 28P01 'into the URL'
refused "no such database" "$(db_url none)" 'does not exist' 3D000 'makes no database'
refused "no such role" "$(db_url app nobody)" 'does not exist' 28000
refused "a role that may not log in" "$(db_url app nologin)" 'not permitted to log in' 28000
refused "a role that may not use the database" "$(db_url app outside)" 'permission denied for database' 42501

run "$MIGSAFE" wait --wait 1s --url "postgresql://u:s3cretpw@127.0.0.1:1/d"
status_is 69 "nobody listens"
like "$ERR" 'no answer within 1.0 s: could not connect to d at 127.0.0.1:1: .*Connection refused' "with the last error"
is "$(grep -c '^migsafe: error' <<<"$ERR")" 1 "shown once"
unlike "$OUT$ERR" s3cretpw "without the password"
run "$MIGSAFE" wait --wait 0 --url "postgresql://u@127.0.0.1:1/d"
status_is 69 "--wait 0 tries once"
unlike "$ERR" 'no answer within' "and has not waited"
run "$MIGSAFE" wait --wait 1s --url "postgresql://u@no-such-host.invalid/d"
status_is 69 "no such host"

"$MIGSAFE" wait --wait 60s --url "postgresql://u@127.0.0.1:1/d" 2>/dev/null &
pid=$!
heeds_term() { [ $((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$pid/status") & 0x4000)) != 0 ]; }
wait_for 20 heeds_term
kill -TERM "$pid"
wait "$pid"
is "$?" 130 "ended by a signal"
done_testing
