#!/usr/bin/env bash
# What refuses a deploy, and that nothing is changed then; the fast path.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base
shop_new shop
app_migration "$APP" good_add_column
state_of shop >"$T/before"

refused() { # STATUS PATTERN NAME, after migsafe_for
	status_is "$1" "$3"
	like "$ERR" "$2" "$3: it says why"
	unchanged_since "$T/before" shop "$3: nothing changed"
}

mv "$APP/prisma/migrations" "$T/aside"
migsafe_for shop deploy
refused 66 'migrations' 'no migrations folder'
mv "$T/aside" "$APP/prisma/migrations"

migsafe_for shop deploy --url "$(db_url shop owner pgbouncer=true)"
refused 11 'pooler' 'a pooled URL'
like "$ERR" 'direct' 'a pooled URL: with the way out'

migsafe_for shop deploy --backup-dir /proc/nowhere
refused 71 'could not' 'a backup folder that cannot be made'

mkdir "$T/nothing"
migsafe_for shop deploy --pg-bin "$T/nothing"
refused 74 'pg_dump' 'no pg_dump'


# --- rights -----------------------------------------------------------------------------------------
sql postgres "ALTER ROLE \"$(role_name owner)\" NOCREATEDB"
migsafe_for shop deploy --way-back swap
refused 11 'way back' 'a role without CREATEDB'
like "$ERR" 'CREATEDB' 'a role without CREATEDB: what to grant'
like "$ERR" 'admin-url' 'a role without CREATEDB: or admin-url'
migsafe_for shop deploy --admin-url "$(db_url shop postgres)" --json
status_is 0 'with admin-url it works'
sql postgres "ALTER ROLE \"$(role_name owner)\" CREATEDB"

# --- an untrusted extension -------------------------------------------------------------------------
shop_new ext
app_migration "$APP" good_add_column
sql ext 'CREATE EXTENSION file_fdw'
migsafe_for ext deploy --way-back swap
status_is 11 'an untrusted extension is refused in preflight'
like "$ERR" 'file_fdw' 'and named'
is "$(sql ext 'SELECT count(*) FROM _prisma_migrations')" 12 'nothing was migrated'
no_side_databases ext 'no side database is left by the drill'

# --- too few connections for the way back ---------------------------------------------------------------
sql ext 'DROP EXTENSION file_fdw'
sql postgres "ALTER ROLE \"$(role_name owner)\" CONNECTION LIMIT 4"
migsafe_for ext deploy --jobs 2
status_is 69 'a role with too few connections is refused in preflight'
like "$ERR" 'there would be no way back.*hint: Raise the limit of the role.*lower "jobs"' 'with what helps'
sql postgres "ALTER ROLE \"$(role_name owner)\" CONNECTION LIMIT -1"
no_side_databases ext 'nothing is left by the drill'

# --- a failed row, an earlier run without an end ------------------------------------------------------
shop_new failed
app_migration "$APP" good_add_column
sql failed "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '20240708093355_x')"
migsafe_for failed deploy
status_is 10 'a failed row in the ledger is refused'
like "$ERR" 'P3009' 'with what Prisma would say'

shop_new torn
app_migration "$APP" good_add_column
mkdir -p "$BACKUPS/.migsafe/runs/20260101_000000_aaaa"
printf '{"v":1,"seq":1,"at":"2026-01-01T00:00:00.000Z","run":"20260101_000000_aaaa","command":"deploy","step":"run","event":"begin","data":{"database":"%s"}}\n{"v":1,"seq":2,"at":"2026-01-01T00:00:01.000Z","run":"20260101_000000_aaaa","command":"deploy","step":"migrate","event":"begin","data":{}}\n' \
	"$(db_name torn)" >"$BACKUPS/.migsafe/runs/20260101_000000_aaaa/journal.jsonl"
migsafe_for torn deploy
status_is 0 'an earlier run without an end, in which nothing had happened, is ended first'
like "$ERR" '20260101_000000_aaaa.*migrate' 'its state is named'

# --- another session holds Prisma's own lock -----------------------------------------------------------
shop_new foreign
app_migration "$APP" good_add_column
bg_sql foreign 'SELECT pg_advisory_lock(72707369)' owner
migsafe_for foreign deploy --wait-for-other 1s
status_is 75 "a foreign holder of Prisma's lock is waited for, then refused"
like "$ERR" 'migration lock' 'and named'
ok "$(bg_alive "$BG"; echo $?)" 'it is not ended'
bg_kill "$BG"
is "$(sql foreign "SELECT count(*) FROM _prisma_migrations")" 12 'nothing was migrated'

# --- two at once --------------------------------------------------------------------------------------
shop_new two
app_migration "$APP" slow
(cd "$APP" && DATABASE_URL=$(db_url two owner) MIGSAFE_BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=split "$MIGSAFE" deploy) >"$T/first.log" 2>&1 &
first=$!
wait_for 60 grep -q 'step 4' "$T/first.log"
migsafe_for two deploy --wait-for-other 0
status_is 75 'a second deploy at the same time is refused'
like "$ERR" 'another run' 'and says so'
migsafe_for two deploy --wait-for-other 2min
status_is 0 'one that waits finds nothing left to do'
like "$OUT" 'nothing to do' 'and says so'
wait "$first"
is $? 0 'the first one has done it'

# --- the fast path: 300 applied migrations --------------------------------------------------------------
shop_new many
for i in $(seq 300); do
	folder=$APP/prisma/migrations/2027010100$(printf '%04d' "$i")_many
	mkdir "$folder"
	printf 'SELECT %d;\n' "$i" >"$folder/migration.sql"
	printf "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ('%s', '%s', '%s', now(), 1);\n" \
		"many-$i" "$(sha256sum "$folder/migration.sql" | cut -d' ' -f1)" "$(basename "$folder")"
done | sql many
best=100000
for _ in 1 2 3 4 5; do
	start=$(date +%s%N)
	migsafe_for many deploy
	took=$((($(date +%s%N) - start) / 1000000))
	[ "$took" -lt "$best" ] && best=$took
done
status_is 0 'nothing pending among 312 migrations'
diag "best of five: $best ms"
[ "$best" -lt 5000 ] # the best of several, and generous: sanitizers take five times as long
ok $? 'the whole process takes less than node would to start; a generous limit, the figure is told'
done_testing
