#!/usr/bin/env bash
# What is kept is listed, shown and explained; what is removed is what the rules say, and never too much.
. "$(dirname "$0")/../lib.sh"

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR
DB=$(db_name app)

made() { # DAYS-AGO REASON KIND [JQ-EDIT]: a backup of that age, made from the real one; prints its id
	local id
	id=${DB}_$(date -u -d "-$1 days" +%Y%m%d_%H%M%S)_$3
	cp -a "$T/real" "$MIGSAFE_BACKUP_DIR/$id"
	jq --arg id "$id" --arg kind "$3" --arg reason "$2" --arg at "$(date -u -d "-$1 days" +%Y-%m-%dT%H:%M:%S.000Z)" \
		".id = \$id | .kind = \$kind | .reason = \$reason | .started_at = \$at | ${4:-.}" "$T/real/manifest.json" \
		>"$MIGSAFE_BACKUP_DIR/$id/manifest.json"
	printf '%s' "$id"
}

backups() {
	(cd "$MIGSAFE_BACKUP_DIR" && printf '%s\n' *)
}

fate() { # ID -> what prune or list said of it
	jq -r --arg id "$1" '.backups[] | select(.id == $id) | "\(.keep) \(.why)"' <<<"$OUT"
}

# --- list and show -------------------------------------------------------------------------------------

run "$MIGSAFE" list
is "$RC $OUT" "0 no backups in \"$MIGSAFE_BACKUP_DIR\"" "a folder that is not there has no backups"
run "$MIGSAFE" list --json
is "$RC $(jq -c . <<<"$OUT")" '0 {"backups":[]}' "as JSON too"

sql app "CREATE TABLE t AS SELECT generate_series(1, 1234) AS i; CREATE TABLE \"odd
name\" (a int)"
run "$MIGSAFE" backup --kind full --label "the first"
status_is 0 "a backup is taken"
FIRST=${OUT%% *}
cp -a "$MIGSAFE_BACKUP_DIR/$FIRST" "$T/real"

run "$MIGSAFE" list
status_is 0 "it is listed"
like "$OUT" "$FIRST +full +manual +[0-9]+ s +[0-9.]+ kB +1 234 +- +manual: kept for ever; the first" "with kind, reason, age, size, rows, and why it is kept"
run "$MIGSAFE" list --json
is "$(jq -r '.backups[] | [.id, .kind, .reason, .label, .database, .rows, .tables, .pinned, .verified, .damage, .keep] | map(tostring) | join("|")' <<<"$OUT")" \
	"$FIRST|full|manual|the first|$DB|1234|2|false|null|null|true" "and as JSON"
run env -u DATABASE_URL "$MIGSAFE" list
status_is 0 "a list needs no database"

run "$MIGSAFE" show "$FIRST"
status_is 0 "it is shown"
like "$OUT" "database +$DB, owned by postgres" "with its database"
like "$OUT" "public.t +1 234 +1 " "and its tables"
like "$OUT" $'\npublic.odd name ' "a name with a line break stays on its line"
run "$MIGSAFE" show "$FIRST" --json
is "$(jq -S . <<<"$OUT")" "$(jq -S . "$MIGSAFE_BACKUP_DIR/$FIRST/manifest.json")" "as JSON it is the manifest"
for id in none "../$(basename "$MIGSAFE_BACKUP_DIR")/$FIRST" "${FIRST%_full}_data" "" .; do
	run "$MIGSAFE" show "$id" --json
	is "$RC $(jq -r .error.kind <<<"$OUT")" "66 not-found" "no backup \"${id##*/}\""
done
run "$MIGSAFE" show
status_is 64 "show needs an id"

# --- damaged ones -----------------------------------------------------------------------------------------

TORN=$(made 400 hourly full)
head -c 500 "$T/real/manifest.json" >"$MIGSAFE_BACKUP_DIR/$TORN/manifest.json"
NEWER=$(made 401 hourly full '.format = 2')
WRONG=$(made 402 hourly full '.tables[0].rows = "many"')
BARE=$(made 403 hourly full)
rm "$MIGSAFE_BACKUP_DIR/$BARE/manifest.json"
for case in "$TORN invalid JSON" "$NEWER \"format\" is 2" "$WRONG tables.0.: key \"rows\"" "$BARE it has no manifest.json"; do
	run "$MIGSAFE" show "${case%% *}" --json
	is "$RC $(jq -r .error.kind <<<"$OUT")" "76 damaged" "damaged: ${case#* }"
	like "$(jq -r .error.message <<<"$OUT")" "${case#* }" "damaged: it says so"
