#!/usr/bin/env bash
# deploy.sh where docker is missing or fails, and what its options and signals do. docker is a recorder;
# PostgreSQL, Prisma and migsafe are real.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
# shellcheck source=tests/ways/project.sh
. "$ROOT/tests/ways/project.sh"
project_base
MODE='split'

# --- the command line ---------------------------------------------------------------------------------
project_new words
deploy_sh --help
status_is 0 '--help'
for word in --pull --no-build --dry-run --project-dir --env-file MIGSAFE COMPOSE DB_SERVICE APP_SERVICES HEALTH_TIMEOUT; do
	like "$OUT" " $word " "--help tells of $word"
done
deploy_sh --bluid
status_is 64 'an unknown option: 64'
like "$ERR" 'unknown option: --bluid' 'it is named'
deploy_sh now
status_is 64 'an unknown word: 64'
deploy_sh HEALTH_TIMEOUT=0
status_is 78 'a variable that makes no sense: 78'
deploy_sh DB_SERVICE=base
status_is 78 'a database service that compose does not know: 78'
like "$ERR" 'no service "base"' 'it is named'
deploy_sh -- --no-such-option
status_is 64 'an unknown option of migsafe: 64, before anything is stopped'
deploy_sh MIGSAFE=no-such-program
status_is 74 'no migsafe: 74'
like "$ERR" 'no-such-program' 'it is named'
is "$(containers)" "$(cat "$T/containers")" 'all these left the containers as they were'

# --- a dry run ----------------------------------------------------------------------------------------
project_new dry
app_migration "$APP" good_add_column
state_of dry >"$T/before"
deploy_sh --dry-run --pull
status_is 0 '--dry-run'
steps_are 1-8 '--dry-run: all eight steps'
for command in 'git pull --ff-only' 'docker compose stop web worker' 'docker compose build' 'docker compose up -d db' 'migsafe wait' \
	'migsafe deploy' 'docker compose up -d' 'migsafe health --after-deploy'; do
	like "$OUT" "would run: $command"$'\n' "--dry-run: would run $command"
done
like "$OUT" 'good_add_column' "--dry-run: migsafe's plan names the migration"
calls_are '--dry-run: nothing else was called' 'migsafe gate' 'migsafe deploy --dry-run'
is "$(containers)" "$(cat "$T/containers")" '--dry-run: the containers are what they were'
unchanged_since "$T/before" dry '--dry-run: so is the database'
ok "$([ ! -e "$BACKUPS" ]; echo $?)" '--dry-run: no backup folder'

# --- docker is not there, or does not answer ----------------------------------------------------------
project_new none
app_migration "$APP" good_add_column
mkdir -p "$T/without"
for program in /usr/bin/* /bin/* "$TEST_PGBIN"/* "$T/bin/migsafe" "$(command -v node)"; do
	case ${program##*/} in docker*) ;; *) ln -sf "$program" "$T/without/" ;; esac
done
deploy_sh PATH="$T/without"
status_is 0 'no docker: deployed all the same'
steps_are 1-8 'no docker: eight steps are announced'
is "$(printf '%s\n' "$OUT" | grep -c 'skipped: there is no docker here')" 4 'no docker: four say that they are skipped, and why'
is "$(sql none 'SELECT count(*) FROM _prisma_migrations')" 13 'no docker: the migration is applied'
calls_are 'no docker: the others are done' 'migsafe gate' 'migsafe wait' 'migsafe deploy' 'migsafe health --after-deploy'
echo info >"$RECORDER/fail"
deploy_sh
status_is 0 'docker info fails: deployed all the same'
is "$(printf '%s\n' "$OUT" | grep -c 'skipped: .docker info. fails')" 4 'docker info fails: four steps are skipped'
is "$(containers)" "$(cat "$T/containers")" 'docker info fails: no container was touched'
rm "$RECORDER/services" "$RECORDER/fail"
deploy_sh
is "$RC$(printf '%s\n' "$OUT" | grep -c 'skipped: there is no compose file')" 04 'no compose file: skipped, too'
printf '%s\n' web worker >"$RECORDER/services"
echo 'compose config' >"$RECORDER/fail"
deploy_sh
status_is 74 'a compose file that cannot be read: 74, nothing is migrated past it'
is "$(containers)" "$(cat "$T/containers")" 'a compose file that cannot be read: nothing was stopped'

