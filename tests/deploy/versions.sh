# The real CLIs of Prisma 5, 6 and 7 over the stand-in for the native engine: what their tests share.
# Sourced after tests/lib.sh and tests/deploy/app.sh.
# shellcheck shell=bash

# version_app 5|6|7: a copy of the shop that uses the native engine of that Prisma; sets APP.
version_app() {
	local packages others
	others=$(npm_cache "$ROOT/fixtures/app") || bail 'no npm packages of fixtures/app'
	APP=$T/prisma$1
	mkdir -p "$APP" && cp -R "$ROOT/fixtures/app/prisma" "$APP/"
	case $1 in
	6) packages=$others && cp "$ROOT/fixtures/app/package.json" "$APP/" ;;
	*)
		packages=$(npm_cache "$ROOT/fixtures/native/v$1") || bail "no npm packages of Prisma $1"
		cp "$ROOT/fixtures/native/v$1/package.json" "$APP/"
		;;
	esac
	ln -s "$packages/node_modules" "$APP/node_modules"
	sed -i '/engineType/d' "$APP/prisma/schema.prisma"
	if [ "$1" = 7 ]; then
		cp "$ROOT/fixtures/native/v7/prisma.config.ts" "$APP/"
		sed -i '/url .*env(/d' "$APP/prisma/schema.prisma"
	fi
	# shellcheck disable=SC2034 # of tests
	NATIVE_ENV=(PRISMA_SCHEMA_ENGINE_BINARY="$ROOT/fixtures/native/engine.cjs" NATIVE_MODULES="$others"
		PRISMA_QUERY_ENGINE_LIBRARY="$ROOT/fixtures/native/engine.cjs" CHECKPOINT_DISABLE=1 PRISMA_HIDE_UPDATE_MESSAGE=1)
}

# version_deploy NAME [VARIABLE=VALUE...] -- [ARGUMENT...]
version_deploy() {
	local name=$1 more=()
	shift
	while [ "$1" != -- ]; do
		more+=("$1")
		shift
	done
	shift
	run env -C "$APP" DATABASE_URL="$(db_url "$name" owner)" MIGSAFE_BACKUP_DIR="$BACKUPS" "${NATIVE_ENV[@]}" "${more[@]}" \
		"$MIGSAFE" deploy --json "$@"
}

# version_hook: commands that run after the backup and before Prisma, as the pre-migrate hook at $T/hooks.
version_hook() { # <SCRIPT
	mkdir -p "$T/hooks/pre-migrate"
	{ printf '#!/bin/sh\nset -e\n' && cat; } >"$T/hooks/pre-migrate/10-change"
	chmod +x "$T/hooks/pre-migrate/10-change"
}

# version_case NAME STATUS VERDICT ATTEMPTS TEST-NAME: of the last deploy of database NAME, whose
# fingerprint of before is in $T/before. ATTEMPTS: "class code sqlstate", joined by commas.
version_case() {
	is "$RC $(json .verdict)" "$2 $3" "$5: status and verdict" || diag "$ERR"
	is "$(json 'def word: if . == null or . == "" then "-" else . end;
		[.attempts[] | "\(.class) \(.code | word) \(.sqlstate | word)"] | join(",")')" "$4" "$5: class and code"
	if [ "$3" != migrated ]; then unchanged_since "$T/before" "$1" "$5: the database is as before"; fi
}
