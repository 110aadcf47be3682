#!/usr/bin/env bash
# The scripts of the project's own habits and crontabs: each does with the real migsafe, from any folder and
# with cron's poor environment, what its --help says, and nothing when it is told nonsense.
# shellcheck disable=SC2317 # what traps call is reachable
# shellcheck source=tests/lib.sh
# test: long
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"

SCRIPTS=(backup_database restore_database test_backup backup-before-migration deploy-migration migration-health
	restore-from-backup)

# --- no server yet -------------------------------------------------------------------------------------

for name in "${SCRIPTS[@]}"; do
	run "$ROOT/scripts/$name.sh" --help
	like "$RC$OUT" "^0usage: scripts/$name\\.sh" "$name.sh --help"
	like "$OUT" 'MIGSAFE .*PROJECT_DIR .*Exit status' "tells variables and exit status"
done
nonsense() { # NAME [ARGUMENT...]: refused as usage, before migsafe is run
	run env MIGSAFE="touch $T/was-run" "$ROOT/scripts/$1.sh" "${@:2}"
	status_is 64 "$1.sh ${*:2}: usage"
	[ -n "$ERR" ] && [ -z "$OUT" ] && [ ! -e "$T/was-run" ]
	ok $? "said on standard error, nothing was run"
}
nonsense backup_database file
nonsense backup_database --reason
nonsense restore_database
nonsense restore_database --force x
nonsense restore_database x y
nonsense test_backup
nonsense test_backup --yes
nonsense test_backup x y
nonsense migration-health x
nonsense restore-from-backup --wrong
nonsense restore-from-backup x y
nonsense restore-from-backup
for name in restore_database test_backup restore-from-backup; do
	mkdir -p folder
	for what in missing.sql.gz "$T/folder"; do
		run env MIGSAFE="touch $T/was-run" "$ROOT/scripts/$name.sh" "$what"
		status_is 66 "$name.sh $what: no such file"
		is "$(wc -l <<<"$ERR")" 1 "one line"
		[ ! -e "$T/was-run" ]
		ok $? "nothing was run"
	done
done
run env MIGSAFE="touch $T/was-run" PROJECT_DIR="$T/nowhere" "$ROOT/scripts/backup_database.sh"
status_is 71 "a PROJECT_DIR that is not there"
run env MIGSAFE="touch $T/was-run" BACKUP_RETENTION_DAYS=week "$ROOT/scripts/backup_database.sh"
status_is 78 "BACKUP_RETENTION_DAYS that is no number"
[ ! -e "$T/was-run" ]
ok $? "nothing was run"

# --- an application with the scripts in it, run as cron would ----------------------------------------------

need_server
npm_cache "$ROOT/fixtures/app" >/dev/null || bail "no npm packages here"
shop_base
shop_new shop
LIVE=$(db_name shop)
mv "$APP" "$T/the app"
APP="$T/the app"
FILES="$APP/the files"
BACKUPS="$FILES"
mkdir "$APP/scripts" "$T/bin" "$T/elsewhere" "$T/box"
for name in "${SCRIPTS[@]}"; do cp "$ROOT/scripts/$name.sh" "$APP/scripts/"; done
ln -s "$MIGSAFE" "$T/bin/migsafe"
PATH=$T/bin:$PATH
printf 'DATABASE_URL="%s"\nBACKUP_DIR="./the files" # where they are\n' "$(db_url shop owner)" >"$APP/.env"

