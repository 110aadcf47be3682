#!/usr/bin/env bash
# Many rows into tables that are empty: their indexes are made in the end, and all of them are what they
# were; those that cannot be are left alone.
. "$(dirname "$0")/../lib.sh"

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

schema() { # NAME: a file of it as pg_dump writes it, with what it does not: the state of every index
	{
	"$TEST_PGBIN/pg_dump" -s -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres "$(db_name app)" | grep -v restrict
	sql app "SELECT indexrelid::regclass, indisunique, indisvalid, indisready, indimmediate, indisclustered, indisreplident,
		indnullsnotdistinct, pg_get_indexdef(indexrelid), obj_description(indexrelid) FROM pg_index
		WHERE indexrelid >= 16384 AND indexrelid::regclass::text !~ 'pg_toast' ORDER BY indexrelid::regclass::text"
	} >"$T/$1"
}

same_schema() { # WHAT
	schema after
	is "$(diff "$T/before" "$T/after")" '' "$1"
}

oids() { # NAME...: of indexes, by name
	sql app "SELECT c.oid FROM unnest(string_to_array('$*', ' ')) WITH ORDINALITY AS w (name, place)
		JOIN pg_class c ON c.relname = w.name ORDER BY place" | xargs
}

remade() { # of a dry run
	jq -r '.indexes_remade[].name' <<<"$OUT" | sort | xargs
}

restore() {
	run "$MIGSAFE" restore "$DATA" --yes "$@"
}

sql app >"$T/ignored" <<'SQL'
CREATE TABLE "Team" (id int PRIMARY KEY, code text);
CREATE UNIQUE INDEX code ON "Team" (code);
CREATE TABLE "User" (id serial, "Email" text NOT NULL, name text, born date, team int REFERENCES "Team", at tstzrange,
	PRIMARY KEY (id), CONSTRAINT checked_late UNIQUE (id, team) DEFERRABLE INITIALLY DEFERRED);
