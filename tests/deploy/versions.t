#!/usr/bin/env bash
# The real CLIs of Prisma 5.22, 6.19 and 7.10 with their native engine: what each prints and how it ends is
# read aright. What they do alike is in tests/fault/versions.t.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
# shellcheck source=tests/deploy/versions.sh
. "$ROOT/tests/deploy/versions.sh"
shop_base

for v in 5 6 7; do
	version_app "$v"
	script='whole'
	[ "$v" != 7 ] || script='split'
	is "$(jq -r .version "$APP/node_modules/prisma/package.json")" "$(jq -r .devDependencies.prisma "$APP/package.json")" "Prisma $v is $(jq -r .devDependencies.prisma "$APP/package.json")"

	shop_new "once$v"
	app_migration "$APP" good_add_column
	version_deploy "once$v" NATIVE_SCRIPT=$script NATIVE_REFUSE=P1001 "NATIVE_REFUSED=$T/refused1$v" --
	version_case "once$v" 0 migrated 'before P1001 -,none - -' "$v: no server once"

	shop_new "bad$v"
	app_migration "$APP" fail_halfway
	state_of "bad$v" >"$T/before"
	version_deploy "bad$v" NATIVE_SCRIPT=$script --
	version_case "bad$v" 20 restored 'permanent P3018 22012' "$v: a failing migration"

	shop_new "hidden$v"
	app_migration "$APP" own_transaction
	state_of "hidden$v" >"$T/before"
	version_deploy "hidden$v" NATIVE_SCRIPT=whole --
	version_case "hidden$v" 20 restored 'permanent - 25P02' "$v: a cause that is hidden behind 25P02"

	shop_new "dies$v"
	app_migration "$APP" good_two
	state_of "dies$v" >"$T/before"
	silent=()
	[ "$v" = 5 ] || silent=("NODE_OPTIONS=--require $ROOT/fixtures/native/silent.cjs")
	version_deploy "dies$v" NATIVE_SCRIPT=split NATIVE_DIE=kill@middle "${silent[@]}" -- --attempts 1
	version_case "dies$v" 20 restored 'unknown - -' "$v: the engine dies in the middle"
	is "$(journal_of | jq -r 'select(.event == "attempt") | .data.exit')" "$([ "$v" = 5 ] && echo 1 || echo 0)" "$v: with the exit status that this version has for it"
done
done_testing