# Like a container: another folder and environment, and none of the caller's files.
cat >"$T/bin/box" <<END
#!/usr/bin/env bash
[ "\$1 \$2" = 'run migrate' ] || exit 98
for word in "\${@:3}"; do
	case \$word in */* | *.sql*) printf 'a file of the host: %s\n' "\$word" >&2 && exit 99 ;; esac
done
exec env -i -C "$T/box" PATH="$PATH" DATABASE_URL="$(db_url shop owner)" MIGSAFE_BACKUP_DIR="$FILES" \\
	MIGSAFE_PROJECT="$APP" migsafe "\${@:3}"
END
cat >"$T/bin/terminal" <<'END'
#!/usr/bin/env bash
if [ "$1" = export ]; then box run migrate "$@" | sed 's/$/\r/'; else exec box run migrate "$@"; fi
END
chmod +x "$T"/bin/{box,terminal}

go() { # [NAME=VALUE...] NAME [ARGUMENT...]: from another folder, without a terminal
	local variables=()
	while [[ $1 == *=* ]]; do
		variables+=("$1")
		shift
	done
	run setsid -w env -i -C "$T/elsewhere" HOME="$T" PATH="$PATH" "${variables[@]}" "$APP/scripts/$1.sh" "${@:2}"
}
backups() { # -> of all backups: kind reason
	"$MIGSAFE" list --backup-dir "$FILES" --json | jq -r '.backups[] | "\(.kind) \(.reason)"' | LC_ALL=C sort | tr '\n' ' '
}
newest() { # KIND REASON -> id
	"$MIGSAFE" list --backup-dir "$FILES" --json |
		jq -r --arg k "$1" --arg r "$2" '[.backups[] | select(.kind == $k and .reason == $r)][-1].id'
}
drop_kept() {
	local db
	while IFS= read -r db; do db_drop "$db"; done < <(sql postgres "SELECT datname FROM pg_database WHERE datname LIKE '$LIVE\_\_migsafe%'")
}
restored() { # NAME: the database is as in $T/before, the replaced one is kept; which is dropped here
	unchanged_since "$T/before" shop "$1: the database is what was backed up"
	is "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '$LIVE\_\_migsafe\_kept%'")" 1 "$1: the replaced one is kept"
	drop_kept
}
hurt() { sql_as owner shop 'DELETE FROM "OrderItem"; CREATE TABLE later (a int)'; }

# --- backup_database.sh ------------------------------------------------------------------------------------------

mkdir "$FILES"
old=20200101_000000
kept=("other_backup_$old.sql.gz" "${LIVE}_backup_2020.sql.gz" "${LIVE}_backup_${old}_mine.sql.gz" "${LIVE}_more_backup_$old.sql.gz" "${LIVE}_backup_$old.sql"
	"my_${LIVE}_backup_$old.sql.gz" "${LIVE}_backup_$(date -u -d '6 days ago' +%Y%m%d_%H%M%S).sql.gz")
for name in "${kept[@]}" "${LIVE}_backup_$old.sql.gz" "${LIVE}_backup_20200101_000001_2.sql.gz" \
	"${LIVE}_backup_$(date -u -d '8 days ago' +%Y%m%d_%H%M%S).sql.gz"; do
	echo x >"$FILES/$name"
	touch -d 2020-01-01 "$FILES/$name" # the name counts
done
ln -s /etc/hostname "$FILES/${LIVE}_backup_20200101_000002.sql.gz"
mkdir "$FILES/${LIVE}_backup_20200101_000003.sql.gz"
kept+=("${LIVE}_backup_20200101_000002.sql.gz" "${LIVE}_backup_20200101_000003.sql.gz")

go MIGSAFE=false backup_database
isnt "$RC" 0 "a migsafe that fails"
go DATABASE_URL="$(db_url nowhere owner)" backup_database
status_is 69 "backup_database.sh of a database that is not there: migsafe's status"
[ -e "$FILES/${LIVE}_backup_$old.sql.gz" ]
ok $? "old files stay while there is no new one"
is "$OUT" "" "no file is told"

state_of shop >"$T/before"
go backup_database
status_is 0 "backup_database.sh from another folder, settings from .env"
file=${OUT#./}
like "$OUT" "^\./the files/${LIVE}_backup_[0-9]{8}_[0-9]{6}\.sql\.gz\$" "prints one line, the file in BACKUP_DIR"
is "$(stat -c %a "$APP/$file")" 600 "which its owner alone can read"
is "$(backups)" "full daily " "migsafe has it as a full backup of the day"
is "$(cd "$FILES" && find . -maxdepth 1 -name '*backup_*.sql*' -printf '%f\n' | LC_ALL=C sort)" \
	"$(printf '%s\n' "${kept[@]}" "${file##*/}" | LC_ALL=C sort)" "of old files only those of this database and form are gone"
is "$(find "$FILES" -maxdepth 1 -name '.*' -type f)" "" "nothing else is left"
cp "$APP/$file" "$T/dump of the shop.sql.gz"
DUMP="$T/dump of the shop.sql.gz"

db_create copy owner
gunzip -c "$DUMP" | psql_as owner copy >"$T/psql.log" 2>&1
is "${PIPESTATUS[*]}" "0 0" "gunzip -c | psql takes it into an empty database" || diag "$(tail -n 3 "$T/psql.log")"
unchanged_since "$T/before" copy "which equals the live one"
sql_as owner copy 'DELETE FROM "OrderItem"'
gunzip -c "$DUMP" | psql_as owner copy >"$T/psql.log" 2>&1
is "${PIPESTATUS[*]}" "0 0" "and over a database that has the tables" || diag "$(tail -n 3 "$T/psql.log")"
unchanged_since "$T/before" copy "too"

