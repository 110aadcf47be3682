#!/usr/bin/env bash
# deploy.sh: the four cases that it is for - a good migration, one that fails, one that loses data, no
# database - and what docker can do to it. docker is a recorder; PostgreSQL, Prisma and migsafe are real.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
# shellcheck source=tests/ways/project.sh
. "$ROOT/tests/ways/project.sh"
project_base
MODE='split'

# --- 1: a good migration ----------------------------------------------------------------------------
project_new good
app_migration "$APP" good_add_column
deploy_sh
status_is 0 'good: deployed'
steps_are 1-8 'good: eight steps are announced, in their order'
calls_are 'good: and done in that order' 'migsafe gate' 'docker compose stop web worker' 'docker compose build' \
	'docker compose up -d db' 'migsafe wait' 'migsafe deploy' 'docker compose up -d' 'migsafe health --after-deploy'
is "$(sql good 'SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL')" 13 'good: the migration is applied'
is "$(containers | grep -cE ':(web|worker) 2 running 0$')" 2 'good: the application runs on the new images'
deploy_sh
status_is 0 'good: once more'
like "$OUT" 'nothing to do' 'good: there is nothing to migrate then'
is "$(containers | grep -c running)" 3 'good: and all runs'

# --- 2: failing half-way ----------------------------------------------------------------------------
project_new half
app_migration "$APP" fail_halfway
state_of half >"$T/before"
deploy_sh
status_is 20 'failing: 20'
steps_are 1-6 'failing: it stops in step 6'
calls_are 'failing: then the old containers are started' 'migsafe gate' 'docker compose stop web worker' 'docker compose build' \
	'docker compose up -d db' 'migsafe wait' 'migsafe deploy' 'docker compose start web worker'
old_containers_are_back failing
unchanged_since "$T/before" half 'failing: rows, schema and settings are as before'
like "$ERR" 'database was restored' 'failing: it says what became of the database'
like "$ERR" 'migsafe report' 'failing: and where the report is'
deploy_sh
status_is 21 'failing: again, it is refused at once'
old_containers_are_back 'failing again'

# --- 3: losing data -----------------------------------------------------------------------------------
project_new lose
app_migration "$APP" lose_drop_column
state_of lose >"$T/before"
deploy_sh
status_is 10 'losing: the gate refuses'
steps_are 1-1 'losing: in step 1'
calls_are 'losing: nothing was stopped' 'migsafe gate'
is "$(containers)" "$(cat "$T/containers")" 'losing: the containers are what they were'
like "$ERR" 'nothing was stopped' 'losing: it says so'
unchanged_since "$T/before" lose 'losing: so is the database'
deploy_sh --dry-run
status_is 10 'losing: a dry run ends with 10, too'
steps_are 1-8 'losing: but tells all steps'
is "$(containers)" "$(cat "$T/containers")" 'losing: and stops nothing'
: >"$RECORDER/log"
deploy_sh -- --gate warn
unlike "$OUT" 'gate warn' 'losing, gate warn: values of options are not printed, they may be secrets'
status_is 20 'losing, gate warn: health finds it, 20'
steps_are 1-6 'losing, gate warn: in step 6'
calls_are 'losing, gate warn: the old containers are started' 'migsafe gate' 'docker compose stop web worker' \
	'docker compose build' 'docker compose up -d db' 'migsafe wait' 'migsafe deploy' 'docker compose start web worker'
old_containers_are_back 'losing, gate warn'
unchanged_since "$T/before" lose 'losing, gate warn: the database is as before'

# --- 4: the database is away --------------------------------------------------------------------------
project_new away
app_migration "$APP" good_add_column
deploy_sh DATABASE_URL="postgresql://owner@localhost:1/away?host=$TEST_PGHOST" -- --wait 1s
status_is 69 'database away: 69'
steps_are 1-5 'database away: it stops in step 5'
calls_are 'database away: the old containers are started' 'docker compose stop web worker' 'docker compose build' \
	'docker compose up -d db' 'migsafe wait' 'docker compose start web worker'
old_containers_are_back 'database away'

# --- migsafe in a container of its own ------------------------------------------------------------------
project_new inside
echo migrate >"$RECORDER/profiled"
app_migration "$APP" good_add_column
deploy_sh MIGSAFE='docker compose run --rm -T migrate'
status_is 0 'docker compose run: deployed'
steps_are 1-8 'docker compose run: in eight steps'
is "$(grep -vE 'docker (info|inspect)|compose (version|config|ps|--profile)' "$RECORDER/log" | sed 's/docker compose //; s/run --rm -T migrate/MIGSAFE/')" \
	"$(printf '%s\n' 'MIGSAFE wait --wait 0' 'MIGSAFE settings' 'MIGSAFE gate' 'stop web worker' build 'build migrate' 'up -d db' \
		'MIGSAFE wait' 'MIGSAFE deploy' 'up -d' 'MIGSAFE health --after-deploy')" 'docker compose run: its service is built too, though its profile is not active'
is "$(sql inside 'SELECT count(*) FROM _prisma_migrations')" 13 'docker compose run: the migration is applied'

# --- 22: a person must decide ---------------------------------------------------------------------------
project_new ours
sql postgres "CREATE DATABASE \"$(db_name theirs)\" TEMPLATE \"$(db_name base)\" OWNER \"$(role_name owner)\""
app_migration "$APP" good_add_column
cp "$APP/prisma.config.ts" "$T/config.keep"
sed -i "s|connectionString: process.env.DATABASE_URL|connectionString: '$(db_url theirs owner)'|" "$APP/prisma.config.ts"
deploy_sh
cp "$T/config.keep" "$APP/prisma.config.ts"
status_is 22 'broken: 22'
is "$(calls | tail -n 1)" 'migsafe deploy' 'broken: nothing is started'
is "$(containers | grep -c 'exited')" 2 'broken: the old containers are down'
like "$ERR" 'nothing is started' 'broken: it says so'
like "$ERR" 'docker start old-web old-worker' 'broken: and how they would be started'

# --- migsafe killed outright: nobody has undone what it did ----------------------------------------------
project_new killed
app_migration "$APP" slow
(
	wait_for 60 sleeping_in killed
	kill -KILL "$(cat "$T/migsafe.pid")"
) &
# shellcheck disable=SC2016 # for the script
printf '#!/bin/sh\n[ "$1" != deploy ] || echo $$ >"%s"\nexec migsafe "$@"\n' "$T/migsafe.pid" >"$T/traced"
chmod +x "$T/traced"
deploy_sh MIGSAFE="$T/traced"
wait $! 2>/dev/null
status_is 22 'migsafe killed in the middle: 22'
is "$(containers | grep -c 'exited')" 2 'migsafe killed: nothing is started'

done_testing
