#!/usr/bin/env bash
# How far a backup and a restore are: on a terminal in place, elsewhere in the log, and in the journal.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

# Some seconds of work: packing as hard as can be, and a constraint that waits where the table is restored.
db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR
sql app "CREATE FUNCTION wait(int) RETURNS bool LANGUAGE plpgsql AS \$\$ BEGIN
		IF \$1 % 100 = 0 AND current_database() <> '$(db_name app)' THEN PERFORM pg_sleep(0.1); END IF;
		RETURN true; END \$\$;
	CREATE TABLE many (a int, b text);
	INSERT INTO many SELECT i, md5(i::text) || md5((-i)::text) FROM generate_series(1, 30000) AS i;
	CREATE TABLE slow (a int CHECK (wait(a)), b text);
	INSERT INTO slow SELECT i, repeat('x', 1000) FROM generate_series(1, 3000) AS i;
	ANALYZE"
number='[0-9.]+ (bytes|kB|MB)'
line="$number of $number \([0-9]+ %\)(, $number/s(, [0-9]+ s left)?)?"

# --- a backup --------------------------------------------------------------------------------------------

run "$MIGSAFE" backup --kind full --verbose --compression zstd:19 --progress-interval 200ms
status_is 0 "a backup"
id=${OUT%% *}
like "$ERR" "migsafe: info: backup: $line" "the log says how far it is"
unlike "$ERR$OUT" $'[\r\033]' "nothing is written in place where no terminal is"
like "$ERR" 'migsafe: info: public\.many: 30 000 rows, [0-9.]+ MB' "a line for a table"
like "$ERR" 'migsafe: info: public\.slow: 3 000 rows, [0-9.]+ MB' "and for the other"

# `script` gives it a terminal for all streams.
terminal() { # COMMAND...: what the terminal got
	TERM=xterm script -qec "${*@Q}" /dev/null </dev/null
}

run terminal "$MIGSAFE" backup --kind full --compression zstd:19
status_is 0 "a backup on a terminal"
like "$OUT" $'\r'"backup: $line"$'\033\\[K' "a line that is written over"
unlike "$OUT" "info: backup: $number" "and none that stays"
unlike "$OUT" 'public\.many' "tables are not told unasked"
like "$OUT" $'\r\033\\[K[^\r]*_full  ' "it is gone before the result"
run terminal "$MIGSAFE" backup --kind full --compression zstd:19 --log-format json
unlike "$OUT" $'\033' "nothing in place between JSON lines"

# --- a restore -------------------------------------------------------------------------------------------

new=$(db_name new)
run "$MIGSAFE" restore "$id" --into "$new" --progress-interval 1s --verbose --json
status_is 0 "a restore"
like "$ERR" "migsafe: info: restore: $line" "the log says how far it is"
like "$ERR" 'migsafe: info: public\.slow: 3 000 rows' "and which tables are done"
journal=$MIGSAFE_BACKUP_DIR/.migsafe/runs/$(jq -r .run <<<"$OUT")/journal.jsonl
# (The first one may come before the first byte.)
notes=$(jq -c 'select(.data.progress.done > 0) | [.step, .event, (.data.progress | [.doing, .done <= .total, .total > 0, .rows >= 0, keys])]' "$journal" | sort -u)
is "$notes" '["restore","note",["restore",true,true,true,["doing","done","left_ms","rate","rows","total"]]]' \
	"the journal has the same numbers"
jq -se '[.[] | select(.data.progress) | .at[0:19] + "Z" | fromdate] | . as $t | [range(1; length) | $t[.] - $t[. - 1]] | all(. >= 1)' \
	"$journal" >/dev/null
ok $? "not more often than every two seconds"

# --- a run that is not over, as others see it ------------------------------------------------------------

rm -r "$MIGSAFE_BACKUP_DIR/.migsafe/runs"
"$MIGSAFE" restore "$id" --yes --progress-interval 0s >"$T/out" 2>"$T/err" &
restoring=$!
noted() {
	grep -q '"progress":{' "$MIGSAFE_BACKUP_DIR"/.migsafe/runs/*/journal.jsonl
}
wait_for 60 noted
ok $? "a restore onto live tells the journal"
run "$MIGSAFE" status --project "$ROOT/fixtures/app"
like "$OUT" "progress: +restore: $line, [0-9.]+ m?s ago" "status tells how far it is"
run "$MIGSAFE" status --project "$ROOT/fixtures/app" --json
is "$(jq -c '.last_run | [.command, .verdict, .progress.doing, (.progress.done > 0)]' <<<"$OUT")" \
	'["restore",null,"restore",true]' "also as JSON"
wait "$restoring"
is $? 0 "the restore comes to its end"
unlike "$(cat "$T/err")" "restore: $number" "no numbers in the log where none are wanted"
run "$MIGSAFE" status --project "$ROOT/fixtures/app" --json
is "$(jq -c '.last_run | [.verdict, .progress]' <<<"$OUT")" '["restored",null]' "then nothing is in progress"
for other in $(db_list | grep "^app__migsafe_"); do db_drop "$TEST_PREFIX$other"; done

done_testing
