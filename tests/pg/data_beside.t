#!/usr/bin/env bash
# A data restore beside others who write, and in surroundings that would keep it from doing what it says: no row of
# theirs is taken along, triggers are left as they were, foreign keys are checked.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

sql app >"$T/ignored" <<'SQL'
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE);
INSERT INTO parent SELECT generate_series(1, 10);
CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TABLE "Log" (id int, kind int) PARTITION BY LIST (kind);
CREATE TABLE log_1 PARTITION OF "Log" FOR VALUES IN (1);
CREATE TABLE log_2 PARTITION OF "Log" FOR VALUES IN (2);
CREATE TABLE log_3 PARTITION OF "Log" FOR VALUES IN (3) PARTITION BY LIST (kind);
CREATE TABLE log_3_all PARTITION OF log_3 DEFAULT;
CREATE TRIGGER "See" BEFORE INSERT ON "Log" FOR EACH ROW EXECUTE FUNCTION seen();
ALTER TABLE log_1 DISABLE TRIGGER "See";
ALTER TABLE log_2 ENABLE ALWAYS TRIGGER "See";
ALTER TABLE log_3_all ENABLE REPLICA TRIGGER "See";
INSERT INTO "Log" SELECT i, 1 + i % 3 FROM generate_series(1, 9) i;
SQL
run "$MIGSAFE" backup --json
DATA=$(jq -r '.backups[] | select(.kind == "data") | .id' <<<"$OUT")

states() {
	sql app "SELECT tgrelid::regclass, tgenabled FROM pg_trigger WHERE tgname = 'See' ORDER BY tgrelid::regclass::text" | xargs
}

# --- a row that refers to what is replaced, from a table that both have empty ---------------------------------

states=$(states)
bg_sql app 'BEGIN; INSERT INTO child VALUES (1, 1)'
run "$MIGSAFE" restore "$DATA" --yes --replace --lock-timeout 300ms
status_is 79 "it waits for who writes to a table whose rows would go with others"
like "$ERR" 'on table "public"\."child": INSERT' "and names it"
bg_more "$BG" COMMIT
is "$(sql app 'SELECT count(*) FROM child')" 1 "the row is there"
run "$MIGSAFE" restore "$DATA" --yes --replace
status_is 0 "then rows and what refers to them are replaced"

# --- rows that came after the emergency backup: in no backup at all --------------------------------------------------

waits() { [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$(db_name app)' AND wait_event_type = 'Lock'")" = 1 ]; }
beside() { # TABLE LOCK SQL: what another does while the restore waits for it
	bg_sql app "BEGIN; $2"
	"$MIGSAFE" restore "$DATA" --yes --replace >"$T/out" 2>"$T/err" &
	local pid=$!
	wait_for 60 waits || bail "it does not wait: $(cat "$T/err")"
	bg_more "$BG" "$3; COMMIT"
	wait "$pid"
	RC=$? OUT=$(cat "$T/out") ERR=$(cat "$T/err")
	status_is 11 "$1: a row that came after the emergency backup is not deleted"
	like "$ERR" "others wrote 1 row to table \"public\"\.\"$1\"" "$1: the table is named"
}
beside parent 'INSERT INTO parent VALUES (77)' 'SELECT 1' # its transaction is older than the backup
is "$(sql app 'SELECT count(*) FROM parent')" 11 "it is there"
beside parent 'LOCK TABLE parent IN ROW EXCLUSIVE MODE' 'UPDATE parent SET id = 78 WHERE id = 77'
beside log_2 'LOCK TABLE log_2 IN ROW EXCLUSIVE MODE' 'DELETE FROM log_2 WHERE id = 1; INSERT INTO log_2 VALUES (99, 2)'
run "$MIGSAFE" restore "$DATA" --yes --replace
status_is 0 "without others it goes"
is "$(sql app 'SELECT count(*) FROM parent')" 10 "and replaces"

# --- sessions that end between the plan and the locks: a hook closes the database for a moment -------------------------

mkdir -p "$T/hooks/pre-restore"
printf '#!/bin/sh\n"%s/psql" -XAtq -h "%s" -p %s -U postgres -c "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '\''%s'\'' AND application_name = '\''migsafe'\''" >"%s"\n' \
	"$TEST_PGBIN" "$TEST_PGHOST" "$TEST_PGPORT" "$(db_name app)" "$T/ended" >"$T/hooks/pre-restore/10-end"
chmod 0700 "$T/hooks" "$T/hooks/pre-restore" "$T/hooks/pre-restore/10-end"
run "$MIGSAFE" restore "$DATA" --yes --replace --hooks-dir "$T/hooks"
status_is 0 "a session that was ended is opened again"
is "$(cat "$T/ended")" 1 "it was ended"

# --- triggers of partitions ----------------------------------------------------------------------------------------

is "$(states)" "$states" "each partition's trigger is in the state that it was in"
run "$MIGSAFE" restore "$DATA" --dry-run --replace --json
is "$(jq -c '[.triggers_off[] | .table]' <<<"$OUT")" '["Log"]' "told once"

# --- a database that checks no foreign keys -----------------------------------------------------------------------------

sql app 'INSERT INTO child VALUES (1, 1)'
run "$MIGSAFE" backup --json
DATA=$(jq -r '.backups[] | select(.kind == "data") | .id' <<<"$OUT")
sql app 'TRUNCATE parent CASCADE; TRUNCATE "Log"; CREATE TABLE other (id int PRIMARY KEY);
	ALTER TABLE child DROP CONSTRAINT child_parent_fkey; ALTER TABLE child ADD FOREIGN KEY (parent) REFERENCES other'
sql postgres "ALTER DATABASE \"$(db_name app)\" SET session_replication_role = replica"
run "$MIGSAFE" restore "$DATA" --yes
status_is 65 "a row that refers to none does not go in"
is "$(sql app 'SELECT count(*) FROM child')" 0 "nothing came"

done_testing
