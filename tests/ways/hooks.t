#!/usr/bin/env bash
# The examples in hooks/ do what they say: services are stopped and started around a restore, a backup is
# copied and checked, the end of a run is told by HTTP and by mail.
# shellcheck disable=SC2016,SC2317 # programs of the test expand their own text; wait_for calls
. "$(dirname "$0")/../lib.sh"

db_create app
sql app 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)'
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
MIGSAFE_HOOKS_DIR=$T/hooks
export DATABASE_URL MIGSAFE_BACKUP_DIR MIGSAFE_HOOKS_DIR

program() { # NAME SCRIPT: on PATH
	mkdir -p "$T/bin"
	printf '#!/bin/sh\n%s\n' "$2" >"$T/bin/$1"
	chmod +x "$T/bin/$1"
}
PATH=$T/bin:$PATH

enable_hook() { # POINT/NAME: as a user does
	mkdir -p "$MIGSAFE_HOOKS_DIR/${1%%/*}"
	cp "$ROOT/hooks/$1.sample" "$MIGSAFE_HOOKS_DIR/$1"
}

# --- as they are shipped ---------------------------------------------------------------------------------

count=0
for file in "$ROOT"/hooks/*/*.sample; do
	name=${file#"$ROOT/hooks/"}
	run "$file" --help
	like "$RC $OUT" '^0 usage: ' "$name says how it is used"
	run "$file" --bogus
	status_is 64 "$name refuses what it does not know"
	count=$((count + 1))
done
is "$count" 4 'four examples are shipped'
run "$MIGSAFE" backup --hooks-dir "$ROOT/hooks" --json
status_is 0 'the folder of the examples is a valid hooks-dir'
unlike "$ERR" 'info: hook' 'in which none is run'
id=$(jq -r '.backups[] | select(.kind == "full") | .id' <<<"$OUT")

# --- services ---------------------------------------------------------------------------------------------


rows="$TEST_PGBIN/psql -XAtq -h $TEST_PGHOST -p $TEST_PGPORT -U postgres -d $(db_name app) -c 'SELECT count(*) FROM t'"
# Stands in for docker: notes how it is called, and how many rows live has at that moment.
program docker "echo \"\$*: \$($rows)\" >>'$T/docker'; [ ! -e '$T/docker_fails' ]"
enable_hook pre-restore/20-stop-services
enable_hook post-restore/20-start-services
sql app 'INSERT INTO t VALUES (11)'
run "$MIGSAFE" restore "$id" --yes
status_is 74 'without SERVICES nothing is restored'
like "$ERR" 'SERVICES is not set' 'and the hook says why'
export SERVICES="api bot"
touch "$T/docker_fails"
run "$MIGSAFE" restore "$id" --yes
status_is 74 'nor when the services cannot be stopped'
is "$(paste -sd, "$T/docker")" 'compose stop --timeout 30 api bot: 11,compose start api bot: 11' 'those that were are started again'
rm "$T/docker" "$T/docker_fails"
run "$MIGSAFE" restore "$id" --yes
status_is 0 'with SERVICES it is'
is "$(paste -sd, "$T/docker")" 'compose stop --timeout 30 api bot: 11,compose start api bot: 10' \
	'the services are stopped before and started after it'
rm "$T/docker"
program docker-compose "echo \"old \$*\" >>'$T/docker'"
COMPOSE="docker-compose -f x.yml" STOP_TIMEOUT=5 run "$MIGSAFE" restore "$id" --yes
is "$(paste -sd, "$T/docker")" 'old -f x.yml stop --timeout 5 api bot,old -f x.yml start api bot' 'by another command, where one is named'

# --- a copy elsewhere ---------------------------------------------------------------------------------------

enable_hook post-backup/50-copy
run "$MIGSAFE" backup
status_is 0 'a backup is good without its copy'
like "$ERR" 'warning: hook "post-backup/50-copy" failed with exit status 78' 'but it is told'
export BACKUP_COPY_DIR=$T/copies
mkdir "$BACKUP_COPY_DIR"
run "$MIGSAFE" backup --json
ids=$(jq -r '.backups[].id' <<<"$OUT" | sort)
is "$(find "$BACKUP_COPY_DIR" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort)" "$ids" 'both kinds are copied, nothing else is left there'
like "$ERR" 'hook post-backup/50-copy: copied .*_full(_2)? to .*, checked' 'which the log tells'
for id in $ids; do
	diff -r "$MIGSAFE_BACKUP_DIR/$id" "$BACKUP_COPY_DIR/$id" >"$T/ignored"
	ok $? "$id: the copy is equal"
done
full=$(grep _full <<<"$ids")
data_file=$(cd "$BACKUP_COPY_DIR/$full" && find . -name '*.dat.gz' | head -n 1)
is "$(stat -c %h "$BACKUP_COPY_DIR/$full/$data_file")" 2 'the two kinds share their data in the copy too'
run "$MIGSAFE" restore "$full" --backup-dir "$BACKUP_COPY_DIR" --into "$(db_name from_copy)"
status_is 0 'the copy can be restored'
is "$(sql from_copy 'SELECT count(*) FROM t')" 10 'with every row'

before=$(ls -A "$BACKUP_COPY_DIR")

# A disk that changes what is written to it.
program cp '/bin/cp "$@" && for file in "'"$BACKUP_COPY_DIR"'"/.copy.*/*/*.dat.gz; do printf x >>"$file"; done'
run "$MIGSAFE" backup
like "$ERR" 'the copy of .* differs from it' 'a copy that is not the same is found'
is "$(ls -A "$BACKUP_COPY_DIR")" "$before" 'and not kept'
rm "$T/bin/cp"
rm "$MIGSAFE_HOOKS_DIR/post-backup/50-copy"

# --- how a run ended -------------------------------------------------------------------------------------------

enable_hook end/50-notify
run "$MIGSAFE" backup
unlike "$ERR" 'hook "' 'a run that went well is not told'
NOTIFY_ON=always run "$MIGSAFE" backup
like "$ERR" 'neither NOTIFY_URL nor NOTIFY_MAIL' 'it must be said whom to tell'

python3 "$ROOT/tests/receiver.py" --port-file "$T/port" --log "$T/posts" &
receiver=$!
wait_for 20 test -s "$T/port"
program sendmail 'printf "%s\n" "$*" >"'"$T"'/mail"; cat >>"'"$T"'/mail"'
NOTIFY_URL="http://127.0.0.1:$(cat "$T/port")/s3cr3t?a=b"
NOTIFY_MAIL='ops@example.org'
export NOTIFY_URL NOTIFY_MAIL
NOTIFY_ON=always run "$MIGSAFE" restore "$full" --yes --json
status_is 0 'a restore'
is "$(jq -c '.body | [.command, .database, .verdict, .exit, .error, .backup, .migrations]' "$T/posts")" \
	"[\"restore\",\"$(db_name app)\",\"restored\",0,null,\"$full\",[]]" 'its end is posted'
is "$(jq -r .body.run "$T/posts")" "$(jq -r .run <<<"$OUT")" 'with the run'
is "$(jq -r .path "$T/posts")" '/s3cr3t?a=b' 'to the whole URL'
like "$(cat "$T/mail")" "^-t"$'\n'"To: ops@example.org"$'\n'"Subject: migsafe restore of $(db_name app): restored" 'and mailed'
mkdir "$MIGSAFE_HOOKS_DIR/pre-backup"
printf '#!/bin/sh\necho "it says \\"no\\""; exit 1\n' >"$MIGSAFE_HOOKS_DIR/pre-backup/no"
chmod +x "$MIGSAFE_HOOKS_DIR/pre-backup/no"
run "$MIGSAFE" backup
status_is 74 'a backup that fails'
is "$(tail -n 1 "$T/posts" | jq -c '.body | [.command, .verdict, .exit, .error]')" \
	'["backup","failed",74,"hook \"pre-backup/no\" failed with exit status 1"]' 'is told with its error'
like "$(cat "$T/mail")" 'error       hook "pre-backup/no" failed' 'by mail too'
kill "$receiver"
wait "$receiver" 2>/dev/null
run "$MIGSAFE" backup
status_is 74 'a receiver that is gone changes no exit status'
like "$ERR" 'warning: hook "end/50-notify" failed with exit status 74' 'it is a warning'
done_testing
