#!/usr/bin/env bash
# The rehearsal: what fails on the copy never comes to production, what it did there is measured, and
# the untouched copy is the way back.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
export MIGSAFE_REHEARSE=auto
RUN_TIMEOUT=300
shop_base

note() { # JQ-FILTER: of the notes of the rehearsal
	journal_of | jq -r "select(.step == \"rehearse\" and .event == \"note\") | .data | $1"
}

# --- good, with what is measured ------------------------------------------------------------------
shop_new good
app_sql facts <<'SQL'
BEGIN;
ALTER TABLE "User" ADD COLUMN "nickname" TEXT;
SELECT pg_sleep(0.6);
COMMIT;
ALTER TABLE "Order" ALTER COLUMN "totalCents" TYPE BIGINT;
CREATE INDEX "User_nickname_idx" ON "User"("nickname");
SQL
migsafe_for good deploy --json --rehearse always
status_is 0 'a good migration is rehearsed and deployed'
is "$(json .rehearsal.done)" true 'the report says that it was rehearsed'
is "$(json '.rehearsal.migrations | map(.name) | join(",")')" 20270101000000_facts 'and which migrations'
ok "$((! $(json '.rehearsal.migrations[0].elapsed_ms >= 600 | if . then 1 else 0 end')))" 'its time is at least what it slept'
held=$(json '.rehearsal.locks[] | select(.table == "public.\"User\"" and .mode == "AccessExclusiveLock") | .held_ms')
ok "$((${held:-0} < 550))" "the lock of ALTER TABLE is seen for as long as its transaction (${held:-none} ms)"
is "$(json '.rehearsal.locks[] | select(.table == "public.\"User\"" and .mode == "AccessExclusiveLock") | [.blocks_writes, .blocks_reads] | join(",")')" \
	'true,true' 'and that it blocks readers and writers'
is "$(json '.rehearsal.blocking_ms >= 550')" true 'writers would wait as long'
is "$(json '[.rehearsal.rewritten[].table] | join(",")')" 'public."Order"' 'the rewritten table is listed, no other'
is "$(json '.rehearsal.rewritten[0] | .bytes_before > 0 and .bytes_after > 0')" true 'with its sizes'
is "$(json '.rehearsal.wal_bytes > 0')" true 'the WAL is measured'
unlike "$(json '[.rehearsal.locks[].table] | join(",")')" '_prisma_migrations' "Prisma's own ledger is left out"
like "$ERR" 'rehearsal: writers may have to wait' 'the log tells it too'
is "$(note 'select(.part == "standby") | .part')" standby 'the untouched copy stood by'
is "$(note 'select(.part == "dropped") | .name' | grep -c .)" 2 'both copies are dropped, as the journal says'
no_side_databases good 'no side database is left'
is "$(jq -r 'select(.reason == "pre-deploy") | .verified[-1].level' "$BACKUPS"/*_full/manifest.json)" restore 'the backup counts as proven by restoring it'
migsafe_for good report "$(json .run)"
like "$OUT" 'rehearsal:.*ran on a copy' 'the report for people has a section'
like "$OUT" 'rewritten: public."Order"' 'with what was rewritten'

# --- failing on the copy ----------------------------------------------------------------------------
shop_new bad
app_migration "$APP" fail_halfway
state_of bad >"$T/before"
MODE='split'
migsafe_for bad deploy --json
status_is 10 'a migration that fails on the copy is refused'
is "$(json .verdict)" refused 'its verdict is refused'
like "$(json .error.message)" 'division by zero' 'the error is what Prisma said'
like "$(json .error.detail)" 'fail_halfway' 'and names the migration'
like "$(json .error.hint)" 'rehearsal' 'the hint says that it was the rehearsal'
is "$(json '.attempts | length')" 0 'Prisma was not run on production'
unchanged_since "$T/before" bad 'production is untouched'
no_side_databases bad 'no side database is left after a refusal'
is "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '$(db_name bad)\_\_migsafe%'")" 0 'nor a kept one'
migsafe_for bad deploy
status_is 10 'the same again is refused at once'
like "$ERR" 'failed in the rehearsal of run' 'without another rehearsal'
rm -rf "$APP"/prisma/migrations/2027*
app_migration "$APP" null_out
migsafe_for bad deploy --json --gate warn
status_is 10 'one that loses values on the copy is refused as well'
is "$(json '[.findings[] | select(.level == "error") | .rule] | unique | join(",")')" values-lost 'by what health found there'
unchanged_since "$T/before" bad 'production is untouched again'

