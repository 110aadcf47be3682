#!/usr/bin/env bash
# Hooks around `migsafe backup` and `migsafe restore`: before them a failure changes nothing, after them
# it is a warning, and what was stopped before a restore can always be started again.
# shellcheck disable=SC2016 # hooks expand their own text
. "$(dirname "$0")/../lib.sh"

db_create app
sql app 'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)'
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
MIGSAFE_HOOKS_DIR=$T/hooks
CALLS=$T/calls
export DATABASE_URL MIGSAFE_BACKUP_DIR MIGSAFE_HOOKS_DIR CALLS
mkdir "$MIGSAFE_HOOKS_DIR"

hook() { # POINT/NAME SCRIPT
	mkdir -p "$MIGSAFE_HOOKS_DIR/${1%%/*}"
	printf '#!/bin/sh\n%s\n' "$2" >"$MIGSAFE_HOOKS_DIR/$1"
	chmod +x "$MIGSAFE_HOOKS_DIR/$1"
}

calls() { # -> in one line, and forgotten
	paste -sd, "$CALLS"
	: >"$CALLS"
}

backups() { # -> how many
	find "$MIGSAFE_BACKUP_DIR" -name manifest.json 2>/dev/null | wc -l
}

for point in pre-backup post-backup pre-migrate post-migrate pre-restore post-restore end; do
	hook "$point/50-record" 'echo "$MIGSAFE_RUN_POINT $MIGSAFE_RUN_COMMAND ${MIGSAFE_RUN_BACKUP_ID-none}${MIGSAFE_RUN_REASON+ $MIGSAFE_RUN_REASON}${MIGSAFE_RUN_RESTORED+ $MIGSAFE_RUN_RESTORED}${MIGSAFE_RUN_VERDICT+ $MIGSAFE_RUN_VERDICT $MIGSAFE_RUN_EXIT}" >>"$CALLS"'
done

# --- backup -----------------------------------------------------------------------------------------

run "$MIGSAFE" backup --json
status_is 0 'a backup between its hooks'
id=$(jq -r '.backups[] | select(.kind == "full") | .id' <<<"$OUT")
is "$(calls)" "pre-backup backup none manual,post-backup backup $id manual,end backup $id manual done 0" 'in order, told reason and verdict'
hook post-backup/60-seen 'test -f "$MIGSAFE_RUN_DATA_BACKUP/manifest.json" && test -z "${MIGSAFE_RUN_BACKUP-}" && echo data only; exit 1'
run "$MIGSAFE" backup --kind data --reason hourly
status_is 0 'a hook that fails after it fails no backup'
like "$ERR" 'hook post-backup/60-seen: data only' 'it is told of a backup of data alone'
like "$ERR" 'warning: hook "post-backup/60-seen" failed with exit status 1' 'its failure is a warning'
like "$(calls)" 'end backup .*_data(_2)? hourly done 0$' 'and the end is told'
rm "$MIGSAFE_HOOKS_DIR/post-backup/60-seen"

before=$(backups)
hook pre-backup/60-fail 'exit 9'
run "$MIGSAFE" backup
status_is 74 'a hook that fails before it ends the backup with 74'
like "$ERR" 'error: hook "pre-backup/60-fail" failed with exit status 9' 'and is named'
is "$(calls)" 'pre-backup backup none manual,end backup none manual failed 74' 'the end is told'
is "$(backups)" "$before" 'no backup was taken'
hook pre-backup/60-fail 'sleep 600'
run "$MIGSAFE" backup --hook-timeout 500ms
status_is 79 'and with 79 when it hangs'
chmod -x "$MIGSAFE_HOOKS_DIR/pre-backup/60-fail"
: >"$CALLS"
run "$MIGSAFE" backup
status_is 11 'with 11 when it cannot be run'
is "$(calls)" '' 'and no other is run'
rm "$MIGSAFE_HOOKS_DIR/pre-backup/60-fail"
DATABASE_URL=$(db_url nowhere) run "$MIGSAFE" backup
is "$(calls)" 'pre-backup backup none manual,end backup none manual failed 69' 'the end is also told of a backup that fails'

# --- restore ------------------------------------------------------------------------------------------

sql app 'INSERT INTO t VALUES (11)'
rows() { sql app 'SELECT count(*) FROM t'; }
hook pre-restore/60-fail 'exit 2'
run "$MIGSAFE" restore "$id" --yes --json
status_is 74 'a hook that fails before it ends a restore with 74'
is "$(calls)" "pre-restore restore $id,post-restore restore $id no,end restore $id unchanged 74" \
	'what the hooks before had stopped can be started again'
is "$(rows)" 11 'nothing was restored'
run_id=$(find "$MIGSAFE_BACKUP_DIR/.migsafe/runs" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tail -n 1)
is "$(jq -r 'select(.step == "hook") | "\(.event) \(.data.point)"' "$MIGSAFE_BACKUP_DIR/.migsafe/runs/$run_id/journal.jsonl" | paste -sd,)" \
	'note pre-restore,failed pre-restore,note post-restore,note end' 'the journal has each of them'
hook pre-restore/60-fail 'kill -INT $PPID; exec sleep 600'
run "$MIGSAFE" restore "$id" --yes
status_is 130 'SIGINT during a hook before it ends it with 130'
is "$(calls)" "pre-restore restore $id,post-restore restore $id no,end restore $id unchanged 130" 'the hooks after it are run all the same'
is "$(rows)" 11 'nothing was restored'
rm "$MIGSAFE_HOOKS_DIR/pre-restore/60-fail"

run "$MIGSAFE" restore "$id" --into "$(db_name copy)"
status_is 0 'into a new database'
run "$MIGSAFE" restore "$id" --dry-run
status_is 0 'and as a dry run'
is "$(calls)" '' 'no hook is run'

hook post-restore/40-kept 'echo "kept $MIGSAFE_RUN_KEPT_DATABASE"; exit 1'
hook end/60-report 'jq -r .verdict "$MIGSAFE_RUN_REPORT"'
run "$MIGSAFE" restore "$id" --yes --json
status_is 0 'a hook that fails after it fails no restore'
is "$(rows)" 10 'the backup is restored'
is "$(calls)" "pre-restore restore $id,post-restore restore $id yes,end restore $id restored 0" 'between its hooks'
like "$ERR" "hook post-restore/40-kept: kept $(db_name app)__migsafe_kept" 'they are told of the kept database'
like "$ERR" 'hook end/60-report: restored' 'and at the end of the report'

: >"$MIGSAFE_HOOKS_DIR/pre-restore/70-plain"
run "$MIGSAFE" restore "$id" --yes
status_is 11 'a hook that cannot be run refuses a restore'
mkdir -p "$T/empty"
run "$MIGSAFE" doctor --project "$T/empty"
like "$OUT" 'error +hooks +hook "pre-restore/70-plain" cannot be run' 'doctor tells it beforehand'
run "$MIGSAFE" restore "$id" --hooks-dir "$T/none" --yes
status_is 78 'as does a hooks-dir that is not there'
is "$(calls)" '' 'before any is run'
done_testing
