#!/usr/bin/env bash
# A data restore that cannot go on, or is stopped in the middle, leaves the database as it was.
. "$(dirname "$0")/../lib.sh"

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

all_rows() {
	sql app "SELECT table_name, query_to_xml(format('SELECT * FROM public.%I', table_name), true, false, '')::text
		FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1" | md5sum
	"$TEST_PGBIN/pg_dump" -s -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres "$(db_name app)" | grep -v restrict | md5sum
}

restore() { # [OPTION...]
	run "$MIGSAFE" restore "$DATA" --yes "$@"
}

unchanged() { # NAME: the database is as it was, and the last run says so
	is "$(all_rows)" "$before" "$1: nothing has changed"
	local runs=("$MIGSAFE_BACKUP_DIR"/.migsafe/runs/*)
	is "$(jq -r 'select(.event == "verdict") | .data.verdict' "${runs[-1]}/journal.jsonl")" unchanged "$1: its verdict"
}

sql app >"$T/ignored" <<'END'
CREATE TABLE parent (id int PRIMARY KEY, name text);
CREATE TABLE child (id serial PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE);
INSERT INTO parent SELECT i, 'p' || i FROM generate_series(1, 20) i;
INSERT INTO child (parent) SELECT i FROM generate_series(1, 20) i;
END
run "$MIGSAFE" backup --kind data --json
DATA=$(jq -r '.backups[0].id' <<<"$OUT")
sql app >"$T/ignored" <<'END'
INSERT INTO parent VALUES (21, 'late');
CREATE TABLE outside (parent int REFERENCES parent ON DELETE CASCADE);
INSERT INTO outside VALUES (1), (21);
CREATE FUNCTION noisy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''fired''; END';
CREATE TRIGGER noisy BEFORE INSERT OR DELETE ON parent EXECUTE FUNCTION noisy();
END
before=$(all_rows)

# --- rows that stayed need rows that would be gone ----------------------------------------------------

restore --replace
status_is 65 "a table that is not in the backup refers to a row that is not either"
like "$ERR" 'foreign key "outside_parent_fkey" of table "public"."outside"' "the foreign key is named"
like "$ERR" 'Key \(parent\)=\(21\)' "and the row"
like "$ERR" '\-\-merge skip' "and what helps"
unchanged "an orphan"

# --- locks, cancelling, a lost connection -------------------------------------------------------------

bg_sql app 'BEGIN; UPDATE outside SET parent = parent'
restore --replace --lock-timeout 200ms
status_is 79 "a lock that is not to be had"
like "$ERR" 'RowExclusiveLock on table "public"."outside": UPDATE outside' "who has it"
bg_kill "$BG"
unchanged "a lock"

sql app >"$T/ignored" <<'END'
DELETE FROM outside WHERE parent = 21;
DROP TRIGGER noisy ON parent;
ALTER TABLE parent ADD slow int NOT NULL DEFAULT 1;
ALTER TABLE parent ALTER slow DROP DEFAULT;
CREATE FUNCTION nap(id int) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN PERFORM pg_catalog.pg_sleep(60); RETURN true; END';
ALTER TABLE parent ADD CONSTRAINT nap CHECK (nap(id)) NOT VALID;
END
before=$(all_rows)
slow=(--replace --default 'parent.slow=1')

is_inserting() {
	[ -n "$(sql postgres "SELECT pid FROM pg_stat_activity WHERE datname = '$(db_name app)' AND query LIKE 'INSERT INTO%parent%'")" ]
}

until_inserting() { # it is in the middle of it
	wait_for 30 is_inserting
}

for signal in INT TERM; do
	env --default-signal=INT "$MIGSAFE" restore "$DATA" --yes "${slow[@]}" >"$T/out" 2>"$T/err" &
	pid=$!
	until_inserting
	kill -"$signal" "$pid"
	wait "$pid"
	is $? 130 "SIG$signal in the middle"
	unchanged "SIG$signal"
done

"$MIGSAFE" restore "$DATA" --yes "${slow[@]}" >"$T/out" 2>"$T/err" &
pid=$!
until_inserting
sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$(db_name app)' AND query LIKE 'INSERT INTO%parent%'" >"$T/ignored"
wait "$pid"
is $? 69 "the server ends the session"
unchanged "a lost session"

sql app 'ALTER TABLE parent DROP CONSTRAINT nap'

# --- the schema changes between the preview and the locks ---------------------------------------------

mkdir -p hooks/pre-restore
cat >hooks/pre-restore/change <<END
#!/bin/sh
"$TEST_PGBIN/psql" -Xq -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres -d "$(db_name app)" -c 'ALTER TABLE child ADD more text'
END
chmod +x hooks/pre-restore/change
restore --replace --default 'parent.slow=1' --hooks-dir "$T/hooks"
status_is 11 "the schema has changed since the preview"
like "$ERR" 'changed since the plan' "says so"
before=$(all_rows)

# --- rights -------------------------------------------------------------------------------------------

role_create worker
sql app "GRANT ALL ON ALL TABLES IN SCHEMA public TO \"$(role_name worker)\"; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO \"$(role_name worker)\""
run "$MIGSAFE" restore "$DATA" --dry-run --replace --default 'parent.slow=1' --url "$(db_url app worker)"
status_is 11 "a role that does not own the tables"
like "$ERR" 'does not own table' "says so"
sql app "ALTER TABLE child ENABLE ROW LEVEL SECURITY; CREATE POLICY all_rows ON child USING (true)"
run "$MIGSAFE" restore "$DATA" --dry-run --replace --default 'parent.slow=1' --url "$(db_url app worker)"
status_is 11 "row security"
like "$OUT" 'public.child: row security applies' "says where"
sql app 'ALTER TABLE child DISABLE ROW LEVEL SECURITY; DROP POLICY all_rows ON child'
for table in parent child outside; do
	sql app "ALTER TABLE $table OWNER TO \"$(role_name worker)\""
done
before=$(all_rows)
run "$MIGSAFE" restore "$DATA" --yes --replace --default 'parent.slow=1' --url "$(db_url app worker)"
status_is 0 "a plain owner of the tables restores"

# --- a damaged backup ---------------------------------------------------------------------------------

file=$(find "$MIGSAFE_BACKUP_DIR/$DATA" -name '*.dat*' | sort | head -1)
cp "$file" "$T/whole"
before=$(all_rows)
printf 'x' | dd of="$file" bs=1 seek=20 conv=notrunc 2>"$T/ignored"
restore --replace --default 'parent.slow=1'
status_is 76 "a damaged file"
is "$(all_rows)" "$before" "nothing has changed"
cat "$T/whole" >"$file"
restore --replace --default 'parent.slow=1'
status_is 0 "and whole again it goes on"
is "$(sql app 'SELECT count(*), min(slow) FROM parent')" '20|1' "all of it"
is "$(sql app 'SELECT count(*) FROM outside')" 1 "no row of others was deleted with them"

# --- killed -------------------------------------------------------------------------------------------

sql app 'ALTER TABLE parent ADD CONSTRAINT nap CHECK (nap(id)) NOT VALID'
before=$(all_rows)
"$MIGSAFE" restore "$DATA" --yes "${slow[@]}" >"$T/out" 2>"$T/err" &
pid=$!
until_inserting
kill -KILL "$pid"
wait "$pid" 2>"$T/ignored"
sql postgres "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$(db_name app)' AND query LIKE 'INSERT INTO%parent%'" >"$T/ignored"
is "$(all_rows)" "$before" "kill -9 in the middle: nothing has changed"
sql app 'ALTER TABLE parent DROP CONSTRAINT nap'
restore --replace --default 'parent.slow=1'
status_is 0 "the next one brings that run to its end first"
like "$ERR" 'is at its end: unchanged' "and says how it ended"

done_testing
