#!/usr/bin/env bash
# The entry point for containers: the migrations first, then the application under the same process id.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base
MODE='split'
ENTRYPOINT=$ROOT/packaging/docker/entrypoint.sh

# Stands in for the application: writes its process id and goes on until it is told to end.
cat >"$T/application" <<'END'
#!/bin/sh
trap 'echo "ended by TERM" >>"$1"; exit 7' TERM
echo "pid $$ args $2" >"$1"
while :; do sleep 0.1; done
END
chmod +x "$T/application"

entrypoint() { # NAME [NAME=VALUE...] [COMMAND...]
	local variables=() name=$1
	shift
	while [[ ${1-} =~ ^[A-Za-z_]+= ]]; do variables+=("$1") && shift; done
	run env -C "$APP" DATABASE_URL="$(db_url "$name" owner)" BACKUP_DIR="$BACKUPS" MIGRATION_SCRIPT="$MODE" \
		MIGSAFE="$MIGSAFE" "${variables[@]}" "$ENTRYPOINT" "$@"
}

entrypoint_begin() { # NAME OUTPUT [COMMAND...]: in the background; sets PID
	(cd "$APP" && DATABASE_URL=$(db_url "$1" owner) && export DATABASE_URL MIGSAFE BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=$MODE &&
		exec "$ENTRYPOINT" "${@:3}") >"$2" 2>&1 &
	PID=$!
}

applied() { # NAME -> how many migrations
	sql "$1" 'SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL'
}

# --- a good one, and what becomes of the process -----------------------------------------------------------
shop_new good
app_migration "$APP" good_add_column
entrypoint_begin good "$T/log" "$T/application" "$T/told" 'two words *'
wait_for 60 test -s "$T/told"
is "$(cat "$T/told")" "pid $PID args two words *" 'the application runs under the process id of the entry point, with its words as given'
is "$(applied good)" 13 'the migration is applied'
kill -TERM "$PID"
wait "$PID"
is $? 7 'the application hears TERM itself, and its status is that of the container'
is "$(tail -n 1 "$T/told")" 'ended by TERM' 'it ended as it wanted'
entrypoint good true
status_is 0 'once more'
like "$OUT" 'nothing to do' 'nothing is to do'
entrypoint good
status_is 0 'without a command it only deploys'
entrypoint good sh -c 'exit 3'
status_is 3 'the status is that of the command'

# --- the way it is told ---------------------------------------------------------------------------------------
entrypoint good --help
like "$RC $OUT" '^0 usage: entrypoint.sh.*ENTRYPOINT_DEPLOY' '--help'
entrypoint good MIGSAFE="$T/absent" ENTRYPOINT_DEPLOY=off echo started
is "$RC $OUT" '0 started' 'ENTRYPOINT_DEPLOY=off: the application is started at once'
entrypoint good ENTRYPOINT_DEPLOY=yes echo started
is "$RC $OUT" '78 ' 'another value is an error'
entrypoint good MIGSAFE="env -u NOTHING $MIGSAFE" echo started
like "$RC $OUT" '^0 .*started$' 'MIGSAFE may be several words'
entrypoint good MIGSAFE="$T/absent" echo started
like "$RC $ERR" '^127 .*not started' 'no migsafe: the application is not started'

# --- a failing one ----------------------------------------------------------------------------------------------
shop_new half
app_migration "$APP" fail_halfway
state_of half >"$T/before"
entrypoint half echo started
status_is 20 'a migration that fails: 20'
unlike "$OUT" 'started' 'the application is not started'
like "$ERR" 'database was restored' 'it says what became of the database'
unchanged_since "$T/before" half 'which is as before'
backups=$(find "$BACKUPS" -name manifest.json | wc -l)
entrypoint half echo started
status_is 21 'restarted, it is refused at once'
is "$(find "$BACKUPS" -name manifest.json | wc -l)" "$backups" 'without another backup'

entrypoint half DATABASE_URL="postgresql://owner@localhost:1/x?host=$TEST_PGHOST" MIGSAFE_WAIT=1s echo started
status_is 69 'no database: 69'
unlike "$OUT" 'started' 'the application is not started'

# --- two replicas at once ----------------------------------------------------------------------------------------
shop_new two
app_migration "$APP" slow
entrypoint_begin two "$T/log1" echo started
one=$PID
entrypoint_begin two "$T/log2" echo started
wait "$one"
is $? 0 'two replicas at once: the first is well'
wait "$PID"
is $? 0 'two replicas at once: the second, too'
is "$(applied two)" 13 'two replicas at once: the migration is applied once'
is "$(cat "$T/log1" "$T/log2" | grep -c 'nothing to do')" 1 'two replicas at once: one found nothing to do'
is "$(cat "$T/log1" "$T/log2" | grep -cx started)" 2 'two replicas at once: both applications are started'
is "$(find "$BACKUPS/.migsafe/runs" -mindepth 1 -maxdepth 1 | wc -l)" 1 'two replicas at once: there was one run'

# --- a container that is stopped in the middle --------------------------------------------------------------------
shop_new stopped
app_migration "$APP" slow
state_of stopped >"$T/before"
entrypoint_begin stopped "$T/log" echo started
wait_for 60 sleeping_in stopped
kill -TERM "$PID"
wait "$PID"
is $? 20 'TERM in the migration: migsafe takes the way back first'
unlike "$(cat "$T/log")" $'\nstarted' 'TERM in the migration: the application is not started'
unchanged_since "$T/before" stopped 'TERM in the migration: the database is as before'

done_testing
