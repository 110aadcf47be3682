#!/usr/bin/env bash
# A restore, killed with SIGKILL around each record of its journal: live is the old one or the restored one, whole.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/fault/matrix.sh
. "$ROOT/tests/fault/matrix.sh"
matrix_base
WANT=0

live_new
migsafe_at never backup --kind full --json
status_is 0 'a backup' || bail "$ERR"
id=$(json '.backups[0].id')
mv "$BACKUPS" "$T/taken"
prepare() {
	cp -a "$T/taken" "$BACKUPS"
	sql_as owner live "UPDATE \"Product\" SET name = 'since'; CREATE TABLE since (id int PRIMARY KEY)" || bail 'no changes'
}
scenario restore "$id" --yes
each_point killed
in_the_middle_of 10 'restore note' 'swap begin'
in_the_middle_of 60 'restore note'
matrix_done
