#!/usr/bin/env bash
# What others do beside a deploy, and what was wrong before it, is not blamed on it.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base

# --- findings that existed before ------------------------------------------------------------------
shop_new invalid
sql_as owner invalid "INSERT INTO \"User\" (email, name) SELECT 'dup@example.com', 'x' WHERE false" >/dev/null 2>&1
sql_as owner invalid 'CREATE TABLE twice (v int); INSERT INTO twice VALUES (1), (1)'
psql_as owner invalid -c 'CREATE UNIQUE INDEX CONCURRENTLY twice_v ON twice (v)' >/dev/null 2>&1
is "$(sql invalid "SELECT count(*) FROM pg_index WHERE NOT indisvalid")" 1 'an invalid index exists'
app_migration "$APP" good_add_column
migsafe_for invalid deploy --json
status_is 0 'it does not fail a good deploy'
is "$(json '[.baseline[].rule] | map(select(. == "invalid-index")) | length')" 1 'the report has it as found before'

# --- what real histories bring: rows inserted with their ids leave the sequence behind ---------------------
shop_new behind
app_migration "$APP" good_add_column
cat >>"$(find "$APP/prisma/migrations" -path '*2027*' -name migration.sql)" <<'SQL'
CREATE TABLE "Colour" (id SERIAL PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO "Colour" (id, name) VALUES (1, 'red'), (2, 'green');
SQL
migsafe_for behind deploy --json
status_is 0 'a sequence left behind by inserted ids is no reason to roll back'
is "$(json '[.findings[] | select(.rule == "sequence-behind") | .level] | join(",")')" warning 'it is a warning of the deploy'
migsafe_for behind health
status_is 12 'and an error of health'

# --- rows deleted by another session ------------------------------------------------------------------
shop_new deleted
app_migration "$APP" slow
(
	wait_for 60 sleeping_in deleted
	sql_as owner deleted 'DELETE FROM "AuditLog" WHERE id IN (SELECT id FROM "AuditLog" LIMIT 50)'
) &
MODE='split'
migsafe_for deleted deploy --json
status_is 0 'rows deleted by another session do not roll a deploy back'
wait $! 2>/dev/null
is "$(json '[.findings[] | select(.rule == "rows-lost") | .level] | join(",")')" warning 'they are a warning'
like "$(json '.findings[] | select(.rule == "rows-lost") | .target')" 'AuditLog' 'that names the table'

# --- writes of others are counted when the database is restored -------------------------------------------
shop_new lost
app_migration "$APP" fail_halfway
sed -i 's/^UPDATE .*/SELECT pg_sleep(3);\n&/' "$APP"/prisma/migrations/2027*/migration.sql
(
	wait_for 60 sleeping_in lost
	sql_as owner lost "INSERT INTO \"Category\" (slug, name) SELECT 'late' || i, 'Late' FROM generate_series(1, 7) i"
) &
MODE='split'
migsafe_for lost deploy --json
status_is 20 'a failing deploy while others write is restored'
wait $! 2>/dev/null
is "$(json '.lost_writes[] | select(.table == "Category") | .written')" 7 'what they wrote is counted per table'
kept=$(json .kept.name)
is "$(sql lost "SELECT count(*) FROM \"Category\" WHERE slug LIKE 'late%'")" 0 'the restored database is that of the snapshot'
sql postgres "ALTER DATABASE \"$kept\" ALLOW_CONNECTIONS true"
is "$(sql "$kept" "SELECT count(*) FROM \"Category\" WHERE slug LIKE 'late%'")" 7 'the kept one has their writes'

