#!/usr/bin/env bash
# A disk that becomes full in the middle of a backup, of its manifest, of an export: the free bytes are told, nothing
# half is listed or left, sessions are closed, and with room again the next backup works.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/fault.sh
. "$ROOT/tests/fault/fault.sh"

mkdir -p "$T/disk"
disk() { # SIZE: a new small disk
	umount "$T/disk" 2>/dev/null
	mount -t tmpfs -o size="$1",mode=0700 tmpfs "$T/disk" 2>/dev/null
}
disk 1m || skip_all "a small disk cannot be mounted here: needs root and mount"
MIGSAFE_BACKUP_DIR=$T/disk/backups
# shellcheck disable=SC2317 # called by the trap
unmount() { umount "$T/disk" 2>/dev/null; }
trap 'cd /; unmount; test_end' EXIT

db_create app
DATABASE_URL=$(db_url app)
# What cannot be packed: random bytes, 12 MB in two tables, more than one worker at a time.
sql app "CREATE TABLE small (id int PRIMARY KEY, v text); INSERT INTO small SELECT i, 'x' FROM generate_series(1, 100) i;
	CREATE TABLE noise AS SELECT i AS id, gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text AS v FROM generate_series(1, 60000) i;
	CREATE TABLE more AS SELECT * FROM noise; ANALYZE" || bail "the tables could not be made"
fingerprint app >"$T/before"

full() { # NAME: the last command met the full disk, and left nothing
	status_is 71 "$1: ends with 71"
	like "$OUT$ERR" 'No space left on device|not enough room|does not fit' "$1: says that the disk is full"
	like "$OUT$ERR" '[0-9]+ bytes are free|[0-9.]+ [kMG]?B (are )?free' "$1: and how much is free"
	nothing_left "$1" app
	is "$(listed)" "" "$1: nothing is listed"
}

for jobs in 1 4; do
	for compression in none gzip:1 zstd:1; do
		disk 3m
		run "$MIGSAFE" backup --compression "$compression" --jobs "$jobs" --json
		full "data does not fit, $compression, $jobs jobs"
		is "$(find "$MIGSAFE_BACKUP_DIR" -mindepth 1 ! -path '*/.migsafe*')" "" "$compression, $jobs jobs: the disk gets its room back"
	done
done

# Room for all data, and none for what comes last: sizes around that of the backup meet the manifest, the sums, toc.dat.
disk 40m
run "$MIGSAFE" backup --kind full --compression gzip:1
status_is 0 "with room the backup works"
kilobytes=$(du -sk "$MIGSAFE_BACKUP_DIR" | cut -f1)
bad='' met=0
for less in 4 8 12 16 20 24 28 32 36 40 48 64; do
	disk $((kilobytes - less))k
	run "$MIGSAFE" backup --kind full --compression gzip:1 --json
	case $RC in
	0) [ "$(listed | wc -l)" = 1 ] || bad+="$less: done, but not listed; " ;;
	71)
		met=$((met + 1))
		[ -z "$(listed)$(leftovers)" ] || bad+="$less: listed $(listed), left $(leftovers); "
		[[ $OUT =~ 'bytes are free' ]] || bad+="$less: free bytes are not told: $OUT; "
		;;
	*) bad+="$less: status $RC: $OUT; " ;;
	esac
done
is "$bad" "" "a disk that lacks the last kilobytes: a whole backup, or none"
[ "$met" -ge 6 ]
ok $? "most of them were too small ($met)"
wait_for 20 no_sessions app
ok $? "all sessions are closed"

# --- others may fill it, and empty it again ----------------------------------------------------------------

disk 24m
run "$MIGSAFE" backup --kind full --compression gzip:1 --json
status_is 0 "a first backup"
take=$(listed)
run "$MIGSAFE" verify latest
status_is 0 "which is good"
dd if=/dev/zero of="$T/disk/filler" bs=1k 2>/dev/null
run "$MIGSAFE" backup --kind full --json
status_is 71 "then the disk is full to the last byte"
is "$(listed)" "$take" "the first backup is there, and alone"
is "$(leftovers)" "" "nothing half is left"
run "$MIGSAFE" verify latest
[[ $RC =~ ^(0|71)$ ]]
ok $? "it can still be looked at ($RC)"
run "$MIGSAFE" list
status_is 0 "and listed"
rm "$T/disk/filler"
run "$MIGSAFE" verify latest --level restore
status_is 0 "nor was it harmed"
run "$MIGSAFE" prune --keep-last 1
run "$MIGSAFE" backup --kind full --compression gzip:1
[[ $RC =~ ^(0|71)$ ]]
ok $? "a second one has room or is refused"

# --- export ----------------------------------------------------------------------------------------------------

disk 24m
MIGSAFE_BACKUP_DIR=$T/backups
run "$MIGSAFE" backup --kind full
status_is 0 "a backup elsewhere"
id=${OUT%% *}
for what in sql sql.gz tar; do
	disk 2m
	arguments=(--output "$T/disk/out.$what")
	[ "$what" != tar ] || arguments+=(--format tar)
	run "$MIGSAFE" export "$id" "${arguments[@]}"
	if [ "$RC" = 64 ]; then
		diag "export: $ERR"
	fi
	status_is 71 "export to $what on a full disk"
	like "$ERR" 'No space left on device' "$what: which is said"
	is "$(find "$T/disk" -mindepth 1)" "" "$what: nothing half is left"
done

live_is "$T/before" app "the database is what it was"
done_testing
