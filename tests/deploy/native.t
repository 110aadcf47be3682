#!/usr/bin/env bash
# Prisma with its native engine: its texts and codes, and its death with exit status 0.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base
native_copy "$T/native" || bail 'the native application could not be made'
APP=$T/native

native() { # NAME [VARIABLE=VALUE...] -- ARGUMENT...
	local name=$1 more=()
	shift
	while [ "$1" != -- ]; do
		more+=("$1")
		shift
	done
	shift
	run env -C "$APP" DATABASE_URL="$(db_url "$name" owner)" MIGSAFE_BACKUP_DIR="$BACKUPS" CHECKPOINT_DISABLE=1 \
		"${NATIVE_ENV[@]}" "${more[@]}" "$MIGSAFE" "$@"
}

shop_new good
app_migration "$APP" good_add_column
native good NATIVE_SCRIPT=split -- deploy --json
status_is 0 'a good migration through the native engine'
is "$(json .verdict)" migrated 'is migrated'

shop_new code
app_migration "$APP" fail_halfway
native code NATIVE_SCRIPT=split -- deploy --json
status_is 20 'a failing one is restored'
is "$(json '.attempts[0].code')/$(json '.attempts[0].sqlstate')" P3018/22012 'its P-code and SQLSTATE are read'

for when in begin middle end; do
	shop_new "die_$when"
	app_migration "$APP" good_two
	state_of "die_$when" >"$T/before"
	native "die_$when" NATIVE_SCRIPT=split "NATIVE_DIE=kill@$when" "NODE_OPTIONS=--require $ROOT/fixtures/native/silent.cjs" -- deploy --json --attempts 1
	ok "$([ "$RC" = 20 ] || [ "$RC" = 21 ]; echo $?)" "engine death with exit 0 ($when) is not taken for success (status $RC)" ||
		diag "$ERR"
	unchanged_since "$T/before" "die_$when" "and the database is as before ($when)"
done
done_testing