# --- steps of docker that fail --------------------------------------------------------------------------
back_after() { # CALL LAST-STEP: when it fails, the old containers are back and nothing is migrated
	rm -rf "$RECORDER/c/"* && printf '%s 1 running 0\n' db >"$RECORDER/c/old-db"
	printf '%s 1 running 0\n' web >"$RECORDER/c/old-web"
	printf '%s 1 running 0\n' worker >"$RECORDER/c/old-worker"
	echo "$1" >"$RECORDER/fail"
	deploy_sh
	status_is 74 "$1 fails: 74"
	steps_are "1-$2" "$1 fails: it stops in step $2"
	old_containers_are_back "$1 fails"
	is "$(sql fails 'SELECT count(*) FROM _prisma_migrations')" 12 "$1 fails: nothing is migrated"
}
project_new fails
app_migration "$APP" good_add_column
back_after 'compose stop' 2
back_after 'compose build' 3
back_after 'compose up -d db' 4
printf '%s\n' 'compose build' 'compose start' >"$RECORDER/fail"
deploy_sh
status_is 74 'compose build and compose start fail: 74'
is "$(calls | tail -n 1)" 'docker start old-web old-worker' 'then docker starts the same containers'
is "$(containers | grep -c running)" 3 'they run'
printf '%s\n' 'compose build' 'compose start' start >"$RECORDER/fail"
deploy_sh
status_is 74 'when that fails too: 74'
like "$ERR" 'NOT ALL OF THEM STARTED; by hand: docker start old-web old-worker' 'it says loudly what to do'
: >"$RECORDER/fail"
(cd "$T" && PATH=$T/bin:$PATH docker start old-web old-worker)

# --- the application does not come up ---------------------------------------------------------------------
echo 'compose up' >"$RECORDER/fail"
DB_AWAY=(DB_SERVICE='' APP_SERVICES='web worker')
printf '%s\n' web worker >"$RECORDER/services"
deploy_sh "${DB_AWAY[@]}"
status_is 74 'the application cannot be started after a good migration: 74'
steps_are 1-7 'it stops in step 7'
is "$(sql fails 'SELECT count(*) FROM _prisma_migrations')" 13 'the migration is applied'
is "$(calls | tail -n 1)" 'docker compose up -d web worker' 'nothing goes back'
like "$ERR" 'old containers are not started again' 'it says so'
like "$OUT" 'skipped: the database is no service of compose' 'a database that is no service is said in step 4'
: >"$RECORDER/fail"
echo web >"$RECORDER/crash"
deploy_sh HEALTH_TIMEOUT=2
status_is 12 'a container that ends with 1: 12'
like "$ERR" 'not well after 2 s: web \(exited' 'it is named'
: >"$RECORDER/crash"
echo worker >"$RECORDER/sick"
deploy_sh HEALTH_TIMEOUT=1
status_is 12 'a container that is unhealthy: 12'
: >"$RECORDER/sick"
echo worker >"$RECORDER/ends"
deploy_sh
status_is 0 'a container that ends with 0 has done its work'
sql_as owner fails 'CREATE TABLE twice (v int); INSERT INTO twice VALUES (1), (1)'
psql_as owner fails -c 'CREATE UNIQUE INDEX CONCURRENTLY twice_v ON twice (v)' >/dev/null 2>&1
deploy_sh
status_is 12 'an unhealthy database: 12'
steps_are 1-8 'in step 8'

# --- which services ---------------------------------------------------------------------------------------
project_new chosen
printf '%s\n' web worker cache postgres >"$RECORDER/services"
printf 'postgres 1 running 0\n' >"$RECORDER/c/old-postgres"
printf 'cache 1 running 0\n' >"$RECORDER/c/old-cache"
deploy_sh APP_SERVICES='web worker'
status_is 0 'APP_SERVICES: deployed'
calls_are 'APP_SERVICES: only these, and postgres is found' 'migsafe gate' 'docker compose stop web worker' \
	'docker compose build web worker' 'docker compose up -d postgres' 'migsafe wait' 'migsafe deploy' \
	'docker compose up -d web worker' 'migsafe health --after-deploy'
