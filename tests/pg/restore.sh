# What the tests of restores share: the database app and the folder of its backups, states of databases; sourced after
# tests/lib.sh.
# shellcheck shell=bash

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

state() { # DB NAME: keeps the state of a database under a name
	"$ROOT/scripts/db-fingerprint.sh" "$(db_name "$1")" >"$T/state.$2"
}

same() { # DB NAME TEST-NAME: is the database in that state?
	state "$1" now
	if cmp -s "$T/state.$2" "$T/state.now"; then pass "$3"; else fail "$3" "$(diff "$T/state.$2" "$T/state.now" | head -n 20)"; fi
}

# shellcheck disable=SC2120 # options are of some
take() { # [OPTION...]: a full backup -> id
	"$MIGSAFE" backup --kind full "$@" >"$T/made" 2>"$T/log" || bail "backup: $(cat "$T/log")"
	cut -d' ' -f1 "$T/made"
}
