#!/usr/bin/env bash
# Several deploys at once on one database: one migrates, the others end well; nobody waits inside the server.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base
export MIGSAFE_REHEARSE=never

deploy_of() { # NAME NUMBER [STATE-FOLDER]: in the background; pids in PIDS
	(cd "$APP" && DATABASE_URL=$(db_url "$1" owner) MIGSAFE_BACKUP_DIR=$BACKUPS MIGSAFE_STATE_DIR=${3:-$BACKUPS/.migsafe} \
		MIGRATION_SCRIPT=$MODE exec "$MIGSAFE" deploy --json --wait-for-other 100s >"$T/out.$2" 2>"$T/err.$2") &
	PIDS+=("$!")
}

ends_of() { # sets ENDS to the exit statuses, counted: "10 0"
	local pid all=
	for pid in "${PIDS[@]}"; do
		wait "$pid"
		all+="$?"$'\n'
	done
	ENDS=$(printf '%s' "$all" | sort | uniq -c | awk '{print $1 " " $2}' | paste -sd,)
}

verdicts() { # -> "1 migrated,9 nothing-to-do"
	cat "$T"/out.* | jq -r .verdict | sort | uniq -c | awk '{print $1 " " $2}' | paste -sd,
}

# --- ten at once, and a migration that waits for every transaction of the database -----------------------
shop_new ten
app_migration "$APP" concurrently_alone
MODE='split'
PIDS=()
for i in 1 2 3 4 5 6 7 8 9 10; do deploy_of ten "$i"; done
ends_of
is "$ENDS" '10 0' 'ten deploys at once: all exit 0' || diag "$(cat "$T"/err.*)"
is "$(verdicts)" '1 migrated,9 nothing-to-do' 'one migrates, nine have nothing to do'
is "$(sql ten "SELECT count(*) FROM _prisma_migrations WHERE migration_name LIKE '2027%'")" 1 'the migration was run once'
is "$(sql ten 'SELECT count(*) FROM pg_index WHERE NOT indisvalid')" 0 'its index is valid'
is "$(find "$BACKUPS/.migsafe/runs" -mindepth 1 -maxdepth 1 | wc -l)" 1 'and one run was made'
like "$(cat "$T"/err.*)" 'is at: ' 'those who wait tell how far it is'
rm -f "$T"/out.* "$T"/err.*

# --- each with a state folder of its own, as in containers: the ledger is complete before the verdict is ----
shop_new apart
app_migration "$APP" good_add_column
mkdir -p "$T/hooks/post-migrate" "$T/hooks/pre-backup"
# Holds the first run between its migration and its health, then in its last backup.
cat >"$T/hooks/post-migrate/10-hold" <<END
#!/bin/sh
touch "$T/migrated"
while [ ! -e "$T/go" ]; do sleep 0.05; done
END
cat >"$T/hooks/pre-backup/10-hold" <<END
#!/bin/sh
[ "\$MIGSAFE_RUN_REASON" = post-deploy ] || exit 0
touch "$T/saving"
while [ ! -e "$T/end" ]; do sleep 0.05; done
END
chmod +x "$T"/hooks/*/*
PIDS=()
MIGSAFE_HOOKS_DIR=$T/hooks deploy_of apart 1 "$T/state1"
first=${PIDS[0]}
wait_for 60 test -e "$T/migrated"
PIDS=()
deploy_of apart 2 "$T/state2"
second=${PIDS[0]}
wait_for 20 grep -q 'waiting for its end' "$T/err.2"
ok $? 'a complete ledger is not the verdict: the second waits, though its folder knows nothing of the first'
touch "$T/go"
wait_for 60 test -e "$T/saving"
wait "$second"
is $? 0 'it ends as soon as the first has passed its commit point'
kill -0 "$first" 2>/dev/null
ok $? 'which is still at its last backup'
touch "$T/end"
wait "$first"
is $? 0 'and ends well'
rm -f "$T"/out.* "$T"/err.*

# --- one that fails for good: the others say so at once, without a try of their own --------------------------
shop_new fail
app_migration "$APP" fail_halfway
state_of fail >"$T/before"
PIDS=()
for i in 1 2 3 4; do deploy_of fail "$i"; done
ends_of
is "$ENDS" '1 20,3 21' 'four at once with a migration that fails: one is restored, three are refused'
is "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '$(db_name fail)\_\_migsafe\_kept%'")" 1 'after one rollback'
unchanged_since "$T/before" fail 'the database is as before'

# --- how long it waits ------------------------------------------------------------------------------------
shop_new busy
app_migration "$APP" very_slow
PIDS=()
deploy_of busy 1
wait_for 60 sleeping_in busy
migsafe_for busy deploy --wait-for-other 1s
status_is 75 'wait-for-other ends the waiting'
like "$ERR" 'another run of migsafe works on database' 'and says for whom'
kill -INT "${PIDS[0]}"
wait "${PIDS[0]}"
# --- a folder of a run that is just being made: no journal yet ----------------------------------------------
mkdir -p "$BACKUPS/.migsafe/runs/20300101_000000_abcd"
migsafe_for ten deploy
status_is 0 'a run without a journal yet is none'
rm -rf "$BACKUPS/.migsafe/runs/20300101_000000_abcd"
done_testing
