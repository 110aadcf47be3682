#!/usr/bin/env bash
# Hooks run where docs/HOOKS.md says: in order, told what is known; before a point a failure refuses the
# deploy with nothing changed, in a rollback it only warns.
# shellcheck disable=SC2016,SC2317 # hooks expand their own text; wait_for calls
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base

POINTS="pre-backup post-backup pre-migrate post-migrate pre-restore post-restore end"
HOOKS=$T/hooks
CALLS=$T/calls
export CALLS

hook() { # POINT/NAME <SCRIPT
	mkdir -p "$HOOKS/${1%%/*}"
	{ printf '#!/bin/sh\n'; cat; } >"$HOOKS/$1"
	chmod +x "$HOOKS/$1"
}

# recorders: hooks that only note that they ran, at every point; no calls yet.
recorders() {
	local point
	rm -rf "$HOOKS"
	: >"$CALLS"
	for point in $POINTS; do
		printf '%s\n' 'echo "$MIGSAFE_RUN_POINT${MIGSAFE_RUN_REASON:+ $MIGSAFE_RUN_REASON}${MIGSAFE_RUN_RESTORED:+ restored=$MIGSAFE_RUN_RESTORED}${MIGSAFE_RUN_VERDICT:+ $MIGSAFE_RUN_VERDICT $MIGSAFE_RUN_EXIT}" >>"$CALLS"' |
			hook "$point/50-record"
	done
}

calls() { # -> in one line
	paste -sd, "$CALLS"
}

deploy() { # NAME [ARGUMENT...]
	local name=$1
	shift
	migsafe_for "$name" deploy --json --hooks-dir "$HOOKS" "$@"
}

hook_records() { # JQ-FILTER: of each record of a hook
	journal_of | jq -r "select(.step == \"hook\") | $1"
}

# --- a good deploy ------------------------------------------------------------------------------------
shop_new good
app_migration "$APP" good_add_column
recorders
hook post-migrate/10-say <<'END'
echo "on stdout"
echo "on stderr" >&2
END
for point in post-backup end; do
	hook "$point/90-env" <<'END'
env -0 >"$CALLS.$MIGSAFE_RUN_POINT.${MIGSAFE_RUN_REASON:-end}"
END
done
deploy good
status_is 0 'a deploy with hooks at every point is done'
is "$(calls)" 'pre-backup pre-deploy,post-backup pre-deploy,pre-migrate,post-migrate,pre-backup post-deploy,post-backup post-deploy,end migrated 0' \
	'they ran in the order of the run, none of a rollback among them'
# Roles of other tests on this server are none of ours.
is "$(json '[.warnings[] | select(test("^role .* default_transaction_read_only") | not)] | join("; ")')" '' 'no warning of them'
told() { # FILE NAME -> what the hook was told
	tr '\0\n' '\n|' <"$CALLS.$1" | sed -n "s/^MIGSAFE_RUN_$2=//p"
}
run_id=$(json .run)
is "$(told post-backup.pre-deploy ID)" "$run_id" 'they are told the run'
is "$(told post-backup.pre-deploy COMMAND)" deploy 'and the command'
is "$(told post-backup.pre-deploy DATABASE)" "$(db_name good)" 'and the database'
is "$(told post-backup.pre-deploy HOST)" "$TEST_PGHOST" 'and the host'
is "$(told post-backup.pre-deploy PROJECT)" "$APP" 'and the project'
is "$(told post-backup.pre-deploy STATE_DIR)" "$BACKUPS/.migsafe" 'and the state folder'
is "$(told post-backup.pre-deploy MIGRATIONS)" "$(json '.migrations[].name')" 'and the migrations'
backup=$(told post-backup.pre-deploy BACKUP)
ok "$([ -f "$backup/toc.dat" ] && echo 0 || echo 1)" 'and the folder of the full backup'
ok "$([ -f "$(told post-backup.pre-deploy DATA_BACKUP)/manifest.json" ] && echo 0 || echo 1)" 'and of the data backup'
is "$(told post-backup.pre-deploy BACKUP_ID)" "$(basename "$backup")" 'and its id'
is "$(told post-backup.pre-deploy VERDICT)$(told post-backup.pre-deploy EXIT)$(told post-backup.pre-deploy REPORT)" '' 'no verdict before the end'
isnt "$(told post-backup.post-deploy BACKUP)" "$backup" 'after the deploy the backup is the new one'
is "$(told post-backup.post-deploy DATA_BACKUP)" '' 'which has no data backup'
is "$(jq -r .verdict "$(told end.end REPORT)")" migrated 'at the end the report can be read'
is "$(hook_records '"\(.event) \(.data.point)/\(.data.file) \(.data.exit_status) \(.data.elapsed_ms >= 0) \(.data.output)"' | grep say)" \
	'note post-migrate/10-say 0 true on stdout' 'the journal has what they print'