done
run "$MIGSAFE" list
status_is 0 "damaged ones do not break the list"
is "$(grep -c ' damaged ' <<<"$OUT")" 4 "they are listed as such"
run "$MIGSAFE" list --json
is "$(jq -r '[.backups[] | select(.damage != null) | .keep] | unique | tostring' <<<"$OUT")" '[true]' "and would be kept"

# --- prune ---------------------------------------------------------------------------------------------------

OLD=$(made 60 pre-deploy full) MID=$(made 50 pre-deploy full) NEW=$(made 40 pre-deploy full)
PINNED=$(made 70 pre-deploy full '.pinned = true')
VERIFIED=$(made 80 hourly full '.verified = [{"level":"restore","at":"2026-01-01T00:00:00.000Z","result":"ok"}]')
FAILED=$(made 79 daily full '.verified = [{"level":"restore","at":"2026-01-01T00:00:00.000Z","result":"rows differ"}]')
DAILY8=$(made 8 daily full) DAILY6=$(made 6 daily full)
WEEKLY31=$(made 31 weekly full) WEEKLY29=$(made 29 weekly full)
ONLY=$(made 90 daily data)
MANUAL=$(made 999 manual full)
OTHER=$(made 95 daily full '.database.name = "another"')
HOURLY1=$(made 2 hourly full) HOURLY2=$(made 1 hourly full)
mkdir "$MIGSAFE_BACKUP_DIR/mine" && touch "$MIGSAFE_BACKUP_DIR/mine/file"
GONE="$OLD $FAILED $DAILY8 $WEEKLY31"
BEFORE=$(backups)