go BACKUP_DIR="$T/mnt/backups" BACKUP_RETENTION_DAYS=08 backup_database --reason=weekly
like "$RC$OUT" "^0$T/mnt/backups/${LIVE}_backup_" "BACKUP_DIR of the environment beats .env, and is made"
is "$("$MIGSAFE" list --backup-dir "$T/mnt/backups" --json | jq -r '.backups[].reason')" weekly "--reason weekly"
go BACKUP_DIR="/proc/nowhere" backup_database
status_is 71 "a BACKUP_DIR that cannot be made"
go MIGSAFE='box run migrate' backup_database
like "$RC$OUT" "^0\./the files/${LIVE}_backup_.*gz\$" "through a box: the file comes on standard output"
gzip -t "$APP/$OUT"
ok $? "whole"
go MIGSAFE=terminal backup_database
status_is 74 "a file changed on its way through a terminal is noticed"
is "$OUT" "" "and not told"
go BACKUP_RETENTION_DAYS=0 backup_database
[ "$RC" = 0 ] && [ -e "$APP/$OUT" ]
ok $? "BACKUP_RETENTION_DAYS=0 leaves the newest"
is "$(find "$FILES" -name "${LIVE}_backup_20*_[0-9]*[0-9].sql.gz" -type f | wc -l)" 1 "only"

# --- test_backup.sh -------------------------------------------------------------------------------------------------

databases=$(db_list)
no_database_left() { # NAME
	is "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE 'test\_backup\_%'")" 0 "$1: no database is left"
}
ID=$(newest full daily)
go test_backup "$ID"
status_is 0 "test_backup.sh of a backup's id"
like "$OUT" '9 tables.*79[ ,]?[0-9]{3} rows.*valid: ' "tells tables and rows"
no_database_left "an id"
go test_backup "$DUMP"
status_is 0 "test_backup.sh of a file"
like "$OUT" '9 tables.*79[ ,]?[0-9]{3} rows.*valid: ' "tells tables and rows"
no_database_left "a file"
go MIGSAFE='box run migrate' test_backup "../${DUMP##*/}"
status_is 0 "of a file named from where the caller stands, through a box"
no_database_left "through a box"

invalid() { # NAME FILE
	go test_backup "$2"
	status_is 76 "$1"
	like "$ERR" 'NOT VALID' "is told"
	unlike "$OUT" 'valid' "and not called valid"
	no_database_left "$1"
}
head -c 200000 "$DUMP" >"$T/cut.sql.gz"
invalid "a file that is cut off" "$T/cut.sql.gz"
gunzip -c "$DUMP" | head -n 5000 >"$T/cut.sql"
invalid "SQL that is cut off" "$T/cut.sql"
gunzip -c "$DUMP" | sed '$d' >"$T/bad.sql"
printf 'SELECT * FROM nothing_of_this_name;\n' >>"$T/bad.sql"
invalid "SQL that fails at its end" "$T/bad.sql"
printf 'hello\n' >"$T/words.sql"
invalid "no SQL" "$T/words.sql"
go test_backup "${LIVE}_20010101_000000_full"
status_is 66 "an id of no backup"
unlike "$OUT$ERR" 'valid|VALID' "is not called valid or not valid"
go DATABASE_URL=postgresql://x@localhost:1/x test_backup "$DUMP"
status_is 69 "without a server"
unlike "$OUT$ERR" 'valid|VALID' "nothing is said of the file"
cp -R "$FILES/$ID" "$T/aside"
data=$(find "$FILES/$ID" -name '*.dat*' -size +10k | sort | head -n 1)
printf 'x' | dd of="$data" bs=1 seek=5000 conv=notrunc status=none
invalid "a backup with a changed file" "$ID"
rm -rf "${FILES:?}/$ID" && mv "$T/aside" "$FILES/$ID"
unchanged_since "$T/before" shop "the live database is what it was"
is "$(db_list)" "$databases" "and no database was added"

# --- restore_database.sh ----------------------------------------------------------------------------------------------

hurt
go restore_database "$DUMP"
status_is 64 "restore_database.sh asks; without a terminal it is refused"
go restore_database "$DUMP" --yes
status_is 0 "restore_database.sh of a file"
restored "a file"
hurt
go restore_database --yes "$ID"
status_is 0 "of a backup's id"
restored "an id"
hurt
go MIGSAFE='box run migrate' restore_database --yes "../${DUMP##*/}"
status_is 0 "of a file through a box"
restored "a file through a box"
hurt
run script -qec "cd '$T/elsewhere' && PATH='$PATH' '$APP/scripts/restore_database.sh' '$DUMP'" /dev/null <<<"$LIVE"
status_is 0 "the name on a terminal confirms, though the file is standard input"
restored "on a terminal"
run script -qec "cd '$T/elsewhere' && PATH='$PATH' '$APP/scripts/restore_database.sh' '$DUMP'" /dev/null <<<"yes"
isnt "$RC" 0 "another answer does not"
unchanged_since "$T/before" shop "and nothing is done"

