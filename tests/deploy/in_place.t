#!/usr/bin/env bash
# A role that may make no database: the way back is one transaction in live, after an emergency backup of what is there.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
shop_base
export MIGSAFE_REHEARSE=never
sql postgres "ALTER ROLE \"$(role_name owner)\" NOCREATEDB"
MODE='split'

shop_new good
app_migration "$APP" good_add_column
migsafe_for good deploy --dry-run --json --rehearse auto
status_is 0 'a dry run without CREATEDB'
like "$(json .way_back)" '^no swap is possible: .*in the database itself, in one transaction' 'tells the way back that it would be'
like "$(json .rehearsal.why)" 'may not create databases' 'and why it would not be rehearsed'
migsafe_for good deploy --dry-run --way-back swap
like "$ERR" 'a deploy would be refused: role .* may not create or rename' 'refused where a swap is asked for: a dry run says it'
run env -C "$APP" MIGSAFE_BACKUP_DIR="$BACKUPS" "$MIGSAFE" deploy --dry-run --url "$(db_url good owner pgbouncer=true)"
like "$ERR" 'a deploy would be refused: .* goes through a pooler' 'so it does of a pooler'
bg_sql good 'SELECT 1'
migsafe_for good deploy --json
bg_kill "$BG"
status_is 0 'a good deploy without CREATEDB'
like "$(json '.warnings | join(" ")')" 'no fence, so .*: sessions of it may not be ended: pid [0-9]+, role "postgres"' \
	'with fence = auto a session that may not be ended is no reason to refuse'
like "$(json '.warnings | join(" ")')" 'no swap is possible: .*may not create or rename databases; the way back is one transaction' \
	'says what its way back would be'
migsafe_for good deploy --json --way-back swap
app_migration "$APP" good_two
migsafe_for good deploy --json --way-back swap
status_is 11 'refused where a swap is asked for'
like "$(json .error.message)" 'there would be no way back' 'and says why'

# --- Prisma fails half-way; a session holds a table that must be dropped -----------------------------------
shop_new half
sql half 'GRANT ALL ON SCHEMA public TO PUBLIC' # its owner is pg_database_owner, of whom no role is a member
app_migration "$APP" fail_halfway
state_of half >"$T/before"
bg_sql half 'BEGIN; SELECT count(*) FROM "AuditLog"' owner
migsafe_for half deploy --json --lock-timeout 1s
status_is 20 'a migration that fails half-way is restored'
is "$(json .verdict)" restored 'its verdict is restored'
bg_kill "$BG"
unchanged_since "$T/before" half 'the database is what it was, row for row'
is "$(json .kept)" null 'no database was made'
is "$(sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '$(db_name half)\_\_migsafe%'")" 0 'none at all'
like "$(json '.warnings | join(" ")')" 'what was in the database before the rollback is backup ' 'what was there is saved'
saved=$(journal_of | jq -r 'select(.data.emergency).data.emergency')
is "$(jq -r '.reason + " " + .kind' "$BACKUPS/$saved/manifest.json")" 'emergency full' 'as an emergency backup'
like "$ERR" 'ended 1 session that used' 'who was in the way was ended'
like "$(journal_of | jq -r 'select(.data.part == "in place").data.transaction' | tail -n 1)" '^[0-9]+$' 'the number of its transaction is journaled'
migsafe_for half deploy
status_is 21 'the same again is refused at once'

# --- unhealthy afterwards ----------------------------------------------------------------------------------
shop_new lose
app_migration "$APP" lose_drop_column
sql postgres "COMMENT ON DATABASE \"$(db_name lose)\" IS 'the shop'"
state_of lose >"$T/before"
migsafe_for lose deploy --json --gate warn --fence on
status_is 20 'a deploy that lost values is restored in place, too'
isnt "$(json .writes_refused_ms)" -1 'under a fence'
unchanged_since "$T/before" lose 'row for row'

# --- where that is impossible as well: before anything is touched ------------------------------------------
shop_new outside
sql outside 'CREATE SCHEMA theirs; CREATE TABLE theirs.t (a int); ALTER TABLE theirs.t ADD FOREIGN KEY (a) REFERENCES "User"'
app_migration "$APP" good_add_column
state_of outside >"$T/before"
migsafe_for outside deploy --json
status_is 11 'what belongs to another role cannot be dropped: refused'
like "$(json .error.detail)" 'In place neither: ' 'both ways are named'
unchanged_since "$T/before" outside 'nothing has changed'
is "$(find "$BACKUPS" -mindepth 1 -maxdepth 1 -name '*_full' | wc -l)" 0 'not even a backup was taken'
done_testing
