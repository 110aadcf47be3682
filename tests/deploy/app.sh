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

# app_forget FOLDER NAME: takes such a migration out again.
app_forget() {
	rm -rf "$1"/prisma/migrations/2027*_"$2"
}
