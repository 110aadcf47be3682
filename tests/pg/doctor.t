#!/usr/bin/env bash
# doctor: what is fit for work and what is not, with the exit status of the first error; changes nothing.
. "$(dirname "$0")/../lib.sh"
need_server
db_create app

# A project that is as it should be, so that what fails here is what is tested here.
mkdir -p prisma/migrations/20260101000000_init node_modules/prisma/build
cat >prisma/schema.prisma <<'END'
datasource db {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}
END
echo 'SELECT 1;' >prisma/migrations/20260101000000_init/migration.sql
echo '{"name": "prisma", "version": "6.19.3", "bin": {"prisma": "build/index.js"}}' >node_modules/prisma/package.json
: >node_modules/prisma/build/index.js
echo '{}' >package.json

levels() { # -> "check:level" of the last run, one line, of the checks of this file
	jq -r '.checks[] | "\(.check):\(.level)"' <<<"$OUT" |
		grep -E '^(settings|url|pooler|server|role|tools|maintenance|backup-dir|state-dir|disk):' | sort -u | paste -sd' '
}

files=$(find . | sort)
before=$(sql postgres "SELECT count(*) FROM pg_database WHERE starts_with(datname, '$(db_name app)')"; sql app "SELECT txid_current_if_assigned() IS NULL, count(*) FROM pg_class")
run "$MIGSAFE" doctor --url "$(db_url app)"
status_is 0 "all is well"
unlike "$OUT" '^(error|warning)' "nothing but ok"
like "$OUT" 'ok +server +PostgreSQL [0-9]' "the server's version"
like "$OUT" 'ok +url +.*\(url, from option\)' "where the URL comes from"
like "$OUT" "ok +tools +[^ ]*/pg_dump, [^ ]*/pg_restore, [^ ]*/psql" "the programs"
is "$(find . | sort)" "$files" "no file or folder was made"
is "$(sql postgres "SELECT count(*) FROM pg_database WHERE starts_with(datname, '$(db_name app)')"; sql app "SELECT txid_current_if_assigned() IS NULL, count(*) FROM pg_class")" \
	"$before" "nothing was made on the server"
is "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$(db_name app)' AND application_name LIKE 'migsafe%'")" 0 \
	"no session stays"
run "$MIGSAFE" doctor --json --url "$(db_url app)"
status_is 0 "doctor --json"
is "$(jq -r '.ok, .errors, .warnings' <<<"$OUT" | paste -sd' ')" "true 0 0" "its document"
is "$(levels)" "backup-dir:ok disk:ok maintenance:ok role:ok server:ok settings:ok state-dir:ok tools:ok url:ok" "its checks"

# --- rights
role_create app
sql postgres "ALTER DATABASE \"$(db_name app)\" OWNER TO postgres"
run "$MIGSAFE" doctor --json --url "$(db_url app app)"
status_is 0 "a role without rights: the way back is in place then"
is "$(jq '[.checks[] | select(.check == "role" and .level == "warning")] | length' <<<"$OUT")" 4 "four warnings"
like "$OUT" 'one transaction in the database itself' "what it would be"
sql app "GRANT ALL ON SCHEMA public TO \"$(role_name app)\""
run "$MIGSAFE" doctor --json --drill --url "$(db_url app app)"
status_is 11 "--drill, where neither way is open"
like "$(jq -r '.checks[-1] | .level + " " + .detail' <<<"$OUT")" '^error In place neither: ' "both are named"
sql postgres "ALTER DATABASE \"$(db_name app)\" OWNER TO \"$(role_name app)\""
run "$MIGSAFE" doctor --json --drill --url "$(db_url app app)"
status_is 0 "--drill, in place"
like "$(jq -r '.checks[-1] | .check + " " + .level + " " + .message' <<<"$OUT")" \
	'^drill warning no swap is possible, but a way back in the database itself, with .* locks: role ' "says so"
sql postgres "ALTER DATABASE \"$(db_name app)\" OWNER TO postgres"
export MIGSAFE_WAY_BACK=swap
run "$MIGSAFE" doctor --json --url "$(db_url app app)"
status_is 11 "a role without rights, where a swap is asked for"
is "$(jq '[.checks[] | select(.check == "role" and .level == "error")] | length' <<<"$OUT")" 2 "may not create, does not own"
is "$(jq '[.checks[] | select(.check == "role" and .level == "warning")] | length' <<<"$OUT")" 2 "may not end, may not see"
like "$OUT" 'ALTER ROLE .*CREATEDB' "advice"
run "$MIGSAFE" doctor --json --url "$(db_url app app)" --admin-url "$(db_url postgres)"
status_is 0 "admin-url has them"
sql postgres "ALTER ROLE \"$(role_name app)\" CREATEDB"
sql postgres "ALTER DATABASE \"$(db_name app)\" OWNER TO \"$(role_name app)\""
run "$MIGSAFE" doctor --json --url "$(db_url app app)"
status_is 0 "with the rights granted; the rest are warnings"
is "$(jq .warnings <<<"$OUT")" 2 "two of them"
sql postgres "GRANT pg_signal_backend, pg_monitor TO \"$(role_name app)\""
run "$MIGSAFE" doctor --json --url "$(db_url app app)"
is "$(jq .warnings <<<"$OUT")" 0 "none with pg_signal_backend and pg_monitor"
# Rights by membership in the owner, but CREATEDB is not inherited.
role_create member "IN ROLE \"$(role_name app)\""
run "$MIGSAFE" doctor --json --url "$(db_url app member)"
is "$(jq -r '.checks[] | select(.level == "error") | .message' <<<"$OUT")" \
	"role $(role_name member) may not create databases, which a rollback needs" "a member of the owner"
