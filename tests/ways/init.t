#!/usr/bin/env bash
# What `migsafe init` has written works: its npm scripts and make targets deploy, check, back up and restore.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
need_server
mkdir "$T/bin" && ln -s "$MIGSAFE" "$T/bin/migsafe"
export PATH=$T/bin:$PATH CHECKPOINT_DISABLE=1

shop_base
export npm_config_cache=$T/npm # for its log
shop_new shop
run env -C "$APP" "$MIGSAFE" init --ci none
status_is 0 "init"
url=$(db_url shop owner)
printf 'DATABASE_URL="%s"\n' "$url" >"$APP/.env" # as its next steps say

npm_run() { # SCRIPT [ARGUMENT...]
	run env -C "$APP" npm run --silent "$1" -- "${@:2}"
}

npm_run prisma:status
status_is 0 "npm run prisma:status"
like "$OUT" '12 applied|applied: *12|12 migrations' "it tells the state"
app_migration "$APP" good_add_column
npm_run migration:deploy
status_is 0 "npm run migration:deploy"
is "$(sql shop "SELECT count(*) FROM _prisma_migrations WHERE migration_name LIKE '%good_add_column' AND finished_at IS NOT NULL")" 1 \
	"the migration is applied"
[ -d "$APP/backups" ]
ok $? "backups are where migsafe.json says"
npm_run prisma:migrate:prod
status_is 0 "npm run prisma:migrate:prod"
npm_run migration:check
status_is 0 "npm run migration:check"
npm_run migration:backup --kind full --json
status_is 0 "npm run migration:backup, with an option"
id=$(jq -r '.backups[0].id' <<<"$OUT")
sql shop 'DELETE FROM "AuditLog"'
npm_run prisma:rollback
status_is 64 "npm run prisma:rollback wants to know which backup"
isnt "$(sql shop 'SELECT count(*) FROM "User"')" 0 "and resets nothing"
npm_run prisma:rollback "$id" --yes
status_is 0 "npm run prisma:rollback of a backup"
isnt "$(sql shop 'SELECT count(*) FROM "AuditLog"')" 0 "brings it back"
npm_run migration:restore "$id" --dry-run
status_is 0 "npm run migration:restore"

app_migration "$APP" fail_unique
state_of shop >before
run make -C "$APP" db-migrate-prod
status_is 2 "make db-migrate-prod, of a migration that fails"
unchanged_since before shop "the database is as it was"
run make -C "$APP" db-migrate-status
like "$OUT" 'fail_unique' "make db-migrate-status names what is pending"

# A schema that lies deep: the scripts run beside package.json and find the settings at the top.
cp -R "$ROOT/fixtures/deep" deep
run env -C deep "$MIGSAFE" init --ci none --schema applications/x/src/database/prisma/schema.prisma
status_is 0 "init of a deep project"
run env -C deep/applications/x DATABASE_URL="$url" npm run --silent prisma:status -- --json
like "$OUT" 'add_user_table' "its npm scripts find the migrations"
run env DATABASE_URL="$url" make -s -C deep db-migrate-status
like "$OUT" 'add_user_table' "so does make"
done_testing
