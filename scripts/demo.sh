#!/usr/bin/env bash
# The main job of migsafe, shown on a throw-away server: make demo, or scripts/demo.sh MIGSAFE-PROGRAM.
#
# A real shop application is deployed by a real Prisma; then a good migration, one that fails half-way, and one that
# would lose a column's values: refused, and undone where they were let through.  After each failure the database is compared with
# its state before: every row, the schema, owner, rights and settings.  Everything is removed at the end.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
case ${1-} in
--help | -h)
	sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
	exit 0
	;;
esac
program=$(realpath "${1:-$ROOT/build/release/migsafe}")
[ -n "${DEMO_INSIDE-}" ] || DEMO_INSIDE=1 exec "$ROOT/scripts/with-cluster.sh" "$0" "$program"

work=$(mktemp -d /tmp/md.XXXXXX)
receiver=
finish() {
	[ -z "$receiver" ] || kill "$receiver" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

export PATH=$TEST_PGBIN:$PATH
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
admin() { psql -XAtq -v ON_ERROR_STOP=1 -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres -d "$1" "${@:2}"; }

# deploy EXPECTED-STATUS: runs migsafe as a user would, in the application's folder.
deploy() {
	local status=0 want=$1
	shift
	(cd "$work/shop" && "$program" deploy "$@") || status=$?
	if [ "$status" != "$want" ]; then
		printf 'demo: exit status %s instead of %s\n' "$status" "$want" >&2
		exit 1
	fi
	printf -- '-- exit status %s, as it should be\n' "$status"
}

state() { "$ROOT/scripts/db-fingerprint.sh" shop >"$1"; }

same_as_before() {
	state "$work/after"
	if ! diff -u "$work/before" "$work/after"; then
		echo 'demo: the database is not what it was' >&2
		exit 1
	fi
	printf -- '-- the database equals its state before: %s tables row for row, schema, owner, rights, settings\n' \
		"$(admin shop -c "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")"
}

export PGHOST=$TEST_PGHOST PGPORT=$TEST_PGPORT PGUSER=postgres

say 'A database for the shop, owned by a role that is no superuser'
admin postgres -c 'CREATE ROLE shop LOGIN CREATEDB IN ROLE pg_signal_backend' -c 'CREATE DATABASE shop OWNER shop'
admin shop -c 'ALTER SCHEMA public OWNER TO shop'
app_copy "$work/shop"
python3 "$ROOT/tests/receiver.py" --port-file "$work/port" --log "$work/hooks" &
receiver=$!
for _ in $(seq 100); do [ -s "$work/port" ] || sleep 0.05; done
cat >"$work/shop/.env" <<ENV
DATABASE_URL="postgresql://shop@localhost:$TEST_PGPORT/shop?host=$TEST_PGHOST"
WEBHOOK_URL="http://127.0.0.1:$(cat "$work/port")/hook"
BACKUP_DIR="$work/backups"
ENV
unset MIGSAFE_REHEARSE # the tests' own
# Prisma with a config file reads no .env; migsafe gives it the URL.
export CHECKPOINT_DISABLE=1

say '1. The application'"'"'s whole history, from an empty database'
deploy 0
admin shop <"$ROOT/fixtures/app/seed.sql"
printf -- '-- and %s rows of data\n' "$(admin shop -c 'ANALYZE' -c "SELECT sum(n_live_tup) FROM pg_stat_user_tables")"

say '2. A good migration'
app_migration "$work/shop" good_add_column
deploy 0

say '3. A migration that fails half-way, as Prisma 7.4 and later runs it, statement by statement: it fails in the rehearsal'
app_migration "$work/shop" fail_halfway
state "$work/before"
export MIGRATION_SCRIPT='split'
deploy 10
same_as_before
say '   The same without a rehearsal: it fails in production, and is undone'
deploy 20 --rehearse never --again
printf -- '-- what the webhook got:\n'
tail -n 1 "$work/hooks" | python3 -c 'import json,sys; print(json.dumps(json.loads(sys.stdin.read())["body"], indent=2))'
same_as_before
app_forget "$work/shop" fail_halfway

say '4. A migration that would succeed, but lose what is in a column (a rename as DROP and ADD): the gate refuses it'
app_migration "$work/shop" lose_rename
deploy 10
same_as_before
say '   The same with a gate that only warns: its loss is found after it, and undone'
deploy 20 --gate warn --rehearse never
same_as_before
app_forget "$work/shop" lose_rename

say 'What is there now'
(cd "$work/shop" && "$program" status && "$program" list)
printf '\ndemo: all as it should be\n'
