#!/usr/bin/env bash
# Projects laid out otherwise: the schema deep in a tree, the schema as a folder of files.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
role_create owner "CREATEDB IN ROLE pg_signal_backend"
ENGINE=(PRISMA_SCHEMA_ENGINE_BINARY="$ROOT/fixtures/native/engine.cjs"
	PRISMA_QUERY_ENGINE_LIBRARY="$ROOT/fixtures/native/engine.cjs")

# layout NAME FOLDER [ARGUMENT...]: deploys the application in FOLDER to database NAME.
layout() {
	local name=$1 folder=$2
	shift 2
	run env -C "$folder" DATABASE_URL="$(db_url "$name" owner)" MIGSAFE_BACKUP_DIR="$T/backups_$name" "${ENGINE[@]}" \
		"$MIGSAFE" deploy --json "$@"
}
count_of() { # FOLDER-OF-MIGRATIONS
	find "$1" -mindepth 1 -maxdepth 1 -type d | wc -l
}

app_copy "$T/deep" deep || bail 'no fixture'
deep=$T/deep/applications/x
db_create deep owner
layout deep "$deep"
status_is 0 'a schema deep in the tree, named by package.json'
is "$(sql deep 'SELECT count(*) FROM _prisma_migrations')" "$(count_of "$deep/src/database/prisma/migrations")" 'all its migrations are applied'

db_create outside owner
layout outside "$T" --project "$deep"
status_is 0 'the same from outside, by --project'
db_create by_schema owner
layout by_schema "$T/deep" --schema applications/x/src/database/prisma/schema.prisma
status_is 0 'and by --schema alone'
is "$(sql by_schema 'SELECT count(*) FROM _prisma_migrations')" "$(count_of "$deep/src/database/prisma/migrations")" 'with the same migrations'

app_copy "$T/multi" multi || bail 'no fixture'
db_create multi owner
layout multi "$T/multi"
status_is 0 'a schema that is a folder of files'
is "$(sql multi 'SELECT count(*) > 0 FROM _prisma_migrations')" t 'its migrations are applied'
layout multi "$T/multi"
is "$(json .verdict)" nothing-to-do 'and only once'
done_testing