COMMENT ON CONSTRAINT "User_pkey" ON "User" IS 'the constraint''s';
COMMENT ON INDEX "User_pkey" IS 'the index''s';
CREATE UNIQUE INDEX "User_Email_key" ON "User" ("Email");
ALTER TABLE "User" ADD CONSTRAINT pair UNIQUE NULLS NOT DISTINCT (name, id) INCLUDE (born);
CREATE INDEX lower ON "User" (lower("Email") COLLATE "C" DESC NULLS LAST) WITH (fillfactor = 70) WHERE name IS NOT NULL;
COMMENT ON INDEX lower IS 'small ones';
CREATE INDEX words ON "User" USING gin (to_tsvector('english', name));
CREATE FUNCTION mine(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1 $$;
CREATE INDEX by_mine ON "User" (public.mine(name));
CREATE INDEX counted ON "User" ((id + 1));
ALTER INDEX counted ALTER COLUMN 1 SET STATISTICS 77;
CREATE INDEX marked ON "User" (born);
ALTER TABLE "User" CLUSTER ON marked;
ALTER TABLE "User" ADD CONSTRAINT filled UNIQUE (born, id) WITH (fillfactor = 50);
ALTER TABLE "User" ADD EXCLUDE USING gist (at WITH &&);
CREATE TABLE log (id int PRIMARY KEY, what text NOT NULL);
CREATE UNIQUE INDEX named ON log (what);
ALTER TABLE log REPLICA IDENTITY USING INDEX named;
CREATE VIEW grouped AS SELECT id, what, count(*) FROM log GROUP BY id;
CREATE TABLE badge (id int PRIMARY KEY, team int REFERENCES "Team" (id), code text REFERENCES "Team" (code));
CREATE TABLE later (team int REFERENCES "Team");
INSERT INTO "Team" SELECT i, 'c' || i FROM generate_series(1, 30) i;
INSERT INTO "User" ("Email", name, born, team) SELECT 'u' || i, 'n' || i % 99, '2000-01-01'::date + i % 999, 1 + i % 30 FROM generate_series(1, 20500) i;
INSERT INTO log SELECT i, 'w' || i FROM generate_series(1, 20500) i;
INSERT INTO badge SELECT i, i, 'c' || i FROM generate_series(1, 9) i;
SQL
run "$MIGSAFE" backup --json
DATA=$(jq -r '.backups[] | select(.kind == "data") | .id' <<<"$OUT")
rows=$(sql app 'SELECT md5(string_agg(u::text, $$,$$ ORDER BY id)) FROM "User" u')
schema before
[ "$(sql app "SELECT count(*) FROM pg_event_trigger")" = 0 ] || bail "an event trigger"

# --- what is made in the end ------------------------------------------------------------------------------

run "$MIGSAFE" restore "$DATA" --dry-run --json --replace
is "$(remade)" 'User_Email_key User_pkey lower pair words' "of full tables that are replaced: those that lose nothing"
sql app 'TRUNCATE "User", "Team", log, badge, later'
run "$MIGSAFE" restore "$DATA" --dry-run --json
is "$(remade)" 'User_Email_key User_pkey lower pair words' "of empty tables: the same"
run "$MIGSAFE" restore "$DATA" --dry-run
like "$OUT" '5 indexes are made of all rows in the end' "said"
run "$MIGSAFE" restore "$DATA" --dry-run --json --triggers
is "$(remade)" '' "none where triggers may look at the rows"
sql app 'CREATE RULE nothing AS ON DELETE TO badge DO INSTEAD NOTHING'
run "$MIGSAFE" restore "$DATA" --dry-run --json
is "$(remade)" '' "none where a rule may"
sql app 'DROP RULE nothing ON badge; CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$'
sql app 'CREATE EVENT TRIGGER seen ON sql_drop EXECUTE FUNCTION seen()'
run "$MIGSAFE" restore "$DATA" --dry-run --json
is "$(remade)" '' "none where an event trigger would see them dropped"
sql app 'DROP EVENT TRIGGER seen; DROP FUNCTION seen()'

# --- and is what it was ---------------------------------------------------------------------------------

made=$(oids User_Email_key User_pkey lower pair words) left=$(oids by_mine checked_late counted marked filled named log_pkey)
restore
status_is 0 "into empty tables"
same_schema "the schema is what it was, to the byte"
unlike "$(oids User_Email_key User_pkey lower pair words)" "$made" "some were made again"
is "$(oids by_mine checked_late counted marked filled named log_pkey)" "$left" "the others are what they were"
is "$(sql app 'SELECT md5(string_agg(u::text, $$,$$ ORDER BY id)) FROM "User" u')" "$rows" "the rows are there"
restore --replace
status_is 0 "and into full ones, emptied"
same_schema "the schema is what it was, to the byte"
is "$(sql app "SET enable_seqscan = off; SELECT id FROM \"User\" WHERE \"Email\" = 'u777'")" 777 "an index finds what it should"
# shellcheck disable=SC2016 # for the server
is "$(sql app 'SELECT count(*) FROM pg_stats WHERE tablename = $$User$$ AND attname = $$born$$')" 1 "statistics were made"

# --- rows that do not fit ------------------------------------------------------------------------------------

sql app 'TRUNCATE "User"; DROP INDEX "User_Email_key"; CREATE UNIQUE INDEX one_name ON "User" (name)'
schema before
restore --replace
status_is 65 "a new unique index that the rows do not fit"
like "$ERR" 'index "one_name" of table "public"."User"' "names it"
like "$ERR" 'Key \(name\)=\(n[0-9]+\) is duplicated' "and the value"
same_schema "all is as it was"
is "$(sql app 'SELECT count(*) FROM "User"')" 0 "no row came"
sql app 'DROP INDEX one_name'

# Parents that many rows are made of, and children that have few: their foreign keys are in the way.
sql app >"$T/ignored" <<'SQL'
TRUNCATE "User", "Team", log, badge, later;
INSERT INTO "Team" SELECT i, 'c' || i FROM generate_series(1, 20500) i;
INSERT INTO badge SELECT i, i, 'c' || i FROM generate_series(1, 9) i;
SQL
run "$MIGSAFE" backup --json
DATA=$(jq -r '.backups[] | select(.kind == "data") | .id' <<<"$OUT")
sql app 'TRUNCATE "User", "Team", log, badge, later'
schema before
run "$MIGSAFE" restore "$DATA" --dry-run --json
is "$(remade)" 'Team_pkey code' "keys that foreign keys lean on"
is "$(jq -r '.foreign_keys_taken_off[].name' <<<"$OUT" | sort | xargs)" 'User_team_fkey badge_code_fkey badge_team_fkey later_team_fkey' \
	"which are taken off for it"
restore
status_is 0 "restored"
same_schema "the schema is what it was"
done_testing