is "$(hook_records 'select(.data.file == "10-say") | .data.output')" $'on stdout\non stderr' 'in its order'
like "$ERR" 'info: hook post-migrate/10-say: on stdout' 'and so has the log'
: >"$CALLS"
deploy good
is "$RC $(calls)" '0 ' 'with nothing to do none is run'

# --- a rollback -----------------------------------------------------------------------------------------
shop_new back
app_migration "$APP" fail_halfway
state_of back >"$T/before"
recorders
printf '%s\n' 'kill -TERM $PPID; sleep 1; echo survived >>"$CALLS"; exit 5' | hook pre-restore/60-fail
printf '%s\n' 'echo not >>"$CALLS"' | hook pre-restore/70-not
deploy back
status_is 20 'a failing pre-restore hook and a SIGTERM do not stop a rollback'
is "$(calls)" 'pre-backup pre-deploy,post-backup pre-deploy,pre-migrate,pre-restore,survived,post-restore restored=yes,end restored 20' \
	'the rollback is between its hooks'
like "$(json '.warnings | join(" ")')" 'pre-restore/60-fail.* failed with exit status 5' 'the failure is a warning'
unchanged_since "$T/before" back 'the database is as before'

# --- a rollback that fails ---------------------------------------------------------------------------------
shop_new lost
app_migration "$APP" fail_halfway
recorders
printf '%s\n' 'rm -rf "$MIGSAFE_RUN_BACKUP"' | hook pre-restore/60-lose
deploy lost
status_is 22 'a rollback without its backup is broken'
is "$(calls)" 'pre-backup pre-deploy,post-backup pre-deploy,pre-migrate,pre-restore,post-restore restored=no,end broken 22' \
	'post-restore runs all the same, told that nothing was restored'

# --- failing before a point ---------------------------------------------------------------------------------
for point in pre-backup pre-migrate; do
	shop_new "$point"
	app_migration "$APP" good_add_column
	state_of "$point" >"$T/before"
	recorders
	printf '%s\n' 'echo some; echo "not today"; exit 3' | hook "$point/60-fail"
	deploy "$point"
	status_is 74 "$point: a failing hook ends with 74"
	is "$(json '"\(.verdict) \(.exit) \(.attempts | length)"')" 'refused 74 0' "$point: the deploy is refused, Prisma never started"
	like "$(json '"\(.error.message); \(.error.detail)"')" "hook \"$point/60-fail\" failed with exit status 3; Its last line: not today" \
		"$point: the report names it"
	unchanged_since "$T/before" "$point" "$point: the database is as before"
	is "$(hook_records 'select(.event == "failed") | "\(.data.point)/\(.data.file) \(.data.exit_status) \(.error.kind)"')" \
		"$point/60-fail 3 child" "$point: the journal has the failure"
	is "$(tail -n 1 "$CALLS")" 'end refused 74' "$point: the end is told"
	unlike "$(calls)" 'post-migrate|restore' "$point: nothing after it is run"
	is "$(find "$BACKUPS" -name toc.dat | wc -l)" "$([ "$point" = pre-migrate ] && echo 1 || echo 0)" "$point: the backups are those taken before"
	is "$(find "$BACKUPS" -name manifest.json -exec jq 'select(.pinned)' {} +)" '' "$point: none of them pinned"
	no_side_databases "$point" "$point: no side database is left"
	rm "$HOOKS/$point/60-fail"
	deploy "$point"
	status_is 0 "$point: and the next deploy is done"
done

