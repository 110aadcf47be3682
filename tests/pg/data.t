#!/usr/bin/env bash
# The data of a backup goes into tables whose schema has changed since: what maps is kept, what is new
# gets what the database has for it, what would be lost is counted and asked for, all of it or nothing.
. "$(dirname "$0")/../lib.sh"

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

backups() { # takes one of both kinds: sets FULL and DATA
	run "$MIGSAFE" backup --json
	[ "$RC" = 0 ] || bail "backup: $ERR"
	FULL=$(jq -r '.backups[] | select(.kind == "full") | .id' <<<"$OUT")
	DATA=$(jq -r '.backups[] | select(.kind == "data") | .id' <<<"$OUT")
}

rows() { # QUERY -> a sum of what it gives
	sql app "SELECT count(*) || ' ' || md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), '')) FROM ($1) r"
}

all_rows() { # of every table, to see that nothing has changed
	sql app "SELECT table_schema || '.' || table_name, query_to_xml(format('SELECT * FROM %I.%I', table_schema,
		table_name), true, false, '')::text FROM information_schema.tables
		WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1" | md5sum
}

restore() { # [OPTION...]: of DATA
	run "$MIGSAFE" restore "$DATA" --yes "$@"
}

plan() { # JQ-FILTER [OPTION...]: sets PLAN to that of the plan, and RC
	run "$MIGSAFE" restore "$DATA" --dry-run --json "${@:2}"
	PLAN=$(jq -c "$1" <<<"$OUT")
}

# --- a database with everything, backed up ------------------------------------------------------------

sql app >"$T/ignored" <<'END'
CREATE SCHEMA "Shop";
CREATE TYPE "Role" AS ENUM ('ADMIN', 'USER');
CREATE TABLE "User" (id serial PRIMARY KEY, "Email" text NOT NULL UNIQUE, role "Role" NOT NULL DEFAULT 'USER',
	note text, boss int REFERENCES "User", twice int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO "User" ("Email", note, boss) SELECT 'u' || i, CASE WHEN i % 2 = 0 THEN E'tab\tline\nback\\slash' END,
	1 + i % 40 FROM generate_series(1, 40) i;
CREATE TABLE "Shop"."Order" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "userId" int NOT NULL REFERENCES "User",
	total numeric(10,2));
