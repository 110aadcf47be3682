#!/usr/bin/env bash
# What migrations lost is told from what they renamed, moved or carried over: `health --since BACKUP`.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

db_create app
mkdir -p prisma/migrations
printf 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n' >prisma/schema.prisma
NUMBER=0

# A backup, then SQL as an applied migration, then the look.
migrate() { # SQL
	NUMBER=$((NUMBER + 1))
	local name=2026010100000${NUMBER}_step sum
	BACKUP=$("$MIGSAFE" backup --kind full --url "$(db_url app)" --backup-dir "$T/b" --json 2>"$T/backup.err" |
		jq -r '.backups[0].id')
	case $BACKUP in *_full*) ;; *) bail "no backup: $(cat "$T/backup.err")" ;; esac
	mkdir -p "prisma/migrations/$name"
	printf '%s\n' "$1" >"prisma/migrations/$name/migration.sql"
	sum=$(sha256sum <"prisma/migrations/$name/migration.sql" | cut -c1-64)
	sql app "$1" >/dev/null || bail "migration failed"
	sql app "INSERT INTO _prisma_migrations VALUES ('$NUMBER', '$sum', now(), '$name', NULL, NULL, now(), 1)"
	look
}

look() {
	run "$MIGSAFE" health --url "$(db_url app)" --project "$T" --backup-dir "$T/b" --since "$BACKUP" --json "$@"
}

lost() { # -> "rule target level" of what is not allowed, one line
	jq -r '[.findings[] | select(.rule | IN("drop-table", "drop-column", "renamed-column", "rows-lost", "values-lost"))
		| select(.allowed | not) | "\(.rule) \(.target) \(.level)"] | sort | join(", ")' <<<"$OUT"
}

says() { # WANT NAME
	is "$(lost)" "$1" "$2" || diag "$OUT$ERR"
}

sql app <<'END'
CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
	migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
	applied_steps_count int NOT NULL DEFAULT 0);
