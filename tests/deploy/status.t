#!/usr/bin/env bash
# What `migsafe status` computes is what the real Prisma leaves behind and would do next.
# shellcheck disable=SC2317 # run calls deploy
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
. "$ROOT/scripts/node.sh"

packages=$(npm_cache "$ROOT/fixtures/app") || skip_all "no npm packages here"
mkdir app
cp -R "$ROOT/fixtures/app/prisma" "$ROOT/fixtures/app/prisma.config.ts" "$ROOT/fixtures/app/package.json" app
ln -s "$packages/node_modules" app/node_modules
db_create app

deploy() {
	cd "$T/app" || exit
	DATABASE_URL=$(db_url app) CHECKPOINT_DISABLE=1 node node_modules/prisma/build/index.js migrate deploy
}

status() {
	run "$MIGSAFE" status --project app --json --url "$(db_url app)"
}

says() { # JQ-FILTER WANT NAME
	is "$(jq -c "$1" <<<"$OUT" 2>&1)" "$2" "$3"
}

status
promised=$(jq -c .pending <<<"$OUT")
run deploy
status_is 0 "Prisma deploys"
is "$(sql app 'SELECT json_agg(migration_name ORDER BY started_at) FROM _prisma_migrations' | jq -c .)" "$promised" \
	"what was pending, in that order"
status
says '[.outlook, (.applied|length), .edited, .missing]' '["up-to-date",12,[],[]]' "and all of it is applied, unchanged"

# Names that a sort by bytes would put elsewhere, and folders that no one meant as migrations.
for name in 20990101_b 20990101_B 20990101_a2 20990101_A1 20990101_a_b 20990101-a "20990101 a" 20990101b; do
	mkdir "app/prisma/migrations/$name"
	echo 'SELECT 1;' >"app/prisma/migrations/$name/migration.sql"
done
printf -- '-- caf\xe9\r\nSELECT 1;\r\n' >app/prisma/migrations/20990101_b/migration.sql
printf -- '-- \xef\xbb\xbf\xed\xa0\x80\nSELECT 1;' >app/prisma/migrations/20990101_B/migration.sql
ln -s 20990101_b app/prisma/migrations/20990101_link
status
promised=$(jq -c .pending <<<"$OUT")
run deploy
status_is 0 "Prisma deploys awkward names"
is "$(sql app "SELECT json_agg(migration_name ORDER BY started_at) FROM _prisma_migrations WHERE migration_name LIKE '2099%'" | jq -c .)" \
	"$promised" "in the order that was promised"
status
says '[.outlook, (.applied|length), .edited, .missing]' '["up-to-date",20,[],[]]' "and their sums are Prisma's, broken UTF-8 too"

# A failure.
cp -R "$ROOT/fixtures/migrations/fail_first" app/prisma/migrations/20990102_fail
mkdir app/prisma/migrations/20990103_empty
status
says '[.outlook, .code, .pending]' '["blocked","P3015",["20990102_fail","20990103_empty"]]' "a script is missing"
rmdir app/prisma/migrations/20990103_empty
run deploy
isnt "$RC" 0 "Prisma fails"
status
says '[.outlook, .code, .failed, .pending]' '["blocked","P3009",["20990102_fail"],[]]' "and the failure is seen"
isnt "$(jq -r '.failures[0].message' <<<"$OUT")" "" "with its words"
run deploy
like "$OUT$ERR" P3009 "as Prisma says itself"

done_testing
