#!/usr/bin/env bash
# deploy.sh when it is told to stop: before the migration, in it, after it; and two at once.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
# shellcheck source=tests/ways/project.sh
. "$ROOT/tests/ways/project.sh"
project_base
MODE='split'

# Sets PID of deploy.sh itself, which stays in the background.
deploy_sh_begin() {
	(cd "$T" && export DATABASE_URL BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=$MODE && DATABASE_URL=$(db_url "$PROJECT_DB" owner) &&
		exec env --default-signal=INT "$APP/deploy.sh") >"$T/out" 2>"$T/err" &
	PID=$!
}

deploy_sh_end() { # sets RC, OUT, ERR
	wait "$PID"
	RC=$?
	OUT=$(cat "$T/out")
	ERR=$(cat "$T/err")
}

slow_call() { # CALL: docker takes long for it
	printf '%s\n' '#!/usr/bin/env bash' "case \"\$*\" in '$1'*) touch '$T/at_it'; exec sleep 30 ;; esac" \
		"exec '$ROOT/tests/ways/bin/docker' \"\$@\"" >"$T/slow"
	chmod +x "$T/slow" && mv -f "$T/slow" "$T/bin/docker"
	rm -f "$T/at_it"
}

# --- in the build -----------------------------------------------------------------------------------------
for signal in TERM INT; do
	project_new "build_${signal,,}"
	app_migration "$APP" good_add_column
	slow_call 'compose build'
	deploy_sh_begin
	wait_for 30 test -e "$T/at_it"
	kill -"$signal" "$PID"
	deploy_sh_end
	status_is 130 "$signal in the build: 130"
	old_containers_are_back "$signal in the build"
	is "$(sql "$PROJECT_DB" 'SELECT count(*) FROM _prisma_migrations')" 12 "$signal in the build: nothing is migrated"
	like "$ERR" "stopped by $signal" "$signal in the build: it says so"
done
ln -sf "$ROOT/tests/ways/bin/docker" "$T/bin/docker"

# --- in the migration: migsafe is told, and its verdict counts -----------------------------------------------
for signal in TERM INT; do
	project_new "migrate_${signal,,}"
	app_migration "$APP" slow
	state_of "$PROJECT_DB" >"$T/before"
	deploy_sh_begin
	wait_for 60 sleeping_in "$PROJECT_DB"
	kill -"$signal" "$PID"
	deploy_sh_end
	status_is 20 "$signal in the migration: 20"
	old_containers_are_back "$signal in the migration"
	unchanged_since "$T/before" "$PROJECT_DB" "$signal in the migration: the database is as before"
done

# --- after it -------------------------------------------------------------------------------------------------
project_new after
app_migration "$APP" good_add_column
slow_call 'compose up -d'
sed -i "s/'compose up -d'\*/'compose up -d'/" "$T/bin/docker"
deploy_sh_begin
wait_for 60 test -e "$T/at_it"
kill -TERM "$PID"
deploy_sh_end
status_is 130 'TERM while the application is started: 130'
is "$(sql after 'SELECT count(*) FROM _prisma_migrations')" 13 'TERM while the application is started: the migration stays'
unlike "$(calls)" 'compose start' 'TERM while the application is started: nothing goes back'
ln -sf "$ROOT/tests/ways/bin/docker" "$T/bin/docker"

# --- two at once -----------------------------------------------------------------------------------------------
project_new two
app_migration "$APP" slow
deploy_sh_begin
wait_for 60 sleeping_in two
deploy_sh --no-build
status_is 75 'a second deploy.sh in the same folder: 75'
like "$ERR" 'another deploy.sh' 'it says so'
deploy_sh_end
status_is 0 'the first is not disturbed'

# --- its output is read by nobody any more -------------------------------------------------------------------------
project_new unread
app_migration "$APP" good_add_column
# shellcheck disable=SC2016 # for the inner shell
env -C "$T" DATABASE_URL="$(db_url unread owner)" MIGSAFE_BACKUP_DIR="$BACKUPS" bash -c '"$0"; echo $? >status' "$APP/deploy.sh" 2>&1 |
	head -n 2 >/dev/null
wait_for 60 test -s "$T/status"
is "$(sql unread 'SELECT count(*) FROM _prisma_migrations')/$(containers | grep -c ' 2 running')" 13/2 'a reader that goes away does not leave a deploy half-way'

is "$(find "$APP" "$T" -maxdepth 1 -newer "$T/base.log" -name '*.tmp*' | wc -l)" 0 'nothing is left behind'
done_testing