# Prisma calls it a success, and the ledger knows nothing of it.
rm -rf "$APP"/prisma/migrations/2027*
app_sql forgets <<'SQL'
TRUNCATE _prisma_migrations;
SQL
migsafe_for bad deploy --json --gate warn
status_is 10 'a success that the ledger of the copy does not tell of is refused'
like "$(json '.error.message + .error.detail')" 'reports success, but .*_forgets' 'and it says that it is no success, and which migration'
migsafe_for bad deploy --json --gate warn --again --rehearse never
status_is 20 'without a rehearsal production is restored'
like "$(json '.error.message + .error.detail')" 'reports success, but .*_forgets' 'which has the same cause'
unchanged_since "$T/before" bad 'production is as before'

# --- failing in production only -----------------------------------------------------------------------
MODE=whole
shop_new swap
app_sql live_only <<SQL
ALTER TABLE "User" ADD COLUMN "nickname" TEXT;
DO \$\$ BEGIN
  IF current_database() = '$(db_name swap)' THEN RAISE EXCEPTION 'only here'; END IF;
END \$\$;
SQL
state_of swap >"$T/before"
# The owner of the standby, who is the application's role, writes into it.
mkdir -p "$T/hooks/pre-migrate"
cat >"$T/hooks/pre-migrate/write" <<SQL
#!/bin/sh
standby=\$(psql -X -t -A -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U "$(role_name owner)" -d "$(db_name swap)" \\
	-c "SELECT datname FROM pg_database WHERE datname LIKE current_database() || '\\_\\_migsafe\\_standby\\_%'")
psql -X -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U "$(role_name owner)" -d "\$standby" -c 'DELETE FROM "StockMovement"' >"$T/written" 2>&1
exit 0
SQL
chmod +x "$T/hooks/pre-migrate/write"
migsafe_for swap deploy --json --fence on --hooks-dir "$T/hooks"
status_is 20 'what fails in production only is undone'
is "$(json .rehearsal.done)" true 'it had passed the rehearsal'
is "$(journal_of | jq -r 'select(.step == "rollback" and .event == "begin") | .data.standby')" \
	"$(note 'select(.part == "standby") | .name')" 'the standby was the way back'
is "$(json '.swap_blocked_ms >= 0 and .swap_blocked_ms < 10000')" true 'by a swap'
is "$(journal_of | jq -r 'select(.step == "rollback" and .event == "note" and .data.part == "create") | .data.part')" '' \
	'nothing was restored again'
unlike "$(json '.warnings | join(" ")')" 'others wrote|counts as unfenced' 'under a fence the rehearsal counts as nobody else'
like "$(cat "$T/written")" 'not currently accepting connections' 'nobody could write into it meanwhile'
unchanged_since "$T/before" swap 'rows, schema, owner, rights and settings are as before'
no_side_databases swap 'no side database is left after the swap'

# --- where it cannot be ---------------------------------------------------------------------------------
shop_new slow
app_migration "$APP" good_add_column
migsafe_for slow deploy --dry-run --rehearse-limit 1ms
like "$OUT" 'no rehearsal: it would take' 'a dry run says that it would not be rehearsed'
migsafe_for slow gate
like "$ERR" 'a deploy: rehearsal: on a restored copy' 'the gate says that it would'
migsafe_for slow deploy --json --rehearse-limit 1ms
status_is 0 'what would take too long is deployed without'
like "$(json .rehearsal.why)" 'rehearse-limit' 'and the report says why'
like "$(json '.warnings | join(" ")')" 'not rehearsed' 'as a warning'
no_side_databases slow 'no side database is left'

done_testing
