#!/usr/bin/env bash
# The gate with a database: what it refuses before anything is touched, what it only tells, what is allowed.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
unset GITHUB_BASE_REF GITHUB_WORKSPACE CI_MERGE_REQUEST_DIFF_BASE_SHA CI_MERGE_REQUEST_TARGET_BRANCH_NAME
shop_base

newest() { # -> the script of the newest migration
	find "$APP/prisma/migrations" -name migration.sql | sort | tail -n 1
}

found() { # RULE [LEVEL] -> the targets of such findings in the last JSON output
	json "[.findings[] | select(.rule == \"$1\" and (.level == \"${2-}\" or \"${2-}\" == \"\")) | .target] | join(\",\")"
}

# --- refused ---------------------------------------------------------------------------------------
for case in lose_drop_column:drop-column:public.Product.description lose_drop_table:drop-table:public.stock_movements \
	lose_rename:renamed-column:public.User.phone lose_truncate:rows-lost:public.AuditLog; do
	IFS=: read -r name rule target <<<"$case"
	shop_new "$name"
	app_migration "$APP" "$name"
	state_of "$name" >"$T/before"
	migsafe_for "$name" deploy --json
	status_is 10 "$name: refused"
	is "$(json .verdict)/$(found "$rule" error)" "refused/$target" "$name: as $rule, in the report"
	like "$(json .error.message)" "$rule: $target: .*[0-9]" "$name: the error says what, and counts it"
	unchanged_since "$T/before" "$name" "$name: nothing changed"
	is "$(find "$BACKUPS" -name manifest.json | wc -l)" 0 "$name: not even a backup was taken"
	no_side_databases "$name" "$name: no side database is left"
	migsafe_for "$name" gate --json
	status_is 10 "$name: the command says the same"
	is "$(found "$rule" error)" "$target" "$name: by the same name"
	is "$(json ".findings[] | select(.rule == \"$rule\") | .file")" "prisma/migrations/20270101000001_$name/migration.sql" "$name: with its file"
done
migsafe_for lose_truncate deploy --dry-run --json
status_is 0 'a dry run shows the findings and ends with 0'
is "$(json '[.gate[] | select(.level == "error") | .rule] | join(",")')" rows-lost 'as the gate has them'
migsafe_for lose_truncate deploy --dry-run --json --gate off
is "$(json '.gate | length')" 0 'but where the gate is off'

# --- allowed ---------------------------------------------------------------------------------------
migsafe_for lose_truncate deploy --json --allow 'rows-lost:AuditLog'
status_is 0 '--allow lets it through, before and after the migration'
is "$(json '[.findings[] | select(.rule == "rows-lost") | .allowed] | unique | join(",")')" true 'the report has it as allowed'
is "$(json '[.findings[] | select(.rule == "rows-lost")] | length')" 1 'once'
shop_new comment
app_migration "$APP" allowed_drop
migsafe_for comment gate --json
status_is 0 'a line of the migration allows it in the command'
like "$(json '.findings[] | select(.rule == "drop-column") | .allowed_by')" '^migration .*allowed_drop$' 'which names the migration'
migsafe_for comment deploy
status_is 0 'and in a deploy'

# --- warn, off ---------------------------------------------------------------------------------------
shop_new warned
app_migration "$APP" lose_delete
printf 'DROP TABLE "AuditLog";\n' >>"$(newest)"
migsafe_for warned deploy --json --gate warn
status_is 20 'a gate that warns lets it through, and health undoes it'
like "$ERR" 'warning: drop-table: public.AuditLog' 'the log has the warning'

shop_new mixed
app_migration "$APP" concurrently_mixed
state_of mixed >"$T/before"
migsafe_for mixed deploy --json
status_is 10 'CONCURRENTLY beside other statements, by a Prisma that sends the file whole: refused'
isnt "$(found concurrently error)" '' 'as concurrently'
unchanged_since "$T/before" mixed 'nothing changed'
MODE='split'
migsafe_for mixed deploy --json --gate off
status_is 0 'a gate that is off does not look'
is "$(json '[.findings[] | select(.file != null)] | length')" 0 'and finds nothing'
MODE=whole

shop_new global
app_migration "$APP" good_add_column
printf "ALTER SYSTEM SET work_mem = '8MB';\n" >"$(newest)"
state_of global >"$T/before"
migsafe_for global deploy --json
status_is 10 'what reaches past the database: refused'
isnt "$(found global-effect error)" '' 'as global-effect'
unchanged_since "$T/before" global 'nothing changed'