# --- time limit, cancelling ------------------------------------------------------------------------------------
shop_new stopped
app_migration "$APP" good_add_column
state_of stopped >"$T/before"
recorders
printf '%s\n' 'sleep 600 & echo $! >"$CALLS.pid"; wait' | hook pre-migrate/60-hang
deploy stopped --hook-timeout 1s
status_is 79 'a hook that hangs ends the deploy with 79'
is "$(json .verdict)" refused 'refused'
like "$(json .error.message)" 'pre-migrate/60-hang" ran longer than hook-timeout' 'the limit is named'
sleeper=$(cat "$CALLS.pid")
gone() { ! kill -0 "$sleeper" 2>/dev/null || grep -q '^State:.Z' "/proc/$sleeper/status"; }
wait_for 5 gone
ok $? 'what it had started is ended too'
unchanged_since "$T/before" stopped 'the database is as before'
printf '%s\n' 'kill -TERM $PPID; exec sleep 600' | hook pre-migrate/60-hang
: >"$CALLS"
deploy stopped
status_is 130 'SIGTERM during a hook ends with 130'
is "$(json .verdict) $(tail -n 1 "$CALLS")" 'refused end refused 130' 'refused, and the end is told'
unchanged_since "$T/before" stopped 'the database is as before'

# --- failing after a point ----------------------------------------------------------------------------------------
recorders
for point in post-backup post-migrate end; do
	printf '%s\n' 'exit 1' | hook "$point/10-fail"
done
printf '%s\n' '[ "$MIGSAFE_RUN_REASON" = pre-deploy ]' | hook pre-backup/60-only-before
deploy stopped
status_is 0 'hooks that fail after a point fail no deploy'
is "$(json .verdict)" migrated 'its verdict is migrated'
warnings=$(json '.warnings | join("\n")')
for point in post-backup post-migrate end; do
	like "$warnings" "hook \"$point/10-fail\" failed with exit status 1" "$point: a warning in the report"
done
like "$warnings" 'backup-after.*hook "pre-backup/60-only-before" failed' 'as is one before the backup after the deploy'
is "$(calls)" 'pre-backup pre-deploy,post-backup pre-deploy,pre-migrate,post-migrate,pre-backup post-deploy,end migrated 0' \
	'the others of their points are run'
is "$(jq -r '.warnings | join("\n")' "$BACKUPS/.migsafe/runs/$(json .run)/report.json")" "$warnings" \
	'the report that is kept has them too'

# --- what cannot be run --------------------------------------------------------------------------------------------
shop_new refused
app_migration "$APP" good_add_column
state_of refused >"$T/before"
recorders
: >"$HOOKS/post-migrate/60-plain"
deploy refused
status_is 11 'a hook that is not executable refuses the deploy'
is "$(json .verdict)" refused 'before anything is done'
like "$(json .error.message)" 'post-migrate/60-plain" cannot be run' 'and is named'
is "$(calls)" 'end refused 11' 'only the end is run'
migsafe_for refused deploy --dry-run --hooks-dir "$HOOKS"
status_is 0 'a dry run only reports'
like "$ERR" 'warning: a deploy would be refused: hook "post-migrate/60-plain" cannot be run' 'that it would be'
mv "$HOOKS/post-migrate/60-plain" "$HOOKS/post-migrate/60-plain.sample"
migsafe_for refused deploy --dry-run --hooks-dir "$HOOKS"
unlike "$ERR" 'would be refused' 'a sample is left alone'
rm -rf "$HOOKS"
deploy refused
status_is 78 'a hooks-dir that is not there ends with 78'
like "$(json .error.message)" "names no folder: \"$HOOKS\"" 'and is named'
unchanged_since "$T/before" refused 'the database is as before'

# --- secrets of .env, and the folder beside migsafe.json ------------------------------------------------------------
mkdir "$APP/hooks" "$APP/hooks/pre-backup"
cat >"$APP/hooks/pre-backup/env" <<'END'
#!/bin/sh
env >"$CALLS.env"
echo "got s3cr3tword"
END
chmod +x "$APP/hooks/pre-backup/env"
role_create secret "SUPERUSER PASSWORD 's3cr3tword' IN ROLE password_users"
printf '{"backup-dir": "%s"}\n' "$BACKUPS" >"$APP/migsafe.json"
printf 'DATABASE_URL=%s\nSMTP_PASSWORD=other\n' "$(db_url refused secret:s3cr3tword)" >"$APP/.env"
run env -C "$APP" -u DATABASE_URL OF_THE_CALLER=1 "$MIGSAFE" deploy
status_is 0 'hooks beside migsafe.json are found'
like "$(cat "$CALLS.env")" 'OF_THE_CALLER=1' 'they have the environment of the caller'
unlike "$(cat "$CALLS.env")" 's3cr3tword|SMTP_PASSWORD|DATABASE_URL' 'and nothing of .env'
like "$ERR" 'got \*\*\*' 'a password that a hook prints is not in the log'
unlike "$ERR$(cat "$BACKUPS"/.migsafe/runs/*/*)" 's3cr3tword' 'nor in the journal'
done_testing