CREATE TABLE "User" (id int PRIMARY KEY, name text, nick text, old text, status text NOT NULL DEFAULT 'NEW', "Odd ""Name" text);
INSERT INTO "User" SELECT i, 'n' || i, CASE WHEN i = 77 THEN 'x' END, NULL, 'OLD', 'o' FROM generate_series(1, 100) AS i;
CREATE TABLE "Post" (id int PRIMARY KEY, user_id int REFERENCES "User" ON DELETE CASCADE, editor int REFERENCES "User" ON DELETE SET NULL);
INSERT INTO "Post" SELECT i, i, 100 FROM generate_series(1, 50) AS i;
CREATE TABLE "Log" (id int PRIMARY KEY, at date);
INSERT INTO "Log" SELECT i, '2026-01-01' FROM generate_series(1, 10) AS i;
CREATE TABLE base (id int PRIMARY KEY);
CREATE TABLE heir () INHERITS (base);
INSERT INTO base VALUES (1), (2);
INSERT INTO heir VALUES (3), (4);
CREATE TABLE part (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (100);
INSERT INTO part SELECT i, 'v' FROM generate_series(1, 20) AS i;
END

migrate 'CREATE TABLE "New" (id int PRIMARY KEY); ALTER TABLE "User" ADD age int; CREATE INDEX ON "User" (name);
	ALTER TABLE "Log" ALTER at TYPE timestamp; INSERT INTO "New" VALUES (1)'
says "" "additions lose nothing"
status_is 0 "and are healthy"

migrate 'ALTER TABLE "User" RENAME name TO full_name; ALTER TABLE "Log" RENAME TO "Logs"; ALTER TABLE "New" SET SCHEMA public'
says "" "renames lose nothing"

migrate 'ALTER TABLE "User" DROP old; ALTER TABLE "User" DROP age'
says "" "an empty column may go"

migrate 'ALTER TABLE "User" DROP nick'
says "drop-column public.User.nick error" "a column with one value may not"
like "$OUT" "column is gone: 1 value lost" "the values are counted"
status_is 12 "and it is unhealthy"

migrate '-- migsafe: allow drop-column "User"."Odd ""Name" -- nobody reads it
ALTER TABLE "User" DROP "Odd ""Name"'
says "" "a line in the migration allows it"
is "$(jq -r '.findings[] | select(.rule == "drop-column") | .allowed_by' <<<"$OUT")" "migration 20260101000005_step" "and is named"

migrate 'ALTER TABLE "User" ADD title text; ALTER TABLE "User" DROP full_name'
says "renamed-column public.User.full_name error" "DROP and ADD is a rename that lost its data"

migrate 'UPDATE "User" SET title = '"'t'"
says "" "filled again"

migrate 'ALTER TABLE "User" ADD label text; UPDATE "User" SET label = title; ALTER TABLE "User" DROP title'
says "" "values that were carried over are not lost"

migrate "ALTER TABLE \"User\" ADD tag text NOT NULL DEFAULT 'none'; ALTER TABLE \"User\" DROP label"
says "renamed-column public.User.label error" "a default is no value carried over"

migrate "CREATE TYPE \"Status\" AS ENUM ('NEW', 'OLD'); ALTER TABLE \"User\" DROP status, ADD status \"Status\" NOT NULL DEFAULT 'NEW'"
says "drop-column public.User.status error" "a column dropped and added again as an enum"

migrate "ALTER TABLE \"User\" ADD status2 text NOT NULL DEFAULT 'q'; UPDATE \"User\" SET status2 = 'w';
	ALTER TABLE \"User\" ALTER status TYPE text USING 'z'"
says "" "a type changed in place loses nothing"

migrate 'UPDATE "User" SET tag = tag; UPDATE "Post" SET editor = NULL'
says "values-lost public.Post.editor error" "a column all NULL"

migrate 'UPDATE "Post" SET editor = 100; DELETE FROM "Logs" WHERE id = 1'
says "rows-lost public.Logs error" "rows deleted by the migration"
like "$OUT" "10 rows before, 9 now" "with both numbers"

migrate 'SELECT 1'
sql app 'DELETE FROM "Logs" WHERE id = 2'
look
says "rows-lost public.Logs warning" "rows deleted by others are a warning"
status_is 0 "which is healthy"

migrate 'DELETE FROM "User" WHERE id = 100 OR id = 1'
says "rows-lost public.Post error, rows-lost public.User error, values-lost public.Post.editor error" "cascades are the migration's too"

migrate 'DELETE FROM part WHERE id = 1'
says "rows-lost public.part_1 error" "a partition loses by its parent"

migrate 'DELETE FROM base WHERE id = 1'
says "rows-lost public.base error" "rows of an heir are not those of its parent"

migrate 'DROP TABLE "Logs"; DROP TABLE "New"; CREATE TABLE "New2" (id int PRIMARY KEY)'
says "drop-table public.Logs error, drop-table public.New error" "tables gone with rows"
look --allow drop-table:Logs --allow 'drop-table:"public"."New"'
says "" "can be allowed by name"

migrate 'ALTER TABLE "Post" RENAME TO "Article"; ALTER TABLE part RENAME TO pieces'
says "" "a renamed table with its foreign keys"

migrate 'CREATE TABLE piled (LIKE "User"); INSERT INTO piled SELECT * FROM "User"; DROP TABLE "User" CASCADE; ALTER TABLE piled RENAME TO "User"'
says "" "a table made anew with all its rows"

sql app 'CREATE SCHEMA "Sh op"; CREATE TABLE "Sh op"."T.x" (a int PRIMARY KEY, b text); INSERT INTO "Sh op"."T.x" VALUES (1, current_user)'
migrate 'ALTER TABLE "Sh op"."T.x" DROP b'
says "drop-column Sh op.T.x.b error" "odd names"

sql app 'CREATE TABLE one (id int PRIMARY KEY, a int, b text); INSERT INTO one VALUES (1, 1, NULL), (2, 2, NULL); CREATE TABLE two (c text);
	INSERT INTO two VALUES (1)'
migrate 'ALTER TABLE one RENAME TO uno; ALTER TABLE uno ALTER a TYPE bigint; ALTER TABLE uno RENAME a TO x; ALTER TABLE uno DROP b, ADD d int, ADD e text'
says "" "a renamed table whose columns are changed"
migrate 'CREATE SCHEMA s; ALTER TABLE uno SET SCHEMA s; ALTER TABLE s.uno DROP d; ALTER TABLE s.uno RENAME TO one; ALTER TABLE s.one SET SCHEMA public'
says "" "and one that is moved there and back"
migrate 'ALTER TABLE one RENAME TO uno; ALTER TABLE uno DROP x'
says "drop-column public.one.x error" "what a renamed table loses has its old name"
migrate 'DROP TABLE uno; ALTER TABLE two RENAME TO uno; ALTER TABLE uno RENAME c TO e'
says "drop-table public.uno error" "a table that takes the name of a lost one is not that one"

run "$MIGSAFE" health --url "$(db_url app)" --project "$T" --backup-dir "$T/b" --since nothing
status_is 66 "no such backup"
done_testing