unset MIGSAFE_WAY_BACK

# --- URL
run "$MIGSAFE" doctor --json
status_is 78 "no URL"
is "$(levels)" "backup-dir:ok disk:ok settings:ok state-dir:ok url:error" "what needs no server is checked all the same"
run "$MIGSAFE" doctor --json --url "mysql://x"
status_is 78 "a URL of another system"
run "$MIGSAFE" doctor --json --url "$(db_url app)" --admin-url "postgres://adm@elsewhere.example/x"
status_is 78 "admin-url of another server"
run "$MIGSAFE" doctor --json --url "$(db_url app postgres pgbouncer=true)"
status_is 11 "pooled"
like "$OUT" 'DIRECT_URL' "advice"
run "$MIGSAFE" doctor --json --url "$(db_url app postgres pgbouncer=true)" --direct-url "$(db_url app)"
status_is 0 "direct-url helps"
like "$OUT" 'direct-url, from option' "and is what counts"

# --- connection
run "$MIGSAFE" doctor --json --url "postgres://u@127.0.0.1:1/x"
status_is 69 "no server"
is "$(jq -r .errors <<<"$OUT")" 1 "one error, not one for each check"
run "$MIGSAFE" doctor --json --url "$(db_url none)"
status_is 69 "no such database"
role_create needs_password "PASSWORD 'right'"
run "$MIGSAFE" doctor --json --url "$(db_url app needs_password:wrongpw)"
status_is 69 "wrong password"
unlike "$OUT$ERR" wrongpw "which does not show"
run "$MIGSAFE" doctor --json --url "$(db_url app)" --admin-url "$(db_url app nobody)"
status_is 69 "admin-url that cannot log in"

# --- maintenance database
run "$MIGSAFE" doctor --json --url "$(db_url postgres)"
like "$OUT" 'database \\"template1\\" can be used' "live is postgres: template1"
run "$MIGSAFE" doctor --json --url "$(db_url app)" --maintenance-database "$(db_name app)"
status_is 78 "maintenance-database is live"
run "$MIGSAFE" doctor --json --url "$(db_url app)" --maintenance-database "$(db_name none)"
status_is 69 "maintenance-database that is not there"
db_create work
run "$MIGSAFE" doctor --json --url "$(db_url app)" --maintenance-database "$(db_name work)"
status_is 0 "maintenance-database by setting"
like "$OUT" "database \\\\\"$(db_name work)\\\\\" can be used" "is used"

# --- programs
mkdir bin
run "$MIGSAFE" doctor --json --url "$(db_url app)" --pg-bin bin
status_is 74 "pg-bin without programs"
like "$OUT" 'postgresql-client-' "names the package"
printf '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.1"\n' >bin/pg_dump
ln -s "$TEST_PGBIN/pg_restore" "$TEST_PGBIN/psql" bin/
chmod +x bin/pg_dump
run "$MIGSAFE" doctor --json --url "$(db_url app)" --pg-bin bin
status_is 74 "pg_dump of another version"
like "$OUT" '9\.6\.1' "which is said"
run "$MIGSAFE" doctor --json --url "$(db_url app)" --pg-bin "$TEST_PGBIN"
status_is 0 "pg-bin with the right ones"

# --- folders
: >file
run "$MIGSAFE" doctor --json --url "$(db_url app)" --backup-dir file/below
status_is 71 "backup-dir below a file"
run "$MIGSAFE" doctor --json --url "$(db_url app)" --state-dir file
status_is 71 "state-dir is a file"
mkdir -m 0755 open
run "$MIGSAFE" doctor --json --url "$(db_url app)" --backup-dir open
status_is 0 "a folder open to others"
is "$(jq -r '.checks[] | select(.level == "warning") | .check' <<<"$OUT")" backup-dir "is a warning"
if [ "$(id -u)" != 0 ]; then
	mkdir -m 0500 closed
	run "$MIGSAFE" doctor --json --url "$(db_url app)" --backup-dir closed/x
	status_is 71 "a folder that may not be written"
fi

# --- several errors: the status is the first one's
run "$MIGSAFE" doctor --url "postgres://u@127.0.0.1:1/x" --state-dir file
status_is 69 "no server and no folder"
like "$ERR" 'error: 2 errors found' "are counted"
done_testing
