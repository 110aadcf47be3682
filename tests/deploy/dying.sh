# What tests of recover share: deploys that die at a point.  Sourced after tests/deploy/app.sh.
# shellcheck shell=bash
# shellcheck disable=SC2317 # called by wait_for
HOOKS=$T/hooks

no_hooks() {
	rm -rf "${HOOKS:?}"
	mkdir -p "$HOOKS"
}
# die_at POINT: a hook that kills migsafe there.  Once: a recover passes it.
die_at() {
	no_hooks
	mkdir -p "$HOOKS/$1"
	printf '#!/bin/sh\nrm -f "$0"\nkill -9 "$PPID"\nsleep 5\n' >"$HOOKS/$1/die"
	chmod +x "$HOOKS/$1/die"
}
deploy() { # NAME [ARGUMENT...]
	local name=$1
	shift
	migsafe_for "$name" deploy --hooks-dir "$HOOKS" "$@"
}
recover() { # NAME [ARGUMENT...]
	local name=$1
	shift
	migsafe_for "$name" recover --hooks-dir "$HOOKS" --json "$@"
}
run_of() { basename "$(find "$BACKUPS/.migsafe/runs" -mindepth 1 -maxdepth 1 -type d | sort | tail -n 1)"; }
report_of() { jq -r "$1" "$BACKUPS/.migsafe/runs/$(run_of)/report.json"; }

dead_in_migrate() { # NAME [MIGRATION [ARGUMENT...]]: a deploy killed in the middle of a migration
	shop_new "$1"
	app_migration "$APP" "${2:-very_slow}"
	no_hooks
	(cd "$APP" && DATABASE_URL=$(db_url "$1" owner) MIGSAFE_BACKUP_DIR=$BACKUPS MIGRATION_SCRIPT=split \
		exec "$MIGSAFE" deploy "${@:3}") >"$T/log" 2>&1 &
	pid=$!
	wait_for 120 sleeping_in "$1" || diag "$(cat "$T/log")"
	for dog in $(pgrep -P "$pid" -x migsafe-fence); do kill -9 "$dog"; done # else it would recover the run
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	wait_for 20 no_prisma "$1"
}
no_prisma() {
	sql_as owner "$1" "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'migsafe:%'
		AND datname = current_database()" >/dev/null
	! sleeping_in "$1"
}
# older SECONDS: the records of the newest run are that much older.
older() {
	local journal
	journal=$BACKUPS/.migsafe/runs/$(run_of)/journal.jsonl
	jq -c --argjson s "$1" '.at |= ((.[0:19] + "Z" | fromdate) - $s | todate | .[0:19] + ".000Z")' "$journal" >"$T/older" &&
		cp "$T/older" "$journal"
}