INSERT INTO "Shop"."Order" ("userId", total) SELECT 1 + i % 40, i / 4.0 FROM generate_series(1, 300) i;
DELETE FROM "Shop"."Order" WHERE id <= 100;
CREATE TABLE egg (id int PRIMARY KEY, hen int);
CREATE TABLE hen (id int PRIMARY KEY, egg int NOT NULL REFERENCES egg);
ALTER TABLE egg ADD CONSTRAINT egg_of_hen FOREIGN KEY (hen) REFERENCES hen;
COMMENT ON CONSTRAINT egg_of_hen ON egg IS 'which was first';
INSERT INTO egg SELECT i, NULL FROM generate_series(1, 5) i;
INSERT INTO hen SELECT i, i FROM generate_series(1, 5) i;
UPDATE egg SET hen = id;
CREATE TABLE event (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO event SELECT '2025-06-01'::date + i * 7, 'e' || i FROM generate_series(0, 60) i;
CREATE TABLE flat (at date NOT NULL, what text);
INSERT INTO flat SELECT * FROM event;
CREATE TABLE nothing ();
INSERT INTO nothing SELECT FROM generate_series(1, 3);
CREATE TABLE log (line text);
CREATE FUNCTION write_log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
CREATE TRIGGER logged AFTER INSERT ON "Shop"."Order" FOR EACH ROW EXECUTE FUNCTION write_log();
ALTER TABLE "Shop"."Order" ENABLE ALWAYS TRIGGER logged;
CREATE TABLE "_prisma_migrations" (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
	migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
	applied_steps_count int NOT NULL DEFAULT 0);
INSERT INTO "_prisma_migrations" (id, checksum, migration_name) VALUES ('1', 'a', '1_init');
END
user_rows=$(rows 'SELECT * FROM "User"') order_rows=$(rows 'SELECT * FROM "Shop"."Order"') egg_rows=$(rows 'SELECT * FROM egg, hen')
event_rows=$(rows 'SELECT tableoid::regclass, * FROM event')
schema_before=$("$TEST_PGBIN/pg_dump" -s -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres "$(db_name app)" | grep -v restrict)
backups

# --- the same schema: full tables are not touched unasked ---------------------------------------------

before=$(all_rows)
run "$MIGSAFE" restore "$DATA" --dry-run
status_is 11 "tables that are not empty: refused"
like "$OUT" 'public.User: 40 rows but it has 40 rows now' "says which"
like "$OUT" '\-\-replace to delete them first' "and what helps"
restore
status_is 11 "refused without a dry run too"
run "$MIGSAFE" restore "$DATA" --replace
status_is 64 "not on a terminal, no --yes: refused"
is "$(all_rows)" "$before" "nothing has changed"

sql app "DELETE FROM hen WHERE false; UPDATE \"User\" SET note = 'spoilt', boss = NULL; DELETE FROM \"Shop\".\"Order\" WHERE id > 250;
	UPDATE \"_prisma_migrations\" SET logs = 'later'; UPDATE flat SET what = 'x'; INSERT INTO log VALUES ('mine')"
restore --replace --json
status_is 0 "--replace"
is "$(jq -r .verdict <<<"$OUT")" restored "verdict"
is "$(rows 'SELECT * FROM "User"')" "$user_rows" "users, with a self reference and a generated column"
is "$(rows 'SELECT * FROM "Shop"."Order"')" "$order_rows" "identity values are kept"
is "$(rows 'SELECT * FROM egg, hen')" "$egg_rows" "a cycle"
is "$(rows 'SELECT tableoid::regclass, * FROM event')" "$event_rows" "partitions"
is "$(sql app 'SELECT count(*) FROM nothing')" 3 "a table without columns"
is "$(sql app 'SELECT logs FROM "_prisma_migrations"')" later "Prisma's ledger is not touched"
is "$(sql app 'SELECT count(*) FROM log')" 0 "triggers did not fire"
is "$("$TEST_PGBIN/pg_dump" -s -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres "$(db_name app)" | grep -v restrict)" "$schema_before" \
	"foreign keys, their comments and triggers are as they were"
emergency=$(jq -r .emergency_backup <<<"$OUT")
is "$("$MIGSAFE" show "$emergency" --json | jq -r .reason)" emergency "what was there is in a backup"
is "$(jq -r .rows_deleted <<<"$OUT")" "$(jq -r '[.plan.tables[].rows_deleted // 0] | add' <<<"$OUT")" "deleted as planned"

# A backup of before the own engine says less.
cp "$MIGSAFE_BACKUP_DIR/$DATA/manifest.json" "$T/manifest"
jq 'del(.compression, .data_encoding, .tables[].text_bytes, .tables[].content, .tables[].columns[].generated)' "$T/manifest" \
	>"$MIGSAFE_BACKUP_DIR/$DATA/manifest.json"
restore --replace
status_is 0 "an older backup"
is "$(rows 'SELECT * FROM "User"')" "$user_rows" "with a generated column"
cp "$T/manifest" "$MIGSAFE_BACKUP_DIR/$DATA/manifest.json"

# --- a changed schema ---------------------------------------------------------------------------------

sql app >"$T/ignored" <<'END'
CREATE TYPE "Level" AS ENUM ('USER');
TRUNCATE "User", "Shop"."Order", egg, hen, event, flat, nothing, log;
ALTER TABLE "User" DROP COLUMN note, ALTER role DROP DEFAULT, ADD created timestamptz NOT NULL DEFAULT '2026-01-01',
	ADD number int GENERATED BY DEFAULT AS IDENTITY, ADD "Display" text NOT NULL, ADD bonus int;
ALTER TABLE "User" ALTER role TYPE "Level" USING 'USER', ALTER role SET DEFAULT 'USER';
ALTER TABLE "User" RENAME "Email" TO mail;
ALTER TABLE "Shop"."Order" RENAME TO "Purchase";
ALTER TABLE "Shop"."Purchase" ALTER total TYPE text;
DROP TABLE egg, hen, event_2026;
CREATE TABLE event_spring PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2026-05-01');
CREATE TABLE event_later PARTITION OF event FOR VALUES FROM ('2026-05-01') TO ('2027-01-01');
DROP TABLE flat;
CREATE TABLE flat (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE flat_old PARTITION OF flat FOR VALUES FROM ('2000-01-01') TO ('2026-01-01');
CREATE TABLE flat_new PARTITION OF flat FOR VALUES FROM ('2026-01-01') TO ('2100-01-01');
CREATE TABLE fresh (id int, u int REFERENCES "User");
INSERT INTO fresh VALUES (1, NULL);
SELECT setval('"User_id_seq"', 3);
END
before=$(all_rows)
run "$MIGSAFE" restore "$DATA" --dry-run
status_is 11 "a plan with things in the way"
like "$OUT" 'note +GONE: 20 values are lost' "a column that is gone, its values counted"
like "$OUT" 'Email +GONE: 40 values' "a renamed one looks gone"
like "$OUT" "--map 'public.User.Email=mail'" "and is suggested"
like "$OUT" "--map 'Shop.Order=Shop.Purchase'" "a renamed table is suggested"
like "$OUT" 'created +new: gets its default' "new with a default"
like "$OUT" 'number +new: numbered by the database' "new identity"
like "$OUT" 'bonus +new: stays NULL' "new and NULL"
like "$OUT" 'twice +generated' "generated"
like "$OUT" 'Display +NEW, may not be NULL, has no default' "new, and something must be said"
like "$OUT" 'public.egg: GONE: 5 rows are lost' "a table that is gone"
like "$OUT" 'left alone: .*public.fresh' "a table that is new"
like "$OUT" "public._prisma_migrations: Prisma's own, never touched" "the ledger"
is "$(all_rows)" "$before" "a dry run changes nothing"

maps=(--map event_2026=event --map 'User.Email=mail' --map '"Shop"."Order"=Purchase' --default "User.Display=upper(\"Email\") || '!'")
plan '[.possible, .lost_rows, .lost_values, (.blockers | length)]' "${maps[@]}"
status_is 10 "values would be lost: refused"
is "$PLAN" '[false,10,20,0]' "what was told is applied"
like "$ERR" 'accept-loss' "names the way"
plan .possible "${maps[@]}" --accept-loss
is "$PLAN" true "accepted"
restore "${maps[@]}" --accept-loss
status_is 0 "restored into the changed schema"
is "$(sql app "SELECT count(*), count(bonus), count(DISTINCT number), min(created)::date, min(role::text), sum(twice) FROM \"User\"")" \
	'40|0|40|2026-01-01|USER|1640' "new columns have what the database has for them"
is "$(sql app 'SELECT mail, "Display" FROM "User" WHERE id = 7')" 'u7|U7!' "renamed, and filled from the backup's columns"
is "$(sql app 'SELECT count(*), min(id), max(id), max(total::numeric) FROM "Shop"."Purchase"')" '200|101|300|75.00' "a renamed table"
is "$(sql app 'SELECT (SELECT count(*) FROM flat_old), (SELECT count(*) FROM flat_new)')" '31|30' "a flat table is partitioned now"
is "$(sql app 'SELECT tableoid::regclass, count(*) FROM event GROUP BY 1 ORDER BY 1' | xargs)" 'event_2025|31 event_spring|17 event_later|13' \
	"a partition is two now"
is "$(sql app 'SELECT count(*) FROM fresh')" 1 "a new table is left alone"
is "$(sql app "SELECT nextval('\"User_id_seq\"'), nextval(pg_get_serial_sequence('\"Shop\".\"Purchase\"', 'id'))")" '41|301' \
	"sequences go on behind what is there"
is "$(sql app 'SELECT count(*) FROM log')" 0 "no trigger fired"

# --- triggers where they are wanted; of a full backup; what is wrong with the options ----------------------

sql app >"$T/ignored" 'TRUNCATE "User", "Shop"."Purchase", event, flat, nothing, log, fresh'
run "$MIGSAFE" restore "$FULL" --data-only --triggers --accept-loss "${maps[@]}" --yes
status_is 0 "the rows of a full backup, triggers on"
is "$(sql app 'SELECT count(*) FROM log')" 200 "the trigger fired for each row"
sql app 'CREATE RULE keep AS ON DELETE TO log DO INSTEAD NOTHING'
sql app "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
sql app 'CREATE TRIGGER keep BEFORE DELETE ON event FOR EACH ROW EXECUTE FUNCTION keep()'
rows=$(sql app 'SELECT count(*) FROM event')
run "$MIGSAFE" restore "$FULL" --data-only --replace --triggers --accept-loss "${maps[@]}" --yes
status_is 65 "a trigger that keeps rows from being deleted"
like "$ERR" 'are there after they were deleted' "said"
is "$(sql app 'SELECT count(*) FROM event')" "$rows" "no row is there twice"
sql app 'DROP TRIGGER keep ON event; DROP RULE keep ON log'
run "$MIGSAFE" restore "$FULL" --replace --yes
status_is 64 "--replace is for data"
like "$ERR" 'data-only' "names the way"
restore --replace --merge skip
status_is 64 "two ways at once"
restore --merge maybe
status_is 64 "an unknown way"
restore --map 'User.Emial=mail'
status_is 64 "a name that is not there"
like "$ERR" 'Did you mean "User.Email"' "a near one is named"
run "$MIGSAFE" restore "$DATA" --into other --yes
status_is 64 "--into needs a full backup"
db_create other
run "$MIGSAFE" restore "$DATA" --url "$(db_url other)" --dry-run
status_is 64 "of another database: refused"
run "$MIGSAFE" restore "$DATA" --url "$(db_url other)" --dry-run --other-database
status_is 10 "unless it is meant"
run "$MIGSAFE" list
unlike "$OUT" damaged "backups are sound"

done_testing
