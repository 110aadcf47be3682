#!/usr/bin/env bash
# restore --side: the rows go into a copy of the database, by several sessions, and the copy takes its
# name; live is kept, with what others wrote meanwhile, which is counted.
. "$(dirname "$0")/../lib.sh"

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

rows() { # QUERY -> a sum of what it gives
	sql app "SELECT count(*) || ' ' || md5(coalesce(string_agg(r::text, '|' ORDER BY r::text), '')) FROM ($1) r"
}

schema() { # NAME: a file
	"$TEST_PGBIN/pg_dump" -s -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres "$(db_name app)" | grep -v restrict >"$T/$1"
}

databases() { # of ours beside live
	sql postgres "SELECT count(*) FROM pg_database WHERE datname LIKE '$(db_name app)\_\_migsafe%'"
}

oid() {
	sql postgres "SELECT oid FROM pg_database WHERE datname = '$(db_name app)'"
}

restore() { # [OPTION...]
	run "$MIGSAFE" restore "$DATA" --yes --side "$@"
}

sql app >"$T/ignored" <<'SQL'
CREATE TYPE "Role" AS ENUM ('ADMIN', 'USER');
CREATE TABLE team (id int PRIMARY KEY, lead int);
CREATE TABLE "User" (id serial PRIMARY KEY, email text NOT NULL UNIQUE, age text, role "Role" DEFAULT 'USER', team int REFERENCES team,
	boss int REFERENCES "User", twice int GENERATED ALWAYS AS (id * 2) STORED);
ALTER TABLE team ADD FOREIGN KEY (lead) REFERENCES "User";
CREATE TABLE event (at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE badge (id int PRIMARY KEY, owner int REFERENCES "User");
CREATE TABLE log (id int PRIMARY KEY, what text);
CREATE TABLE log_of (log int REFERENCES log, "user" int REFERENCES "User");
INSERT INTO team SELECT i FROM generate_series(1, 5) i;
INSERT INTO "User" (email, age, team, boss) SELECT 'u' || i, i % 90, 1 + i % 5, 1 + i % 40 FROM generate_series(1, 21000) i;
UPDATE team SET lead = id;
INSERT INTO event SELECT '2025-06-01'::date + i * 7, 'e' || i FROM generate_series(0, 60) i;
INSERT INTO badge SELECT i, i FROM generate_series(1, 2000) i;
INSERT INTO log SELECT i, 'l' || i FROM generate_series(1, 3000) i;
INSERT INTO log_of SELECT i, i FROM generate_series(1, 100) i;
CREATE FUNCTION mark() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.email := 'spoilt'; RETURN NEW; END $$;
CREATE TRIGGER marks BEFORE INSERT ON "User" FOR EACH ROW EXECUTE FUNCTION mark();
SQL
users=$(rows 'SELECT id, email, role, team, boss, twice FROM "User"') teams=$(rows 'SELECT * FROM team') events=$(rows 'SELECT tableoid::regclass, * FROM event')
run "$MIGSAFE" backup --json
DATA=$(jq -r '.backups[] | select(.kind == "data") | .id' <<<"$OUT")

# --- a schema that has changed, tables that are full, and tables that the backup lacks -------------------------

sql app >"$T/ignored" <<'SQL'
DROP TABLE badge;
ALTER TABLE "User" ALTER age TYPE int USING age::int, ADD born date DEFAULT '2000-01-01', DROP CONSTRAINT "User_email_key";
CREATE UNIQUE INDEX "User_email_key" ON "User" (lower(email));
UPDATE "User" SET team = NULL, boss = NULL;
DELETE FROM event;
CREATE TABLE later (id int PRIMARY KEY, u int REFERENCES "User", note text);
INSERT INTO later SELECT i, i, 'kept' FROM generate_series(1, 500) i;
CREATE TABLE counted (id int);
SQL
sql postgres "COMMENT ON DATABASE \"$(db_name app)\" IS 'the application''s'" >"$T/ignored"
sql postgres "ALTER DATABASE \"$(db_name app)\" SET work_mem = '7MB'" >"$T/ignored"
schema before
before=$(oid)
restore --replace
status_is 10 "losses are refused as ever"
is "$(databases) $(oid)" "0 $before" "nothing was made"
run "$MIGSAFE" restore "$DATA" --side --replace --accept-loss --dry-run
status_is 0 "a dry run"
like "$OUT" 'in a copy of the database that takes its name' "says how"
is "$(databases)" 0 "and makes nothing"

restore --replace --accept-loss --json
status_is 0 "restored by a copy"
kept=$(jq -r .swap.kept_database <<<"$OUT")
unlike "$(oid)" "^$before\$" "another database has the name"
is "$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$kept'")" "$before" "the one that was there is kept"
schema after
is "$(diff "$T/before" "$T/after")" '' "the schema is what it was, to the byte"
is "$(rows 'SELECT id, email, role, team, boss, twice FROM "User"')" "$users" "users: converted, with a self reference, no trigger fired"
# shellcheck disable=SC2016 # for the server
is "$(sql app 'SELECT count(age), sum(age), min(born) FROM "User"')" "$(sql app 'SELECT 21000, sum(i % 90), date $$2000-01-01$$ FROM generate_series(1, 21000) i')" \
	"a new type, a new column"