project_new profile
echo monitor >"$RECORDER/profiled"
printf 'monitor 1 running 0\n' >"$RECORDER/c/old-monitor"
printf 'former 1 running 0\n' >"$RECORDER/c/old-former"
echo console >>"$RECORDER/profiled"
printf 'console 1 running 0 True\n' >"$RECORDER/c/by-run"
printf 'web 1 exited 1 True\n' >"$RECORDER/c/ended-run"
deploy_sh --no-build
status_is 0 'a service of an inactive profile, and one that the compose file lacks by now: deployed'
calls_are 'the first comes back by name, the other was stopped by id' 'migsafe gate' 'docker compose stop monitor web worker' \
	'docker stop old-former' 'docker compose up -d db' 'migsafe wait' 'migsafe deploy' 'docker compose up -d' \
	'docker compose up -d monitor' 'migsafe health --after-deploy'
is "$(containers | grep -vE 'running|True')" 'old-former:former 1 exited 143' 'only the other stays stopped'
is "$(containers | grep 'by-run')" 'by-run:console 1 running 0 True' 'what somebody runs beside is left alone'

# --- an env file ---------------------------------------------------------------------------------------------
cat >"$T/prod.env" <<END
# passwords have any character in them
export MIGSAFE_GATE='warn'
SECRET_WORD="a \$(touch $T/evil) \`touch $T/evil\` word"
MIGSAFE_WAIT=none of it
END
# shellcheck disable=SC2016 # for the script
printf '#!/bin/sh\necho "$BUILD $phase $MIGSAFE_GATE" >"%s"\nexec migsafe "$@"\n' "$T/seen" >"$T/looking"
chmod +x "$T/looking"
echo "DATABASE_URL=$(db_url profile owner)" >>"$T/prod.env"
deploy_sh DATABASE_URL='' MIGSAFE_WAIT=2s BUILD=77 MIGSAFE="$T/looking" --env-file prod.env --no-build
is "$(cat "$T/seen")" '77  warn' 'what is exported reaches migsafe as it was, and so does what the file adds'
status_is 0 '--env-file: deployed, what is set already counts'
ok "$([ ! -e "$T/evil" ]; echo $?)" '--env-file: no shell reads its values'
like "$(cat "$RECORDER/log")" "docker compose --env-file $T/prod.env up -d db" '--env-file: compose gets it, too'
deploy_sh --env-file=absent.env
status_is 66 '--env-file that is not there: 66'

# --- --pull ---------------------------------------------------------------------------------------------------
git_in() { git -C "$1" -c user.name=t -c user.email=t@example.com "${@:2}" >/dev/null 2>&1; }
mkdir "$T/origin" && git_in "$T/origin" init -b main && git_in "$T/origin" commit --allow-empty -m one
git_in "$T" clone origin "$T/clone" && cp "$ROOT/deploy.sh" "$APP/docker-compose.yml" "$T/clone/"
cp -R "$APP/prisma" "$APP/package.json" "$APP/prisma.config.ts" "$T/clone/"
ln -s "$APP/node_modules" "$T/clone/node_modules"
APP=$T/clone
git_in "$T/origin" commit --allow-empty -m two
: >"$RECORDER/log"
deploy_sh --pull --no-build
status_is 0 '--pull: deployed'
is "$(git -C "$T/clone" log -1 --format=%s)" two '--pull: the new commit is there'
git_in "$T/origin" commit --allow-empty -m three
git_in "$T/clone" commit --allow-empty -m mine
: >"$RECORDER/log"
containers >"$T/containers"
deploy_sh --pull
status_is 74 '--pull of a branch that has diverged: 74'
is "$(cat "$RECORDER/log")" '' '--pull that fails: before anything was asked or stopped'
deploy_sh --project-dir "$T/nowhere"
status_is 66 '--project-dir that is not there: 66'

done_testing
