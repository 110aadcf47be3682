#!/usr/bin/env bash
# What others wrote between a backup and the swap that restores it is in the run's lost-writes.sql.gz,
# and `migsafe replay` brings it back: all of it, twice without harm, never over what was changed since.
# shellcheck disable=SC2016 # quoting of the values
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"

shop_base

own() { # NAME COMMAND [ARGUMENT...]
	local name=$1
	shift
	run env DATABASE_URL="$(db_url "$name" owner)" MIGSAFE_BACKUP_DIR="$BACKUPS" "$MIGSAFE" "$@"
}

lost_file() { # RUN -> its SQL
	zcat "$BACKUPS/.migsafe/runs/$1/lost-writes.sql.gz"
}

# --- every kind of row ----------------------------------------------------------------------------
db_create odd owner
psql_as owner odd >/dev/null <<'SQL' || bail 'the schema'
CREATE SCHEMA "o'dd ""S";
CREATE TYPE "o'dd ""S"."Mood" AS ENUM ('sad', 'it''s ok');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN email AS text NOT NULL CHECK (VALUE LIKE '%@%');
CREATE TABLE "o'dd ""S"."T;-- x" ("i d" int, "k\" text, v text, raw bytea, list text[], j json, jb jsonb,
    n numeric, f float8, at timestamptz, iv interval, m "o'dd ""S"."Mood", p pair, e email, x xml,
    c char(5), b boolean, ip inet, g int GENERATED ALWAYS AS (length(v)) STORED, PRIMARY KEY ("i d", "k\"));
CREATE TABLE ident (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(20) UNIQUE);
CREATE TABLE serial (id serial PRIMARY KEY, boss int REFERENCES serial, owner bigint REFERENCES ident ON DELETE CASCADE);
CREATE TABLE deep (id uuid PRIMARY KEY, serial int REFERENCES serial);
CREATE TABLE bag (a int, b text, c json);
CREATE TABLE still (id int PRIMARY KEY);
CREATE TABLE log (id serial PRIMARY KEY, what text);
CREATE TABLE parts (id int, at date, v text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO public.log (what) VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON ident FOR EACH ROW EXECUTE FUNCTION noted();
INSERT INTO "o'dd ""S"."T;-- x" ("i d", "k\", v, raw, list, j, jb, n, f, at, iv, m, p, e, x, c, b, ip)
SELECT i, 'k' || i, 'v', '\x00ff', ARRAY['a', NULL, 'b"\'], '{"a": 1}', '{"a": 1}', 1.50, 0.1, '2026-01-01',
       '1 day', 'sad', ROW(1, 'x')::pair, 'a@b', '<a/>', 'ab', true, '10.0.0.1' FROM generate_series(1, 200) i;
INSERT INTO ident (name) SELECT 'n' || i FROM generate_series(1, 50) i;
INSERT INTO serial (boss, owner) SELECT NULLIF(i - 1, 0), i FROM generate_series(1, 30) i;
INSERT INTO deep SELECT gen_random_uuid(), i FROM generate_series(1, 10) i;
INSERT INTO bag SELECT i % 3, 'x', '{}' FROM generate_series(1, 9) i;
INSERT INTO bag VALUES (NULL, NULL, NULL);
INSERT INTO still VALUES (1);
INSERT INTO parts VALUES (1, '2026-05-05', 'x'), (2, '2027-05-05', 'y');
SQL
own odd backup --kind full --json
status_is 0 'a backup'
ID=$(json '.backups[0].id')
state_of odd >"$T/odd.backup"
psql_as owner odd >/dev/null <<'SQL' || bail 'the writes'
INSERT INTO "o'dd ""S"."T;-- x" ("i d", "k\", v, raw, list, j, jb, n, f, at, iv, m, p, e, x, c, b, ip) VALUES
    (1000, E'\\.', E'tab\tline\nreturn\r back\\slash ''quote'' "double" $$ ; -- \\N', '\xdeadbeef',
     '{{1,2},{3,NULL}}', '{"b" : [1,  2], "b": null}', '{"b": "\\u00e9"}', 'NaN', '-Infinity', 'infinity', '1 mon -3 days',
     'it''s ok', (NULL, 'a,"b"'), 'x@y', '<b>&amp;</b>', '', false, '10.0.0.0/8'),
    (1001, '', '', '', '{}', 'null', 'null', NULL, 'NaN', NULL, NULL, NULL, NULL, '@', NULL, NULL, NULL, NULL),
    (1002, ':name', ':''x'' \q', NULL, NULL, NULL, NULL, 1e30, -0.0, '0044-03-15 BC', '-00:00:00.5', NULL, ROW(NULL, NULL), 'é@☃', NULL, 'é', NULL, NULL);
UPDATE "o'dd ""S"."T;-- x" SET v = 'changed', n = 1.5 WHERE "i d" <= 3;
UPDATE "o'dd ""S"."T;-- x" SET n = 1.5 WHERE "i d" = 4;
UPDATE "o'dd ""S"."T;-- x" SET j = NULL, list = NULL WHERE "i d" = 5;
DELETE FROM "o'dd ""S"."T;-- x" WHERE "i d" BETWEEN 10 AND 19;
UPDATE "o'dd ""S"."T;-- x" SET "i d" = 5000 WHERE "i d" = 20;
UPDATE "o'dd ""S"."T;-- x" SET v = v WHERE "i d" = 30;
DELETE FROM ident WHERE name = 'n40';
INSERT INTO ident (name) VALUES ('n40'), ('new');
UPDATE ident SET name = 'moved' WHERE name = 'n1';
UPDATE ident SET name = 'n1' WHERE name = 'n2';
INSERT INTO serial (id, boss, owner) VALUES (900, 901, NULL), (901, NULL, 52) ON CONFLICT DO NOTHING;
SQL
psql_as owner odd >/dev/null <<'SQL' || bail 'more writes'
UPDATE serial SET boss = NULL WHERE boss = 30;
DELETE FROM deep WHERE serial = 10;
UPDATE serial SET boss = 1 WHERE boss = 10;
DELETE FROM serial WHERE id IN (10, 29, 30);
INSERT INTO serial (boss) SELECT 900 FROM generate_series(1, 5);
INSERT INTO deep SELECT gen_random_uuid(), 900;
INSERT INTO bag VALUES (1, 'x', '{}'), (NULL, NULL, NULL), (7, E'\\.', '{"a":  1}');
DELETE FROM bag WHERE ctid IN (SELECT ctid FROM bag WHERE a = 2 LIMIT 2);
INSERT INTO parts VALUES (3, '2027-06-06', 'z');
UPDATE parts SET at = '2027-01-01' WHERE id = 1;
SQL
state_of odd >"$T/odd.written"
own odd restore "$ID" --yes --json
status_is 0 'the backup takes the place of what was written to'
RUN=$(json .run)
unchanged_since "$T/odd.backup" odd 'which is the backup'
is "$(json .lost_writes_file)" "$BACKUPS/.migsafe/runs/$RUN/lost-writes.sql.gz" 'what was lost is in a file'
is "$(json .lost_rows_note)" null 'all of it'
is "$(stat -c %a "$BACKUPS/.migsafe/runs/$RUN/lost-writes.sql.gz")" 600 'that only its owner reads'
is "$(json '[.lost_rows[] | select(.table == "T;-- x") | .inserts, .updates, .deletes] | join(" ")')" '4 5 11' \
	'with exact counts: what was only touched is none'
is "$(json '[.lost_rows[] | select(.table == "still")] | length')" 0 'and nothing of what nobody wrote to'
KEPT=$(json .kept_database)
is "$(sql postgres "SELECT datallowconn FROM pg_database WHERE datname = '$KEPT'")" f 'the kept database is closed again'

own odd replay "$RUN" --dry-run --json
status_is 0 'a preview'
is "$(json '"\(.conflicts) \(.there) \(.rows == .done)"')" '0 0 true' 'of all rows, no conflict'
unchanged_since "$T/odd.backup" odd 'changes nothing'
own odd replay "$RUN"
status_is 64 'without a terminal it needs --yes'
psql_as owner odd -c 'ALTER TABLE ident DISABLE TRIGGER noted' >/dev/null
own odd replay "$RUN" --yes --json
status_is 0 'brought back'
fires() { sql odd "SELECT tgenabled FROM pg_trigger WHERE tgname = 'noted'"; }
is "$(fires)" D 'a trigger that was switched off since stays so'
psql_as owner odd -c 'ALTER TABLE ident ENABLE TRIGGER noted' >/dev/null
is "$(json '"\(.conflicts) \(.rows == .done)"')" '0 true' 'all of it'
unchanged_since "$T/odd.written" odd 'the database is what it was before the restore, row for row, with its sequences'
is "$(journal_of | jq -rs '.[0].command + " " + .[-1].data.verdict')" 'replay restored' 'in a run of its own'
journal=$(find "$BACKUPS/.migsafe/runs" -name journal.jsonl | sort | tail -n 1)
jq -c 'select(.event == "begin" or .event == "note")' "$journal" >"$T/journal" && cp "$T/journal" "$journal"
own odd recover --json
is "$RC $(json '.runs[0].verdict')" '0 restored' 'one that died when it had committed is found so'
own odd replay "$RUN" --yes --json
is "$RC $(json '"\(.done) \(.conflicts) \(.rows == .there)"')" '0 0 0 true' 'a second time finds everything there'
unchanged_since "$T/odd.written" odd 'and changes nothing'
is "$(fires)" O 'one that was on is on again'

# --- conflicts, and psql ----------------------------------------------------------------------------
own odd restore "$ID" --yes --json
RUN=$(json .run)
psql_as owner odd >/dev/null <<'SQL' || bail 'the others'
UPDATE "o'dd ""S"."T;-- x" SET v = 'later' WHERE "i d" IN (1, 10);
DELETE FROM "o'dd ""S"."T;-- x" WHERE "i d" = 2;
INSERT INTO "o'dd ""S"."T;-- x" ("i d", "k\", e) VALUES (1001, '', 'mine@');
INSERT INTO deep SELECT '11111111-1111-1111-1111-111111111111', 10;
INSERT INTO ident (name) VALUES ('new');
SQL
own odd replay "$RUN" --yes --json
status_is 0 'what was changed since is left alone'
is "$(json '[.tables[] | select(.table | endswith("T;-- x")) | .rows.inserted - .done.inserted, .rows.updated - .done.updated, .rows.deleted - .done.deleted] | join(" ")')" \
	'1 2 1' 'and counted: a new row of that key, updated and deleted rows'
is "$(sql odd "SELECT string_agg(v, ',' ORDER BY \"i d\") FROM \"o'dd \"\"S\".\"T;-- x\" WHERE \"i d\" IN (1, 3, 10)")" \
	later,changed,later 'their values stay'
is "$(sql odd "SELECT count(*) FROM deep WHERE serial = 10")" 1 'a row that others refer to since is not deleted'
is "$(sql odd "SELECT count(*) FROM serial WHERE id = 10")" 1 'nor are they with it'
own odd replay "$RUN"
OUT2=$OUT
like "$OUT2" 'CONFLICT' 'the preview names conflicts'
own odd restore "$ID" --yes --json
lost_file "$RUN" >"$T/lost.sql"
psql_as owner odd -f "$T/lost.sql" >"$T/psql.log" 2>&1
ok $? 'psql takes the file too' || diag "$(tail -5 "$T/psql.log")"
unchanged_since "$T/odd.written" odd 'and it does the same'
own odd replay 20200101_000000_abcd
status_is 66 'no such run'

# A row that refers to one that is deleted, in a transaction that is still open.
own odd restore "$ID" --yes --json
RUN=$(json .run)
bg_sql odd 'BEGIN; INSERT INTO serial (id, owner) VALUES (7777, 40)'
lost_file "$RUN" >"$T/lost.sql" # replay tries all of it before, and would see the row then
psql_as owner odd -f "$T/lost.sql" >"$T/psql.log" 2>&1 &
replaying=$!
waits() { [ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE datname = '$(db_name odd)' AND wait_event_type = 'Lock'")" = 1 ]; }
wait_for 10 waits
ok $? 'the file waits for it'
bg_more "$BG" COMMIT
wait "$replaying"
is "$(sql odd 'SELECT owner FROM serial WHERE id = 7777')" 40 'and it does not go by the foreign key'"'"'s ON DELETE CASCADE'
bg_kill "$BG"

# --- a deploy: what the migration wrote itself is told from what others wrote ---------------------------
shop_new dep
migration() { # NUMBER NAME <SQL
	mkdir "$APP/prisma/migrations/2027010100000${1}_$2" && cat >"$APP/prisma/migrations/2027010100000${1}_$2/migration.sql"
}
hook() { # POINT <SQL
	mkdir -p "$T/hooks/$1"
	cat >"$T/$1.sql"
	printf '#!/bin/sh\nexec %s/psql -Xqv ON_ERROR_STOP=1 -f %s -h %s -p %s -U %s %s\n' "$TEST_PGBIN" "$T/$1.sql" \
		"$TEST_PGHOST" "$TEST_PGPORT" "$(role_name owner)" "$(db_name dep)" >"$T/hooks/$1/10-write"
	chmod +x "$T/hooks/$1/10-write"
}
psql_as owner dep -c 'CREATE TABLE gone (id int PRIMARY KEY, v text); INSERT INTO gone VALUES (1);
	CREATE TABLE unused (id serial PRIMARY KEY, v text);
	CREATE TABLE renamed (id int PRIMARY KEY, v text, w int, u text); INSERT INTO renamed VALUES (1, 1, 1);
	CREATE TABLE child (id int PRIMARY KEY, renamed int REFERENCES renamed ON DELETE CASCADE); INSERT INTO child VALUES (1, 1)'
migration 1 good <<'SQL'
INSERT INTO "Category" (slug, name) VALUES ('of-the-migration', 'x');
UPDATE "Product" SET description = 'by the migration' WHERE id = 1;
ALTER TABLE renamed RENAME TO named;
ALTER TABLE named RENAME v TO value;
ALTER TABLE named DROP w, ALTER u TYPE int USING 1;
DROP TABLE gone;
CREATE TABLE fresh (id int PRIMARY KEY);
SQL
printf 'SELECT 1/0;\n' | migration 2 bad
hook pre-migrate <<'SQL'
INSERT INTO "Category" (slug, name) VALUES ('of-others', 'x');
UPDATE "Product" SET price = price + 1 WHERE id = 2;
UPDATE renamed SET v = 'others', w = 2;
INSERT INTO gone VALUES (2);
SQL
hook pre-restore <<'SQL'
INSERT INTO "User" (email, "updatedAt") VALUES ('later@others', now());
INSERT INTO "Category" (slug, name) VALUES ('of-others-meanwhile', 'x');
INSERT INTO fresh VALUES (1);
INSERT INTO unused (v) VALUES ('later');
UPDATE child SET renamed = NULL;
SQL
state_of dep >"$T/dep.before"
migsafe_for dep deploy --json --gate warn --hooks-dir "$T/hooks" --webhook-url ""
status_is 20 'a deploy that fails in its second migration'
state_of dep >"$T/dep.after"
is "$(diff "$T/dep.before" "$T/dep.after" | grep -c '^[<>]') $(grep -cE '^sequence public.(User_id_seq\|9001|unused_id_seq\|1001)\|' "$T/dep.after")" '4 2' \
	'is rolled back, but for the numbers that others took: they are not given again' || diag "$(diff "$T/dep.before" "$T/dep.after")"
psql_as owner dep -c "INSERT INTO \"User\" (email, \"updatedAt\") VALUES ('since@others', now()); INSERT INTO unused (v) VALUES ('since')" >/dev/null
RUN=$(json .run)
is "$(json .lost_writes_file)" "$BACKUPS/.migsafe/runs/$RUN/lost-writes.sql.gz" 'the report names the file'
is "$(json .replay)" "migsafe replay $RUN" 'and the command'
like "$(json .next)" "migsafe replay $RUN" 'which is what to do next'
is "$(json '.lost_rows | map("\(.table) \(.of_migration) \(.inserts) \(.updates) \(.deletes)") | sort | join(", ")')" \
	'Category false 1 0 0, Category true 2 0 0, Product false 0 1 0, Product true 0 1 0, User false 1 0 0, child true 0 1 0, renamed true 0 1 0, unused false 1 0 0' \
	'what others wrote before the migration, or to tables that it leaves alone, is told from what may be its own'
like "$(json .lost_rows_note)" 'dropped table "public"."gone"' 'a dropped table is named'
like "$(json .lost_rows_note)" '"public"."fresh" is new' 'and a new one'
like "$(json .lost_rows_note)" 'column.* "w", "u"' 'and columns that are gone or have another type'
lost_file "$RUN" | grep -q _prisma_migrations
is $? 1 'the ledger is not in the file'
categories() {
	sql_as owner dep "SELECT string_agg(slug, ' ' ORDER BY slug) FROM \"Category\" WHERE slug LIKE 'of-%'"
}
migsafe_for dep replay "$RUN" --yes --json
is "$RC $(json '"\(.done) \(.conflicts) \(.left_out)"')" '0 4 0 5' 'replay leaves out what may be the migration'"'"'s'
is "$(categories)" of-others 'and brings back the others'"'"
is "$(sql_as owner dep "SELECT count(*) FROM \"User\" WHERE email LIKE '%@others'")" 2 'a row written since the swap has not taken the number of a lost one'
is "$(sql_as owner dep "SELECT string_agg(v, ' ' ORDER BY id) FROM unused")" 'later since' 'nor the first one of a table that had none'
is "$(sql_as owner dep 'SELECT v || w FROM renamed')" 11 'not in tables that it changed'
migsafe_for dep replay "$RUN" --yes --include-migrated
status_is 0 'unless asked'
like "$OUT" 'renamed: 1 updated' 'says what it did'
is "$(categories)" 'of-others of-others-meanwhile of-the-migration' 'then that too'
is "$(sql_as owner dep 'SELECT v || w FROM renamed')" others1 'columns that are not known keep their values'
migsafe_for dep report "$RUN"
like "$OUT" "migsafe replay $RUN: /" 'the report for people says so'
done_testing