is "$(rows 'SELECT * FROM team')" "$teams" "a cycle"
is "$(rows 'SELECT tableoid::regclass, * FROM event')" "$events" "partitions"
is "$(sql app 'SELECT count(*), min(note) FROM later')" '500|kept' "a table that the backup lacks keeps its rows"
is "$(sql app 'SHOW work_mem')" 7MB "settings of the database"
is "$(sql postgres "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '$(db_name app)'")" "the application's" "its comment"
is "$(sql app "SELECT nextval('\"User_id_seq\"')")" 21001 "a sequence goes on"
is "$(sql app 'SELECT count(*) FROM pg_constraint WHERE NOT convalidated')" 0 "foreign keys are checked"
is "$(jq '[.rows_inserted, .rows_deleted, (.swap.lost_writes | length)]' -c <<<"$OUT")" '[24166,24105,0]' "told"
is "$(sql app "SELECT string_agg(relname || ' ' || n_tup_ins, ',' ORDER BY relname) FROM pg_stat_user_tables
	WHERE relname IN ('log', 'log_of', 'team')")" 'log 3000,log_of 100,team 10' "rows that nothing else misses came only once"
sql postgres "DROP DATABASE \"$kept\"" >"$T/ignored"

# --- what others write meanwhile ----------------------------------------------------------------------------------

mkdir "$T/bin"
ln -s "$TEST_PGBIN/pg_dump" "$T/bin/pg_dump"
cat >"$T/bin/pg_restore" <<TOOL
#!/bin/sh
case "\$*" in
*--dbname=*) [ -e '$T/written' ] || '$TEST_PGBIN/psql' -Xq -h '$TEST_PGHOST' -p '$TEST_PGPORT' -U postgres -d '$(db_name app)' \
	-c "INSERT INTO counted VALUES (1), (2); INSERT INTO team VALUES (77)"
	touch '$T/written' ;;
esac
exec '$TEST_PGBIN/pg_restore' "\$@"
TOOL
chmod +x "$T/bin/pg_restore"
restore --replace --accept-loss --json --pg-bin "$T/bin"
status_is 0 "others wrote between the emergency backup and the swap"
kept=$(jq -r .swap.kept_database <<<"$OUT")
is "$(jq -c '[.swap.lost_writes[] | [.table, .rows_now, .rows_then, .written]]' <<<"$OUT")" '[["counted",2,0,2],["team",6,5,1]]' \
	"what they wrote is counted"
is "$(sql app 'SELECT count(*) FROM counted')" 0 "it is not in the database"
run_id=$(jq -r .run <<<"$OUT")
is "$(zgrep -c '^INSERT INTO' "$MIGSAFE_BACKUP_DIR/.migsafe/runs/$run_id/lost-writes.sql.gz")" 3 "and in a file that brings it back"
is "$(grep -c '"in place"' "$MIGSAFE_BACKUP_DIR/.migsafe/runs/$run_id"/*.jsonl)" 0 \
	"what is committed in the copy is not told as committed in live"
sql postgres "ALTER DATABASE \"$kept\" ALLOW_CONNECTIONS true" >"$T/ignored"
is "$("$TEST_PGBIN/psql" -XAtq -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres -d "$kept" -c 'SELECT count(*) FROM counted')" 2 \
	"but in the one that is kept"
sql postgres "DROP DATABASE \"$kept\"" >"$T/ignored"
sql app "TRUNCATE team, \"User\", event, later, log, log_of"
mkdir -p "$T/hooks/pre-restore"
printf '#!/bin/sh\nexec "%s/psql" -Xq -h "%s" -p "%s" -U postgres -d "%s" -c "INSERT INTO team VALUES (77)"\n' \
	"$TEST_PGBIN" "$TEST_PGHOST" "$TEST_PGPORT" "$(db_name app)" >"$T/hooks/pre-restore/10-write"
chmod 0700 "$T/hooks" "$T/hooks/pre-restore" "$T/hooks/pre-restore/10-write"
restore --accept-loss --hooks-dir "$T/hooks"
status_is 11 "rows that come meanwhile into a table that must be empty: refused"
like "$ERR" 'public.team: it has 1 row now' "named"
is "$(databases)" 0 "no database is left"

# --- nothing fits: nothing changes -----------------------------------------------------------------------------------

sql app 'TRUNCATE team, "User", event, later, log, log_of; ALTER TABLE "User" ADD CHECK (id < 20000)'
before=$(oid)
restore --accept-loss
status_is 65 "a CHECK that the rows do not fit"
like "$ERR" 'User_id_check' "named"
is "$(databases) $(oid)" "0 $before" "live is what it was, no database is left"
is "$(sql app 'SELECT count(*) FROM team')" 0 "and no row came"
# shellcheck disable=SC2016 # for the server
sql app 'ALTER TABLE "User" DROP CONSTRAINT "User_id_check"; CREATE TABLE child (u int REFERENCES "User"); INSERT INTO "User" (id, email) VALUES (99999, $$x$$); INSERT INTO child VALUES (99999)'
restore --accept-loss --replace
status_is 65 "a row that stays refers to one that the backup lacks"
like "$ERR" 'foreign key "child_u_fkey"' "named"
is "$(databases) $(oid)" "0 $before" "live is what it was"
restore --accept-loss --merge skip
status_is 0 "which stays when rows are merged"
is "$(sql app 'SELECT count(*) FROM "User"')" 21001 "all are there"
run "$MIGSAFE" restore "${DATA%_data}_full" --side --yes
status_is 64 "--side is for data"
done_testing