run env -u DATABASE_URL "$MIGSAFE" prune
status_is 78 "prune must know whose backups"
run "$MIGSAFE" prune --keep-last 2 --dry-run --json
status_is 0 "a dry run"
is "$(backups)" "$BEFORE" "removes nothing"
is "$(jq -r .dry_run <<<"$OUT")" true "says that it is one"
while IFS='|' read -r id want; do
	is "$(fate "$id")" "$want" "$(jq -r --arg id "$id" '.backups[] | select(.id == $id) | "\(.reason // "damaged") \(.kind)"' <<<"$OUT"): $want"
done <<END
$OLD|false 2 newer ones of pre-deploy, full
$MID|true one of the last 2 of pre-deploy, full
$NEW|true one of the last 2 of pre-deploy, full
$PINNED|true pinned
$VERIFIED|true the newest verified of full
$FAILED|false daily: kept for 7 days
$DAILY8|false daily: kept for 7 days
$DAILY6|true daily: kept for 7 days
$WEEKLY31|false weekly: kept for 30 days
$WEEKLY29|true weekly: kept for 30 days
$ONLY|true the newest of data
$MANUAL|true manual: kept for ever
$OTHER|true another database
$HOURLY1|true one of the last 2 of hourly, full
$TORN|true damaged: look at it, remove it by hand
END
# A pinned one has a place among the last: the rules count it, and it stays whatever they say.
run "$MIGSAFE" prune --keep-last 2 --dry-run
like "$OUT" "would remove +$OLD +2 newer ones of pre-deploy, full" "as text"
like "$OUT" "kept +$PINNED +pinned" "with the kept ones"
run env BACKUP_RETENTION_DAYS=90 "$MIGSAFE" prune --keep-last 2 --dry-run --json
is "$(fate "$DAILY8")" "true daily: kept for 90 days" "the days are a setting"

run "$MIGSAFE" prune --keep-last 2
status_is 0 "prune never asks"
like "$OUT" "removed +$OLD" "it tells what it removed"
is "$(backups)" "$(grep -vx -F "${GONE// /$'\n'}" <<<"$BEFORE")" "and removed just that"
run "$MIGSAFE" prune --keep-last 2
is "$RC $(grep -c removed <<<"$OUT")" "0 0" "a second time there is nothing to do"

# --- after a backup ----------------------------------------------------------------------------------------------

run "$MIGSAFE" backup --kind full --reason hourly --keep-last 2 --json
status_is 0 "a good backup applies the rules"
is "$(jq -r '.removed | join(" ")' <<<"$OUT")" "$HOURLY1" "and tells what went"
[ ! -e "$MIGSAFE_BACKUP_DIR/$HOURLY1" ] && [ -e "$MIGSAFE_BACKUP_DIR/$HOURLY2" ]
ok $? "which is gone"
like "$ERR" "removed backup $HOURLY1 \(2 newer ones of hourly, full\)" "the log says why"
BEFORE=$(backups)
mkdir "$T/none"
run "$MIGSAFE" backup --kind full --reason hourly --keep-last 2 --pg-bin "$T/none"
status_is 74 "a failed backup"
is "$(backups)" "$BEFORE" "removes nothing"

# A folder that cannot be removed: it is a mount point, or immutable.
STUCK=$(made 300 daily full)
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=64k none "$MIGSAFE_BACKUP_DIR/$STUCK" 2>/dev/null; then
	cp "$T/real/"* "$MIGSAFE_BACKUP_DIR/$STUCK/"
	jq --arg id "$STUCK" '.id = $id | .reason = "daily" | .started_at = "2020-01-01T00:00:00.000Z"' "$T/real/manifest.json" >"$MIGSAFE_BACKUP_DIR/$STUCK/manifest.json"
	run "$MIGSAFE" backup --kind full --reason hourly --keep-last 2 --json
	status_is 0 "a backup is good though an old one cannot be removed"
	like "$ERR" "warning: could not remove old backups: could not remove backup \"$STUCK\"" "which is a warning"
	is "$(jq -r '.removed | length' <<<"$OUT")" 1 "the others are removed"
	run "$MIGSAFE" prune --keep-last 2
	status_is 71 "for prune it is a failure"
	umount "$MIGSAFE_BACKUP_DIR/$STUCK"
else
	pass "a folder that cannot be removed # SKIP needs root and mount"
fi

# --- kept databases -------------------------------------------------------------------------------------------------

kept() { # NAME PURPOSE LIVE: a database with the mark of one of ours
	db_create "$1"
	sql postgres "COMMENT ON DATABASE \"$(db_name "$1")\" IS 'migsafe $2 of $3 run 20261120_194609_abcd at 2026-11-20T19:46:09.123Z'"
}

BEFORE=$(backups)
run "$MIGSAFE" prune --kept
is "$RC $OUT" "0 no database is kept of \"$DB\"" "nothing is kept"
kept kept1 kept "$DB"
kept kept2 kept "$DB"
kept side restore "$DB"
kept foreign kept another
db_create "app__migsafe_kept_20261120_194609_abcd"
sql postgres "ALTER DATABASE \"$(db_name kept1)\" ALLOW_CONNECTIONS false"
ALL=$(db_list)
run "$MIGSAFE" prune --kept --dry-run --json
is "$RC $(jq -r '[.databases[] | .name, (.dropped | tostring)] | join(" ")' <<<"$OUT")" "0 $(db_name kept1) false $(db_name kept2) false" "a dry run of --kept"
run "$MIGSAFE" prune --kept
status_is 64 "not on a terminal it needs --yes"
like "$ERR" '--yes' "and says so"
run script -qec "'$MIGSAFE' prune --kept" /dev/null <<<"yes"
status_is 130 "on a terminal another word than the name of the database"
is "$(db_list)" "$ALL" "drops nothing"
run script -qec "'$MIGSAFE' prune --kept" /dev/null <<<"$DB"
status_is 0 "the name of the database does it"
is "$(db_list)" "$(grep -vx -e kept1 -e kept2 <<<"$ALL")" "those of this database are gone, closed ones too, and no others"
kept kept3 kept "$DB"
run "$MIGSAFE" prune --kept --yes --json
is "$RC $(jq -r '.databases[] | "\(.name) \(.run) \(.dropped)"' <<<"$OUT")" "0 $(db_name kept3) 20261120_194609_abcd true" "--yes does not ask"
kept kept4 kept "${TEST_PREFIX}lost"
run env DATABASE_URL="$(db_url lost)" "$MIGSAFE" prune --kept --yes
status_is 69 "when live is not there nothing kept of it is dropped"
ok "$(db_exists kept4; echo $?)" "it may be all there is"
is "$(backups)" "$BEFORE" "backups are left alone"

done_testing
