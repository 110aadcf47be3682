#!/usr/bin/env bash
# Settings from every source, what is refused and with which status, and the pages made from them.
. "$(dirname "$0")/../lib.sh"

value() { # KEY -> "value source" of the last run
	jq -r --arg k "$1" '.settings[$k] | "\(.value) \(.source)"' <<<"$OUT"
}

# --- the pages in docs are what the binary prints
run "$MIGSAFE" settings --markdown
status_is 0 "settings --markdown"
is "$OUT" "$(cat "$ROOT/docs/SETTINGS.md")" "docs/SETTINGS.md is up to date (make it with: migsafe settings --markdown)"
run "$MIGSAFE" settings --schema
is "$OUT" "$(cat "$ROOT/docs/migsafe.schema.json")" "docs/migsafe.schema.json is up to date (migsafe settings --schema)"
keys=$(jq -r '.properties | keys[] | select(. != "$schema")' <<<"$OUT" | sort)
run "$MIGSAFE" settings --json
is "$(jq -r '.settings | keys[]' <<<"$OUT" | sort)" "$keys" "the schema has every setting and no other"
defaults=$(jq -r '.properties | to_entries[] | select(.value.default != null) |
	"\(.key)=\(.value.default | if . == true then "on" elif . == false then "off" else . end)"' "$ROOT/docs/migsafe.schema.json")
# A file of the schema's defaults is taken and changes nothing but paths.
jq '.properties | with_entries(select(.value.default != null) | .value |= .default)' "$ROOT/docs/migsafe.schema.json" >d.json
run "$MIGSAFE" settings --config d.json
status_is 0 "the schema's defaults are valid"
[ -n "$defaults" ]
ok $? "there are defaults"

# --- precedence, as the operator sees it
cat >migsafe.json <<'END'
{"$schema": "docs/migsafe.schema.json", "lock-timeout": "1s", "wait": "1s", "attempts": 5, "gate": "off"}
END
printf '\xef\xbb\xbfexport MIGSAFE_LOCK_TIMEOUT="2s" # comment\r\nMIGSAFE_WAIT=2s\r\nMIGSAFE_ATTEMPTS=6\r\n' >.env
export MIGSAFE_LOCK_TIMEOUT=3s MIGSAFE_WAIT=3s
run "$MIGSAFE" settings --json --lock-timeout 4s
status_is 0 "all sources at once"
is "$(value lock-timeout)" "4s option" "option"
is "$(value wait)" "3s environment" "environment"
is "$(value attempts)" "6 .env" ".env"
is "$(value gate)" "off migsafe.json" "migsafe.json"
is "$(value fence)" "auto default" "default"
is "$(value jobs)" "$(($(nproc) < 8 ? $(nproc) : 8)) default" "jobs: processors, at most 8"
run "$MIGSAFE" settings
like "$OUT" 'lock-timeout += 3s +# environment' "the text form"
unset MIGSAFE_LOCK_TIMEOUT MIGSAFE_WAIT
rm migsafe.json .env

run "$MIGSAFE" settings --json --backup-after=off
is "$(value backup-after)" "off option" "--backup-after=off"
run "$MIGSAFE" settings --json --no-backup-after
is "$(value backup-after)" "off option" "--no-backup-after"
run env MIGSAFE_BACKUP_AFTER=no "$MIGSAFE" settings --json --backup-after
is "$(value backup-after)" "on option" "--backup-after"
run "$MIGSAFE" settings --json --allow a:1 --allow=b:2,c:3
is "$(value allow)" "a:1,b:2,c:3 option" "a list grows"
run env BACKUP_DIR=there MIGSAFE_STATE_DIR= "$MIGSAFE" settings --json
is "$(value backup-dir)" "$T/there environment" "BACKUP_DIR, made absolute"
is "$(value state-dir)" "$T/there/.migsafe default" "state-dir lies in backup-dir; an empty variable does not count"

# --- secrets
secret=s3cretpw
run env DATABASE_URL="postgres://u:$secret@h/d" MIGSAFE_WEBHOOK_URL="https://h/$secret" MIGSAFE_WEBHOOK_SECRET=$secret \
	"$MIGSAFE" settings --log-level debug
unlike "$OUT$ERR" "$secret" "settings: secrets do not show"
like "$OUT" 'url += \*\*\* +# environment' "settings: *** stands for them"
run "$MIGSAFE" settings --url "postgres://u:$secret@h/d" --json
status_is 0 "a URL as an option works"
unlike "$OUT$ERR" "$secret" "and does not show"
like "$ERR" 'warning: .*--url.*ps.*MIGSAFE_URL or DATABASE_URL' "but is warned of"
for url in "postgres://u:$secret@h:99999/d" "postgres://u:$secret/x@h/d" "$secret" "mysql://u:$secret@h/d" \
	"postgres://u:$secret@h/d?connect_timeout=$secret" "postgres://u:$secret@h/d?sslidentity=x" "prisma://h/?api_key=$secret"; do
	run env DATABASE_URL="$url" "$MIGSAFE" wait --json --log-level debug
	status_is 78 "wrong URL: ${url//$secret/...}"
	unlike "$OUT$ERR" "$secret" "its password does not show"
	is "$(jq -r .error.kind <<<"$OUT")" config "error document"
done

# --- what is refused, with 78
run "$MIGSAFE" wait
status_is 78 "no URL"
like "$ERR" 'hint: .*DATABASE_URL' "no URL: which variable to set"
run env MIGSAFE_LOCK_TIMOUT=1s "$MIGSAFE" settings
status_is 78 "unknown MIGSAFE_ variable"
like "$ERR" 'Perhaps MIGSAFE_LOCK_TIMEOUT is meant' "the nearest name"
run env MIGSAFE_RUN_ID=x MIGSAFE=1 "$MIGSAFE" settings
status_is 0 "MIGSAFE_RUN_* is no setting"
run env MIGSAFE_REPOSITORY=x MIGSAFE_REF=y "$MIGSAFE" settings
status_is 0 "nor is what the CI files get migsafe by"
echo 'MIGSAFE_LOCK_TIMOUT=1s' >.env
run "$MIGSAFE" settings
status_is 0 "unknown MIGSAFE_ name in .env"
like "$ERR" 'warning: .*\.env.*MIGSAFE_LOCK_TIMOUT' "is a warning"
rm .env
while IFS='|' read -r text words; do
	printf '%s' "$text" >migsafe.json
	run "$MIGSAFE" settings
	status_is 78 "migsafe.json: $text"
	like "$ERR" "migsafe\.json.*$words" "file and place are named"
done <<'END'
{"lock-timout": "1s"}|lock-timout
{"lock-timeout": 5}|lock-timeout
{"webhook": {"url": "x"}}|webhook
{"gate": {"level": "warn"}}|gate
{"gate": "of"}|gate
{"attempts": 0}|attempts
{"gate": "off",}|line 1, column 16
[1]|object
END
rm migsafe.json
run "$MIGSAFE" settings --config none.json
status_is 78 "--config of a file that is not there"
like "$ERR" 'none\.json' "names it"
mkdir migsafe.json
run "$MIGSAFE" settings
status_is 78 "migsafe.json is a folder"
rmdir migsafe.json
for pair in lock-timeout=5 lock-timeout=-1s lock-timeout=25d attempts=0 attempts=x gate=never backup-after=maybe keep-last=-1 log-level=loud; do
	run "$MIGSAFE" settings --"$pair"
	status_is 78 "--$pair"
	like "$ERR" "setting \"${pair%%=*}\"" "the setting is named"
	like "$ERR" 'hint: Write' "and what may be written"
done

# --- the log
run "$MIGSAFE" settings --log-file "$T/none/log"
status_is 71 "a log file that cannot be written"
run "$MIGSAFE" settings --log-file "$T"
status_is 71 "a log file that is a folder"
run env MIGSAFE_LOG_FILE=log "$MIGSAFE" settings --url x
run env MIGSAFE_LOG_FILE=log "$MIGSAFE" settings --url x
is "$(stat -c %a log)" 600 "the log file is 0600"
is "$(grep -c 'option --url' log)" 2 "and is appended to"
run env MIGSAFE_LOG_FILE=log DATABASE_URL=x "$MIGSAFE" wait
like "$(cat log)" 'error: .*scheme' "errors go there too"
run env DATABASE_URL=x "$MIGSAFE" wait --log-format json
is "$(jq -r 'select(.message) | .level' <<<"$ERR")" error "log-format json"
run "$MIGSAFE" settings --url x --log-level error
is "$ERR" "" "log-level error hides warnings"
done_testing