# --- what is only told ---------------------------------------------------------------------------------
export HOME=$T GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example
shop_new told
git -C "$APP" init -q -b main
echo node_modules >"$APP/.gitignore"
mkdir "$APP/prisma/migrations/20260101000000_later_gone"
echo 'SELECT 1;' >"$APP/prisma/migrations/20260101000000_later_gone/migration.sql"
git -C "$APP" add -A
git -C "$APP" commit -qm all
rm -r "$APP/prisma/migrations/20260101000000_later_gone" "$APP/prisma/migrations/20240318090541_audit_log"
echo '-- edited' >>"$APP/prisma/migrations/20240122141530_categories/migration.sql"
mkdir "$APP/prisma/migrations/20240116000000_late"
echo 'SELECT 1;' >"$APP/prisma/migrations/20240116000000_late/migration.sql"
app_migration "$APP" good_add_column
migsafe_for told deploy --json
status_is 0 'edited, missing, deleted, out of order, uncommitted: the deploy goes on'
is "$(json '[.findings[] | select(.rule | test("-migration$")) | "\(.rule):\(.target):\(.level)"] | join(" ")')" \
	'out-of-order-migration:20240116000000_late:warning uncommitted-migration:20240116000000_late:warning edited-migration:20240122141530_categories:warning missing-migration:20240318090541_audit_log:warning deleted-migration:20260101000000_later_gone:warning uncommitted-migration:20270101000001_good_add_column:warning' \
	'all of it is in the report, in the order of the migrations'
like "$ERR" 'warning: edited-migration: 20240122141530_categories: .*prisma/migrations/20240122141530_categories/migration.sql:1' 'and in the log'
git -C "$APP" reset -q --hard
git -C "$APP" clean -qfd
rm -r "$APP/prisma/migrations/20260101000000_later_gone"
git -C "$APP" commit -qam gone

# --- the command with a database -------------------------------------------------------------------------
shop_new command
psql_as owner command -c 'CREATE TABLE twice (v int); INSERT INTO twice VALUES (1), (1)' >/dev/null
psql_as owner command -c 'CREATE UNIQUE INDEX CONCURRENTLY twice_v ON twice (v)' >/dev/null 2>&1
migsafe_for command gate --json
status_is 0 'nothing pending: findings of health are warnings in the gate'
is "$(found invalid-index)/$(found invalid-index error)" 'public.twice_v/' 'an invalid index too'
is "$(found pending-migration)" '' 'the ledger is not said twice'
is "$(json '[.database, (.pending | length)] | map(tostring) | join(",")')" "$(db_name command),0" 'the database is named'
migsafe_for command gate --allow 'invalid-index:twice_v' --json
is "$(json '.findings[] | select(.rule == "invalid-index") | .allowed')" true 'they can be allowed'
sql command "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '20240708093355_x')"
migsafe_for command gate --json
status_is 10 'a failed row is an error'
is "$(found failed-migration)" 20240708093355_x 'named'
migsafe_for command deploy --json
status_is 10 'and refuses a deploy'
like "$(json .error.message)" P3009 'by what Prisma would say'

db_create strange owner
sql_as owner strange 'CREATE TABLE x (id int)'
migsafe_for strange gate --json
status_is 10 'tables without a ledger: an error'
is "$(found no-baseline error)" database 'as no-baseline'

# A stand-in has the migrations of the base and no rows.
db_create stand owner
(cd "$APP" && DATABASE_URL=$(db_url stand owner) CHECKPOINT_DISABLE=1 node node_modules/prisma/build/index.js migrate deploy) >"$T/stand.log" 2>&1
app_migration "$APP" lose_drop_column
migsafe_for stand gate --json
is "$(found drop-column)" '' 'an empty table in the database itself: nothing is lost'
migsafe_for stand gate --json --base HEAD
status_is 0 'an empty table in a stand-in: no error'
is "$(found drop-column warning)" public.Product.description 'but a warning'
db_create blank owner
migsafe_for blank gate --json --base HEAD
status_is 0 'a stand-in that lacks the migrations of the base: no error'
is "$(found stand-in-behind)" database 'it is told'
is "$(found drop-column warning)/$(json '.pending | length')" public.Product.description/1 'and it is as if there were none'
run env -C "$APP" "$MIGSAFE" gate --json
status_is 0 'without a database: no error'
is "$(found drop-column warning)" public.Product.description 'but a warning'
is "$(json '[(.pending | length), .base] | map(tostring) | join(",")')" '1,null' 'for what no commit has'
done_testing
