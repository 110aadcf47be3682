#!/usr/bin/env bash
# The way in, with the real server: passwords, the caller's PG* variables, options, child programs.
. "$(dirname "$0")/../lib.sh"
need_server
db_create app

password='p@ss:w/o\r"d #%'\''+&=?'
encoded=$(jq -rn --arg p "$password" '$p | @uri')
role_create needs_password "PASSWORD '${password//\'/\'\'}'"
url=$(db_url app "needs_password:$encoded")

line() { # LEVEL NAME -> the messages of the last doctor
	jq -r --arg l "$1" --arg n "$2" '.checks[] | select(.level == $l and .check == $n) | .message' <<<"$OUT"
}

# Everything libpq would believe is set wrong.
export PGPASSWORD=wrong PGHOST=/nowhere PGPORT=1 PGUSER=nobody PGDATABASE=none PGSSLMODE=verify-full \
	PGSERVICE=none PGPASSFILE=/dev/null PGHOSTADDR=203.0.113.1 PGOPTIONS='-c nonsense=1' PGCONNECT_TIMEOUT=1 \
	PGREQUIREPEER=nobody PGSSLROOTCERT=/nonexistent PGGSSENCMODE=require PGTARGETSESSIONATTRS=standby
run env DATABASE_URL="$url" "$MIGSAFE" wait
status_is 0 "our session: the URL alone counts"
run env DATABASE_URL="$url" "$MIGSAFE" doctor --json
is "$(line ok server | grep -c '^PostgreSQL')" 1 "doctor: session"
is "$(line ok tools | tail -n 1)" "psql logs in as needs_password" "a child finds its way: environment and password file"
unlike "$OUT$ERR" 'p@ss' "the password does not show"
unset PGPASSWORD PGHOST PGPORT PGUSER PGDATABASE PGSSLMODE PGSERVICE PGPASSFILE PGHOSTADDR PGOPTIONS \
	PGCONNECT_TIMEOUT PGREQUIREPEER PGSSLROOTCERT PGGSSENCMODE PGTARGETSESSIONATTRS

run env TMPDIR="$T/none" DATABASE_URL="$url" "$MIGSAFE" doctor --json
is "$(line ok tools | tail -n 1)" "psql logs in as needs_password" "no folder for temporary files is needed"

# The URL's own options are kept, in our sessions and in children's.
role_create other
sql app "GRANT \"$(role_name other)\" TO needs_password"
run env DATABASE_URL="$url&options=-c%20role%3D$(role_name other)" "$MIGSAFE" doctor --json
like "$(line warning role | head -n 1)" "^role $(role_name other) may not create" "options: our session"
is "$(line ok tools | tail -n 1)" "psql logs in as $(role_name other)" "options: a child"
run env DATABASE_URL="$url&options=-c+role%3D$(role_name other)" "$MIGSAFE" doctor --json
like "$(line warning role | head -n 1)" "^role $(role_name other) may not create" "options with + for a blank, as Prisma reads it"

# What Prisma ignores or means otherwise is no error.
run "$MIGSAFE" wait --url "$(db_url app postgres 'schema=x&connection_limit=1&pool_timeout=0&socket_timeout=3&sslaccept=strict&foo=bar')"
status_is 0 "parameters of Prisma"
like "$ERR" 'warning: sslaccept=strict' "what cannot be had is a warning"
run "$MIGSAFE" wait --url "$(db_url app postgres 'sslmode=verify-full')"
status_is 0 "sslmode=verify-full is prefer, as in Prisma"
like "$ERR" 'warning: .*sslmode=verify-full' "with a warning"
run "$MIGSAFE" wait --wait 0 --url "postgresql://postgres@localhost:$TEST_PGPORT/$(db_name app | sed 's/_/%5F/g')?host=$TEST_PGHOST"
status_is 69 "the database's name is not decoded, as in Prisma"
like "$ERR" 'database ".*%5F.*" does not exist' "so there is none"

run "$MIGSAFE" wait --url "postgresql://postgres@localhost:$TEST_PGPORT/$(db_name app)?host=$(jq -rn --arg p "$TEST_PGHOST" '$p | @uri')"
status_is 0 "host=, encoded"
done_testing
