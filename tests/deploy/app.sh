# The fixture application for tests and the demo; sourced after tests/lib.sh or alone with ROOT set.
# shellcheck shell=bash
# shellcheck source=scripts/node.sh
. "$ROOT/scripts/node.sh"

# app_copy FOLDER [FIXTURE]: a copy of a fixture application to work on, packages linked in.
app_copy() {
	local packages
	packages=$(npm_cache "$ROOT/fixtures/app") || return
	mkdir -p "$1" && cp -R "$ROOT/fixtures/${2:-app}/." "$1/" || return
	rm -rf "$1/node_modules"
	ln -s "$packages/node_modules" "$1/node_modules"
}

# app_migration FOLDER NAME: adds fixtures/migrations/NAME as the newest migration of the application.
app_migration() {
	local last number
	last=$(find "$1/prisma/migrations" -mindepth 1 -maxdepth 1 -type d -name '2027*' | sort | tail -n 1)
	number=$(basename "${last:-20270101000000_x}")
	number=$((${number%%_*} + 1))
	mkdir "$1/prisma/migrations/${number}_$2" &&
		cp "$ROOT/fixtures/migrations/$2/migration.sql" "$1/prisma/migrations/${number}_$2/"
}

# app_sql NAME: a migration of standard input, as the newest of the application at $APP.
app_sql() {
	mkdir "$APP/prisma/migrations/20270101000000_$1" && cat >"$APP/prisma/migrations/20270101000000_$1/migration.sql"
}

# app_forget FOLDER NAME: takes such a migration out again.
app_forget() {
	rm -rf "$1"/prisma/migrations/2027*_"$2"
}

# shop_base: the application at $APP with all its history applied and seeded, as the template of the
# databases of this test; owned by the role `owner`, who is no superuser.
shop_base() {
	APP=$T/shop
	app_copy "$APP" || bail "the fixture application could not be copied"
	role_create owner "CREATEDB IN ROLE pg_signal_backend"
	db_create base owner
	(cd "$APP" && DATABASE_URL=$(db_url base owner) CHECKPOINT_DISABLE=1 \
		node node_modules/prisma/build/index.js migrate deploy) >"$T/base.log" 2>&1 ||
		bail "the history could not be applied: $(cat "$T/base.log")"
	psql_as owner base -f "$ROOT/fixtures/app/seed.sql" >/dev/null || bail "the seed failed"
	sql base 'ANALYZE'
	BACKUPS=$T/backups
}

# shop_new NAME: a database of its own from the template, and a fresh folder for its backups.
shop_new() {
	sql postgres "CREATE DATABASE \"$(db_name "$1")\" TEMPLATE \"$(db_name base)\" OWNER \"$(role_name owner)\"" ||
		bail "database $1 could not be created"
	BACKUPS=$T/backups_$1
	rm -rf "$APP"/prisma/migrations/2027*
}

# How Prisma sends a file: whole (7.3 and before) or split into statements (7.4 and later).
MODE=whole

# Most tests are about production's way back, which a rehearsal would spare: tests/deploy/rehearse.t
# is about that, and says auto.
export MIGSAFE_REHEARSE=${MIGSAFE_REHEARSE-never}

# migsafe_for NAME COMMAND [ARGUMENT...]: run in the application's folder, as its owner.
migsafe_for() {
	local name=$1
	shift
	run env -C "$APP" DATABASE_URL="$(db_url "$name" owner)" MIGSAFE_BACKUP_DIR="$BACKUPS" \
		MIGRATION_SCRIPT="$MODE" "$MIGSAFE" "$@"
}

sleeping_in() { # NAME: is a migration at its pg_sleep?  (A superuser's session would be in the way of a swap.)
	[ "$(sql_as owner "$1" "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND
		query LIKE '%pg_sleep%' AND query NOT LIKE '%pg_stat_activity%'")" -gt 0 ]
}

unchanged_since() { # FILE NAME TEST-NAME: is the database what its fingerprint in FILE says?
	state_of "$2" >"$T/.now"
	cmp -s "$1" "$T/.now"
	ok $? "$3" || diag "$(diff "$1" "$T/.now" | head -20)"
}

state_of() { # NAME -> the fingerprint of a database
	PGHOST=$TEST_PGHOST PGPORT=$TEST_PGPORT PGUSER=postgres "$ROOT/scripts/db-fingerprint.sh" "$(db_name "$1")"
}

# journal_of: all records of the newest run, one JSON object a line.
journal_of() {
	local newest
	newest=$(find "$BACKUPS/.migsafe/runs" -mindepth 1 -maxdepth 1 -type d 2>/dev/null | sort | tail -n 1)
	[ -n "$newest" ] && cat "$newest/journal.jsonl"
}

json() { # JQ-FILTER: of the last output
	printf '%s' "$OUT" | jq -r "$1"
}

no_side_databases() { # NAME TEST-NAME: none but kept ones are left
	is "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '$(db_name "$1")\_\_migsafe%'
		AND datname NOT LIKE '%kept%'")" 0 "$2"
}

# native_copy FOLDER: a copy of the application that drives Prisma 6's native engine, for which
# fixtures/native/engine.cjs stands in; sets NATIVE_ENV for `env`.
native_copy() {
	app_copy "$1" || return
	rm "$1/prisma.config.ts"
	sed -i '/engineType/d' "$1/prisma/schema.prisma"
	# shellcheck disable=SC2034 # for the test
	NATIVE_ENV=(PRISMA_SCHEMA_ENGINE_BINARY="$ROOT/fixtures/native/engine.cjs"
		PRISMA_QUERY_ENGINE_LIBRARY="$ROOT/fixtures/native/engine.cjs")
}