# --- a failing backup-after ---------------------------------------------------------------------------------
shop_new after
app_migration "$APP" slow
mkdir -p "$T/bin"
ln -s "$TEST_PGBIN"/* "$T/bin/"
(
	wait_for 60 sleeping_in after
	rm "$T/bin/pg_dump"
	# shellcheck disable=SC2016 # for the script
	printf '#!/bin/sh\n[ "$1" = --version ] && exec %s/pg_dump --version\necho "pg_dump: error: disk is full" >&2\nexit 1\n' "$TEST_PGBIN" >"$T/bin/pg_dump"
	chmod +x "$T/bin/pg_dump"
) &
MODE='split'
migsafe_for after deploy --json --pg-bin "$T/bin"
status_is 0 'a failing backup-after leaves exit 0'
wait $! 2>/dev/null
is "$(json .verdict)" migrated 'and the verdict migrated'
like "$(json '.warnings | join(" ")')" 'backup-after' 'with a warning'
like "$ERR" 'warning: .*disk is full' 'in the log too'

# --- Prisma at work on another database than ours --------------------------------------------------------
shop_new ours
sql postgres "CREATE DATABASE \"$(db_name theirs)\" TEMPLATE \"$(db_name base)\" OWNER \"$(role_name owner)\""
app_migration "$APP" good_add_column
cp "$APP/prisma.config.ts" "$T/config.keep"
sed -i "s|connectionString: process.env.DATABASE_URL|connectionString: '$(db_url theirs owner)'|" "$APP/prisma.config.ts"
state_of ours >"$T/before"
migsafe_for ours deploy --json
cp "$T/config.keep" "$APP/prisma.config.ts"
status_is 22 'Prisma that migrates another database than ours: a person must decide'
is "$(json .verdict)" broken 'it is not taken for success'
unchanged_since "$T/before" ours 'our database is as before'

# --- all applied, but not a word of it --------------------------------------------------------------------
shop_new silent
app_migration "$APP" good_add_column
# shellcheck disable=SC2016 # for the script
printf '#!/bin/sh\nnode "%s/node_modules/prisma/build/index.js" "$@" >/dev/null 2>&1\nexit 0\n' "$APP" >"$T/silent"
chmod +x "$T/silent"
state_of silent >"$T/before"
migsafe_for silent deploy --json --prisma "$T/silent"
status_is 20 'exit 0 without the success line is no success, though all is applied'
is "$(json '.attempts[0].class')" unknown 'its class is unknown'
unchanged_since "$T/before" silent 'and the database is as before'

# --- alerts -----------------------------------------------------------------------------------------------
python3 "$ROOT/tests/receiver.py" --port-file "$T/port" --log "$T/hooks" --fail 1 &
receiver=$!
wait_for 10 test -s "$T/port"
shop_new alert
app_migration "$APP" fail_halfway
migsafe_for alert deploy --webhook-url "http://127.0.0.1:$(cat "$T/port")/hook"
status_is 20 'a failing deploy with a receiver'
is "$(tail -n 1 "$T/hooks" | jq -r .body.event)" deploy.restored 'the alert is posted, after a second try'
is "$(wc -l <"$T/hooks")" 2 'two tries were made'
is "$(tail -n 1 "$T/hooks" | jq -r '.body | [.verdict, .exit, .status] | map(tostring) | join(",")')" 'restored,20,failed' 'with verdict and status'
shop_new quiet
app_migration "$APP" good_add_column
migsafe_for quiet deploy --webhook-url "http://127.0.0.1:$(cat "$T/port")/hook"
status_is 0 'a good deploy with a receiver'
is "$(wc -l <"$T/hooks")" 2 'posts nothing'
app_migration "$APP" good_two
migsafe_for quiet deploy --webhook-url "http://127.0.0.1:$(cat "$T/port")/hook" --webhook-on always
is "$(tail -n 1 "$T/hooks" | jq -r .body.event)" deploy.migrated 'unless webhook-on is always'
# A container that restarts again and again: one alert for one refusal, until something is another.
shop_new loop
app_migration "$APP" lose_drop_column
said=$(wc -l <"$T/hooks")
hook="http://127.0.0.1:$(cat "$T/port")/hook"
migsafe_for loop deploy --webhook-url http://127.0.0.1:1/hook
status_is 10 'refused by the gate, with a receiver that is away'
migsafe_for loop deploy --webhook-url "$hook"
is "$(($(wc -l <"$T/hooks") - said))" 1 'so the next run alerts'
sql_as owner loop 'UPDATE "Product" SET description = NULL WHERE id = (SELECT min(id) FROM "Product" WHERE description IS NOT NULL)'
migsafe_for loop deploy --webhook-url "$hook"
status_is 10 'refused again'
like "$ERR" 'no alert: run [0-9_a-f]+ was refused for the same reason' 'without another alert'
migsafe_for loop deploy --webhook-url "$hook"
is "$(($(wc -l <"$T/hooks") - said))" 1 'however often'
app_migration "$APP" lose_truncate
migsafe_for loop deploy --webhook-url "$hook"
is "$(($(wc -l <"$T/hooks") - said))" 2 'other migrations: an alert'
kill "$receiver"
shop_new dead
app_migration "$APP" fail_halfway
migsafe_for dead deploy --webhook-url http://127.0.0.1:1/hook?token=s3cr3t
status_is 20 'a dead receiver does not change the exit status'
like "$ERR" 'warning: .*alert' 'it is a warning'
unlike "$ERR$OUT$(journal_of)" 's3cr3t' 'and its URL is nowhere to be read'
done_testing
