#!/usr/bin/env bash
# Proves one run of the real Prisma: what comes out of it, who blocked it, and that its sessions end.
# shellcheck disable=SC2317,SC2209 # functions given to run are reachable; run is no value
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=scripts/node.sh
. "$ROOT/scripts/node.sh"
DRIVER=${MIGSAFE%/*}/tests/prisma_driver
packages=$(npm_cache "$ROOT/fixtures/app") || bail "no npm packages of fixtures/app"
PATH=$(node_bin):$PATH || bail "no node"
NAME=migsafe:20261120_194609_ab12

project() { # NAME js|native [MIGRATION...]: a copy of the shop, with more migrations after its own
	local dir=$1 engine=$2 at=20990101000000 name
	mkdir "$dir"
	cp -R "$ROOT/fixtures/app/prisma" "$ROOT/fixtures/app/package.json" "$dir/"
	ln -s "$packages/node_modules" "$dir/node_modules"
	[ "$engine" = native ] || cp "$ROOT/fixtures/app/prisma.config.ts" "$dir/"
	for name in "${@:3}"; do
		mkdir "$dir/prisma/migrations/${at}_$name"
		cp "$ROOT/fixtures/migrations/$name/migration.sql" "$dir/prisma/migrations/${at}_$name/"
		at=$((at + 1))
	done
}
own_migration() { # PROJECT SQL
	mkdir "$1/prisma/migrations/20990101000009_own"
	printf '%s\n' "$2" >"$1/prisma/migrations/20990101000009_own/migration.sql"
}
shop() { # DB: a seeded shop of its own
	sql postgres "CREATE DATABASE \"$(db_name "$1")\" TEMPLATE \"$(db_name shop)\""
}
native() { # COMMAND...: with the stand-in for the native engine
	(
		native=$ROOT/fixtures/native
		# shellcheck source=fixtures/native/env.sh
		. "$native/env.sh"
		NATIVE_MODULES=$packages exec "$@"
	)
}
deploy() { # PROJECT DB [LOCK-MS] [LIMIT-MS]
	"$DRIVER" deploy "$1" "$(db_url "$2")" "$NAME" "${3:-2000}" "${4:-60000}"
}
out() { # KEY -> its value in OUT
	sed -n "s/^$1: //p;/^--- stdout/q" <<<"$OUT"
}
sessions() { # DB -> how many of Prisma's sessions live there
	sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$(db_name "$1")' AND application_name = '$NAME'"
}

# --- it works ------------------------------------------------------------------------------------------

db_create shop
project js js
run deploy js shop
status_is 0 "the shop's history is deployed"
is "$(out class) $(out exit) $(out seen) $(out elsewhere)" "none 0 1 0" "success, seen in our database"
is "$(out target)" "$(db_name shop)" "the JavaScript engine names the database only"
is "$(sql shop 'SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL')" 12 "the ledger has them all"
run deploy js shop
is "$(out class)" none "nothing pending is success too"
sql shop <"$ROOT/fixtures/app/seed.sql" >/dev/null

project checks native
own_migration checks "DO \$\$ BEGIN IF current_setting('lock_timeout') <> '1234ms' OR current_setting('application_name') <> '$NAME'
	OR current_setting('work_mem') <> '7MB' THEN RAISE 'lock_timeout %, name %, work_mem %', current_setting('lock_timeout'),
	current_setting('application_name'), current_setting('work_mem'); END IF; END \$\$;"
shop a
DRIVER_OPTIONS='-c work_mem=7MB' run native "$DRIVER" deploy checks "$(db_url a postgres 'options=-c%20work_mem%3D5MB')" "$NAME" 1234 60000
is "$(out class) $(out message)" "none " "lock_timeout, name and more options reach the session, after those of the URL"
is "$(out target)" "$(db_name a) at \"localhost:5432\"" "the native engine names the URL's host"
is "$(out elsewhere)" 0 "which is ours, though the socket is another"

project env js
cat >>env/prisma.config.ts <<'END'
import { writeFileSync } from 'node:fs'
writeFileSync('env.json', JSON.stringify(process.env))
END
run env FORCE_COLOR=1 DEBUG='*' PGFIRST=1 PG_OTHER=1 MIGSAFE_TOKEN=secret DATABASE_URL=wrong KEPT=1 \
	"$DRIVER" deploy env "$(db_url a)" "$NAME" 1000 60000
is "$(jq -r '[.FORCE_COLOR, .DEBUG, .PGFIRST, .PG_OTHER, .MIGSAFE_TOKEN, .KEPT, .CHECKPOINT_DISABLE, .NO_COLOR, (.DATABASE_URL == .DIRECT_URL)] | map(tostring) | join(" ")' env/env.json)" \
	"null null null null null 1 1 1 true" "it inherits what it should, and both variables have the URL"

# A child that the CLI leaves behind, as an engine may be when the CLI alone is killed.
cat >linger.cjs <<'END'
if (/prisma.build.index.js$/.test(process.argv[1])) require('node:child_process').spawn('sleep', ['66'], { stdio: 'ignore' }).unref()
END
NODE_OPTIONS="--require $T/linger.cjs" run deploy js a
of_its_group() { ps -e -o pgid=,stat=,args= | awk -v group="$(cat driver.pid)" '$1 == group && $2 !~ /^Z/'; }
group_gone() { [ -z "$(of_its_group)" ]; }
wait_for 5 group_gone # who is killed is there for a moment yet
is "$(out class) $(of_its_group)" "none " "nothing of its group outlives it"

# --- it fails ------------------------------------------------------------------------------------------------

project half js fail_halfway
shop b
MIGRATION_SCRIPT="split" run deploy half b
is "$(out class) $(out exit) $(out code)" "permanent 1 " "a failing migration is permanent (JavaScript engine)"
is "$(out message)" "ERROR: division by zero" "the server's words are the message"
run deploy half b
is "$(out class) $(out code) $(out migration)" "permanent P3009 20990101000000_fail_halfway" "the failed row stops the next run"

project nhalf native fail_halfway
shop c
run native "$DRIVER" deploy nhalf "$(db_url c)" "$NAME" 2000 60000
is "$(out class) $(out code) $(out sqlstate) $(out migration)" "permanent P3018 22012 20990101000000_fail_halfway" \
	"the native engine says P3018, SQLSTATE and migration"
is "$(out message)" "ERROR: division by zero" "and the same words"

project hidden native own_transaction
shop d
run native "$DRIVER" deploy hidden "$(db_url d)" "$NAME" 2000 60000
is "$(out class) $(out sqlstate) $(out migration)" "permanent 25P02 20990101000000_own_transaction" \
	"a BEGIN of its own hides the cause, but not which migration it was"

run "$DRIVER" deploy js "postgresql://postgres@localhost/$(db_name d)?host=$T" "$NAME" 2000 60000
is "$RC" 69 "without a server the driver has no watch"
cp -R js gone
sed -i "s|process.env.DATABASE_URL|'postgresql://postgres@127.0.0.1:1/x'|" gone/prisma.config.ts
run deploy gone d
is "$(out class) $(out seen)" "before 0" "a server that it cannot reach is 'before', and no session was seen"

cp -R nhalf other
db_create other
sed -i "s|env(\"DATABASE_URL\")|\"$(db_url other)\"|" other/prisma/schema.prisma
run native "$DRIVER" deploy other "$(db_url d)" "$NAME" 2000 60000
is "$(out seen) $(out elsewhere) $(out target)" "0 1 $(db_name other) at \"localhost:5432\"" "a URL written into the schema is seen to lead elsewhere"

DRIVER_REFUSES=1 run deploy js d
is "$RC $(out exit)" "71 143" "what could not be journaled is not run"
like "$ERR" 'the journal is full' "and says why"
mv js/node_modules js/away
run deploy js d
is "$(out class) $(out exit)" "permanent 1" "without its packages it is permanent"
mv js/away js/node_modules

# --- it waits -------------------------------------------------------------------------------------------------

project wait js lock_wait
shop e
bg_sql e "SET application_name = 'a report'; BEGIN; SELECT count(*) FROM \"Order\" -- monthly"
pid=$(sql postgres "SELECT pid FROM pg_stat_activity WHERE application_name = 'a report'")
run deploy wait e 2000
is "$(out class) $(out sqlstate) $(out 'lock timeout')" "transient 55P03 1" "a lock in the way is transient"
is "$(out blocker) $(out 'blocker application')" "$pid a report" "its holder is named"
like "$(out 'blocker query')" 'SELECT count.* FROM "Order" -- monthly' "with what it ran last"
like "$OUT" 'waiting: [^ ]?.*ALTER TABLE "Order"' "and the statement that waited"
waited=$(out waited)
[ "$waited" -ge 1200 ] && [ "$waited" -le 3000 ]
ok $? "for about as long as lock_timeout ($waited ms)"
bg_kill "$BG"

run "$DRIVER" lock "$(db_url e)" 0
is "$RC" 0 "nobody holds Prisma's lock"
bg_sql e "SET application_name = 'deploy of another'; SELECT pg_advisory_lock(72707369)"
pid=$(sql postgres "SELECT pid FROM pg_stat_activity WHERE application_name = 'deploy of another'")
run "$DRIVER" lock "$(db_url e)" 500
status_is 75 "somebody does"
like "$ERR" "busy: .*database \"$(db_name e)\" .*\\(pid $pid, application \"deploy of another\", client local\\)" "who is named"
run "$DRIVER" lock "$(db_url d)" 0
is "$RC" 0 "in that database, not in another"
run deploy wait e 1000
is "$(out class) $(out 'lock timeout') $(out blocker)" "transient 1 $pid" "Prisma itself is stopped there by lock_timeout"
(sleep 1 && bg_kill "$BG") &
"$DRIVER" lock "$(db_url e)" 20000
bg_kill "$BG"
run "$DRIVER" lock "$(db_url e)" 5000
is "$RC" 0 "waiting ends when the holder is gone"

sql e "BEGIN; LOCK TABLE \"Order\"; PREPARE TRANSACTION '${TEST_PREFIX}held'"
sql e "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL"
run deploy wait e 1000
is "$(out class) $(out blocker)" "transient -1" "a prepared transaction in the way is told as such"
sql e "ROLLBACK PREPARED '${TEST_PREFIX}held'"

# --- it is killed -----------------------------------------------------------------------------------------------

killed() { # PROJECT DB COMMAND...: the CLI alone is killed while its backend is at work
	rm -f driver.pid
	"${@:3}" >"$T/killed" 2>&1 &
	local driver=$!
	wait_for 90 eval "sql postgres \"SELECT pid FROM pg_stat_activity WHERE datname = '$(db_name "$2")' AND application_name = '$NAME'
		AND query ~ 'pg_sleep' AND state = 'active'\" | grep -q ." || fail "the migration began"
	kill -KILL "$(cat driver.pid)"
	wait "$driver"
	RC=$?
	OUT=$(cat "$T/killed")
}

project slow js very_slow
shop f
killed slow f "$DRIVER" deploy slow "$(db_url f)" "$NAME" 2000 60000
is "$RC $(out signal) $(out class) $(out message)" "0 9 unknown Prisma was ended by signal 9" "a killed CLI is unknown"
isnt "$(sessions f)" 0 "its backend works on"
role_create plain
run "$DRIVER" end "$(db_url f plain)" "$NAME"
status_is 11 "a role that may not end it is told so"
like "$ERR" 'preflight: could not end .*pid [0-9]+.*hint: Grant pg_signal_backend' "with what to grant"
run "$DRIVER" end "$(db_url f)" "$NAME"
is "$RC $(sessions f)" "0 0" "then it is ended"
is "$(sql f "SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NULL")" 1 "and the migration stays undone"
run "$DRIVER" end "$(db_url f)" "$NAME"
is "$RC" 0 "ending none is no error"

project nslow native very_slow
shop g
killed nslow g native "$DRIVER" deploy nslow "$(db_url g)" "$NAME" 2000 60000
is "$(out signal) $(out class) $(out migration)" "9 unknown 20990101000000_very_slow" "the same with the native engine"
# In a container without an init an ended orphan may stay a zombie.
is "$(ps -e -o pgid=,stat=,args= | awk -v group="$(cat driver.pid)" '$1 == group && $2 !~ /^Z/')" "" "whose process does not outlive the CLI"
bg_sql g "SET application_name = 'innocent'; BEGIN; SELECT 1"
run "$DRIVER" end "$(db_url g)" "$NAME"
is "$RC $(sessions g)" "0 0" "its session is ended as well"
bg_alive "$BG"
ok $? "no other"
bg_kill "$BG"

shop h
run deploy slow h 2000 4000
is "$(out 'timed out') $(out class)" "1 unknown" "the time limit ends it"
is "$(out message)" "Prisma was stopped at the time limit" "and is told"
"$DRIVER" end "$(db_url h)" "$NAME"

project dead native good_two
shop i
NATIVE_DIE=kill@middle NATIVE_SCRIPT=split NODE_OPTIONS="--require $ROOT/fixtures/native/silent.cjs" \
	run native "$DRIVER" deploy dead "$(db_url i)" "$NAME" 2000 60000
is "$(out exit) $(out class)" "0 unknown" "an engine that dies is no success, though Prisma ends with status 0"
is "$(out message)" "Prisma ended with status 0 but did not say that it had finished" "which is said"
is "$(out migration)" "20990101000000_good_two" "with the migration it was at"

rm -f driver.pid
shop j
"$DRIVER" deploy slow "$(db_url j)" "$NAME" 2000 60000 >"$T/cancelled" 2>&1 &
driver=$!
wait_for 20 eval "[ \"\$(sessions j)\" != 0 ]"
kill -TERM "$driver"
wait "$driver"
is "$?" 130 "a stop request ends it"
"$DRIVER" end "$(db_url j)" "$NAME"
is "$(sessions j)" 0 "and its session after it"
done_testing
