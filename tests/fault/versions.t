#!/usr/bin/env bash
# The real CLIs of Prisma 5.22, 6.19 and 7.10: the codes of refusals and of locks, and what they leave.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
# shellcheck source=tests/deploy/versions.sh
. "$ROOT/tests/deploy/versions.sh"
shop_base

psql_hook() { # DB SQL: the hook does it as the owner, after the backup
	version_hook <<<"exec $TEST_PGBIN/psql -Xqv ON_ERROR_STOP=1 -h $TEST_PGHOST -p $TEST_PGPORT -U $(role_name owner) -d $(db_name "$1") -c \"$2\""
}

for v in 5 6 7; do
	version_app "$v"
	for script in whole split; do
		shop_new "lock$v$script"
		app_migration "$APP" good_add_column
		version_deploy "lock$v$script" NATIVE_SCRIPT=$script NATIVE_REFUSE=P1002 "NATIVE_REFUSED=$T/refused$v$script" --
		version_case "lock$v$script" 0 migrated 'before P1002 -,none - -' "$v $script: Prisma's lock was another's once"
	done
	shop_new "gone$v"
	app_migration "$APP" good_add_column
	state_of "gone$v" >"$T/before"
	version_deploy "gone$v" NATIVE_REFUSE=P1001 -- --attempts 2
	version_case "gone$v" 21 unchanged 'before P1001 -,before P1001 -' "$v: no server, each time"

	# A failed row that came after all was looked at.
	shop_new "failed$v"
	app_migration "$APP" good_add_column
	state_of "failed$v" >"$T/before"
	psql_hook "failed$v" "INSERT INTO _prisma_migrations (id, checksum, migration_name, logs) VALUES ('x', 'y', '20200101000000_failed', 'ERROR: 1')"
	version_deploy "failed$v" -- --hooks-dir "$T/hooks"
	is "$(json '.attempts[0] | "\(.class) \(.code)"')" 'permanent P3009' "$v: a failed row in the ledger: class and code"
	is "$RC $(json .verdict)" '21 unchanged' "$v: and nothing was changed" || diag "$ERR"

	# Tables that no ledger knows of.
	db_create "full$v" owner
	BACKUPS=$T/backups_full$v
	state_of "full$v" >"$T/before"
	psql_hook "full$v" 'CREATE TABLE foreign_table (id int)'
	version_deploy "full$v" -- --hooks-dir "$T/hooks"
	is "$(json '.attempts[0] | "\(.class) \(.code)"')" 'permanent P3005' "$v: a database that is not empty: class and code"
	is "$RC $(json .verdict)" '21 unchanged' "$v: and nothing was changed" || diag "$ERR"

	# A script that is gone when its turn comes: the one before it is applied.
	shop_new "script$v"
	app_migration "$APP" good_add_column
	app_migration "$APP" good_two
	state_of "script$v" >"$T/before"
	version_hook <<<"rm $APP/prisma/migrations/2027*_good_two/migration.sql"
	version_deploy "script$v" -- --hooks-dir "$T/hooks"
	version_case "script$v" 20 restored 'permanent P3015 -' "$v: a script that is gone"

	shop_new "other$v"
	app_migration "$APP" good_add_column
	state_of "other$v" >"$T/before"
	version_hook <<<"printf 'provider = \"mysql\"\\n' >$APP/prisma/migrations/migration_lock.toml"
	version_deploy "other$v" -- --hooks-dir "$T/hooks"
	cp "$ROOT/fixtures/app/prisma/migrations/migration_lock.toml" "$APP/prisma/migrations/"
	version_case "other$v" 21 unchanged 'permanent P3019 -' "$v: another provider"

	for when in begin end; do
		shop_new "dies$v$when"
		app_migration "$APP" good_two
		state_of "dies$v$when" >"$T/before"
		version_deploy "dies$v$when" NATIVE_SCRIPT=split "NATIVE_DIE=panic@$when" -- --attempts 1
		ok "$([ "$RC" = 20 ] || [ "$RC" = 21 ]; echo $?)" "$v: the engine panics at the $when: no success (status $RC)" || diag "$ERR"
		unchanged_since "$T/before" "dies$v$when" "$v: the engine panics at the $when: the database is as before"
	done
done
done_testing