# --- before a migration, the migration, and health -------------------------------------------------------------------------

go backup-before-migration --label "before it"
status_is 0 "backup-before-migration.sh"
is "$(newest full pre-deploy | sed 's/_full$//')" "$(newest data pre-deploy | sed 's/_data$//')" "both kinds, of one moment"
is "$("$MIGSAFE" show "$(newest full pre-deploy)" --backup-dir "$FILES" --json | jq -r '.. | .label? // empty' | head -n 1)" \
	"before it" "options are passed on"
go DATABASE_URL="$(db_url nowhere owner)" backup-before-migration
status_is 69 "its status is migsafe's"

go migration-health
status_is 0 "migration-health.sh of a healthy database"
like "$OUT" 'migrations: .*healthy: ' "prints status and health"
app_migration "$APP" fail_halfway
state_of shop >"$T/before"
go MIGRATION_SCRIPT=split deploy-migration --dry-run
unchanged_since "$T/before" shop "deploy-migration.sh passes --dry-run on"
go MIGSAFE_REHEARSE=never MIGRATION_SCRIPT=split deploy-migration
status_is 20 "deploy-migration.sh with a failing migration: migsafe's status"
unchanged_since "$T/before" shop "the database is what it was"
drop_kept
app_forget "$APP" fail_halfway
app_migration "$APP" good_add_column
go deploy-migration
status_is 0 "deploy-migration.sh with a good one"
go DATABASE_URL="postgresql://x@localhost:1/x?host=$T" MIGSAFE_WAIT=1s deploy-migration
isnt "$RC" 0 "without a server it waits, and fails"
unlike "$ERR" 'deploy' "before the deploy"
sql_as owner shop 'UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '"'2027%'"
go migration-health
status_is 12 "migration-health.sh of an unhealthy database"
sql_as owner shop 'UPDATE _prisma_migrations SET finished_at = now() WHERE finished_at IS NULL'
go DATABASE_URL="$(db_url nowhere owner)" migration-health
status_is 69 "migration-health.sh without a database"

# --- restore-from-backup.sh ---------------------------------------------------------------------------------------------

go backup-before-migration
ID=$(newest full pre-deploy)
state_of shop >"$T/before"
emergencies() { backups | grep -o 'full emergency' | wc -l; }
hurt
go restore-from-backup latest
status_is 64 "restore-from-backup.sh without a terminal and --yes is refused"
is "$(sql_as owner shop 'SELECT count(*) FROM later')" 0 "the database is as it was"
go restore-from-backup latest --yes
status_is 0 "restore-from-backup.sh latest"
like "$OUT" "latest: $ID.*healthy: " "is the newest that is no emergency backup; health is looked at"
restored "latest"
is "$(emergencies)" 2 "an emergency backup was made before each"
EMERGENCY=$(newest full emergency)
go restore-from-backup --yes "$EMERGENCY"
status_is 0 "restore-from-backup.sh of the emergency backup"
is "$(sql_as owner shop 'SELECT count(*) FROM later')" 0 "brings back what was there before the restore"
drop_kept
go MIGSAFE='box run migrate' restore-from-backup --yes --no-backup "$ID"
status_is 0 "restore-from-backup.sh --no-backup of an id, through a box"
restored "--no-backup"
is "$(emergencies)" 3 "no emergency backup then"
hurt
run setsid -w env -i -C "$T" PATH="$PATH" "$APP/scripts/restore-from-backup.sh" --yes "${DUMP##*/}"
status_is 0 "restore-from-backup.sh of a file"
is "$(sql_as owner shop "SELECT to_regclass('later') IS NULL")" t "is the database of the file"
drop_kept
made=$(backups)
for what in "${LIVE}_20010101_000000_full" "$(newest data pre-deploy)"; do
	go restore-from-backup --yes "$what"
	isnt "$RC" 0 "restore-from-backup.sh of $what is refused"
	is "$(backups)" "$made" "before an emergency backup"
done
hurt
run script -qec "cd / && PATH='$PATH' '$APP/scripts/restore-from-backup.sh' --yes" /dev/null <<<"$ID"
status_is 0 "restore-from-backup.sh without an argument asks on a terminal"
like "$OUT" "KIND +REASON.*$ID" "after showing the backups"
restored "asked for"
run script -qec "cd / && PATH='$PATH' '$APP/scripts/restore-from-backup.sh' --yes" /dev/null <<<"nonsense"
status_is 64 "an answer that is no backup"
sql_as owner shop 'UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '"'2027%'"
go backup-before-migration
go restore-from-backup --yes latest
status_is 12 "restored, but not healthy: status 12"

done_testing
