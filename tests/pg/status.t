#!/usr/bin/env bash
# `migsafe status` tells what is applied, pending, failed, edited, missing and out of order, of any ledger.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

ledger_create() { # DB SCHEMA: as Prisma makes it
	sql "$1" "CREATE TABLE \"$2\"._prisma_migrations (id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL,
		finished_at timestamptz, migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
		started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)"
}

row() { # DB SCHEMA NAME [CHECKSUM] [FINISHED] [ROLLED-BACK] [LOGS]: 0 or 1 for the stamps
	sql "$1" "INSERT INTO \"$2\"._prisma_migrations (id, checksum, migration_name, started_at, finished_at, rolled_back_at, logs)
		VALUES (gen_random_uuid(), '${4:-x}', '$3', clock_timestamp(),
		CASE WHEN '${5:-1}' = '1' THEN clock_timestamp() END, CASE WHEN '${6:-0}' = '1' THEN clock_timestamp() END,
		nullif('${7-}', ''))"
}

checksum() { # NAME
	sha256sum <"app/prisma/migrations/$1/migration.sql" | cut -d' ' -f1
}

apply() { # DB NAME...: the rows of migrations that succeeded
	local db=$1 name
	shift
	for name in "$@"; do row "$db" public "$name" "$(checksum "$name")"; done
}

status() { # DB [QUERY] [OPTION...]: with --json
	run "$MIGSAFE" status --project app --json --url "$(db_url "$1" postgres "${2-}")" "${@:3}"
}

says() { # JQ-FILTER WANT NAME
	is "$(jq -c "$1" <<<"$OUT" 2>&1)" "$2" "$3"
}

cp -R "$ROOT/fixtures/app" app
mapfile -t all < <(cd app/prisma/migrations && printf '%s\n' */ | tr -d / | LC_ALL=C sort)
first=${all[0]} second=${all[1]} third=${all[2]}
is "${#all[@]}" 12 "the fixture has twelve migrations"

# Nothing there yet.
db_create app
status app
status_is 0 "an empty database has a status"
says '[.outlook, .code, (.pending|length), (.applied|length), .ledgers]' '["pending",null,12,0,[]]' "all is pending"
says '.pending' "$(printf '%s\n' "${all[@]}" | jq -R . | jq -sc .)" "in the order of the folder"
says '.database | [.name, .schema, (.server_version | test("^[0-9]+\\.[0-9]+$"))]' \
	"[\"$(db_name app)\",\"public\",true]" "the database is named"
says '[.last_run, .last_good_backup, .kept_databases]' '[null,null,null]' "there is a place for runs and backups"
sql app 'CREATE TABLE other (id int)'
status app
says '[.outlook, .code]' '["blocked","P3005"]' "tables without a ledger need a baseline"
sql app 'DROP TABLE other; CREATE VIEW other AS SELECT 1 AS one'
status app
says '.outlook' '"pending"' "a view does not"

# A usual day.
ledger_create app public
apply app "${all[@]}"
status app
says '[.outlook, .summary, (.applied|length), (.pending|length)]' '["up-to-date","nothing to apply",12,0]' "all is applied"
says '[.failed, .rolled_back, .edited, .missing, .out_of_order, .scriptless, .failures]' '[[],[],[],[],[],[],[]]' "and all is clean"
says '.ledgers' '[{"schema":"public","rows":12,"used":true}]' "the ledger is named"
mkdir app/prisma/migrations/20990101000000_next
echo 'SELECT 1;' >app/prisma/migrations/20990101000000_next/migration.sql
status app
says '[.outlook, .summary, .pending]' '["pending","1 migration to apply",["20990101000000_next"]]' "one is new"
echo '-- migsafe: allow drop-table x' >>"app/prisma/migrations/$first/migration.sql"
sed -i 's/$/\r/' "app/prisma/migrations/$second/migration.sql"
status app
says .edited '[]' "allow lines and line ends are no edit"
echo 'SELECT 2;' >>"app/prisma/migrations/$first/migration.sql"
status app
says .edited "[\"$first\"]" "other text is"
rm -r "app/prisma/migrations/$third"
sql app "DELETE FROM _prisma_migrations WHERE migration_name = '$second'"
mkdir app/prisma/migrations/20240201000000_empty
status app
says .missing "[\"$third\"]" "a folder is gone"
says .out_of_order "[\"$second\",\"20240201000000_empty\"]" "what is pending before the last applied is out of order"
says '[.scriptless, .outlook, .code]' '[["20240201000000_empty"],"blocked","P3015"]' "a folder without script blocks"
status_is 0 "and the report is still a report"

# Failed and rolled back.
rm -r app && cp -R "$ROOT/fixtures/app" app
sql app 'TRUNCATE _prisma_migrations'
apply app "$first"
row app public "$second" "$(checksum "$second")" 0 0 $'\n ERROR: relation "x" does not exist\nmore'
status app
says '[.outlook, .code, .failed, (.pending|length)]' "[\"blocked\",\"P3009\",[\"$second\"],10]" "a failed row blocks"
says '.failures | map([.name, .message, (.started_at | test("^20[0-9-]{8}T[0-9:.]{15}Z$"))])' \
	"[[\"$second\",\"ERROR: relation \\\"x\\\" does not exist\",true]]" "with Prisma's words"
run "$MIGSAFE" status --project app --url "$(db_url app)"
status_is 0 "as text too"
like "$OUT" "database: +$(db_name app) at .*, PostgreSQL [0-9.]+, schema public" "the text names the database"
like "$OUT" "migrations: 1 applied, 10 pending, 1 failed"$'\n' "and counts"
like "$OUT" "$second, started 20[^ ]*: ERROR: relation \"x\" does not exist"$'\n' "and says why"
like "$OUT" "refused: \"$second\" failed and is not resolved \(P3009\)\$" "and ends in a verdict"
bg_sql app 'SELECT pg_advisory_lock(72707369)'
status app
like "$(jq -r .applying <<<"$OUT")" '^pid [0-9]+, application "psql", client local$' "somebody holds Prisma's lock"
says '[.outlook, .code]' '["applying",null]' "and then nothing is foretold"
run "$MIGSAFE" status --project app --url "$(db_url app)"
like "$OUT" 'applying: +migrations are applied just now, by pid ' "which is told in the text"
like "$OUT" 'begun, perhaps running:.*a deploy would wait' "what has begun may be running"
unlike "$OUT" 'P3009' "and nothing is said to be refused"
bg_kill "$BG"
status app
says '[.applying, .outlook, .code]' '[null,"blocked","P3009"]' "nobody does any more"
sql app "UPDATE _prisma_migrations SET rolled_back_at = now() WHERE finished_at IS NULL"
status app
says '[.outlook, .rolled_back, .failed, .pending[0]]' "[\"pending\",[\"$second\"],[],\"$second\"]" "rolled back is pending again"
apply app "$second"
status app
says '[.rolled_back, .failed, .applied]' "[[],[],[\"$first\",\"$second\"]]" "and then applied"

# Which ledger counts.
db_create more
sql more 'CREATE SCHEMA one; CREATE SCHEMA "Two"'
ledger_create more one
apply_one() { row more "$1" "$2" "$(checksum "$2")"; }
apply_one one "$first"
status more
says '[.ledgers[0], .applied]' "[{\"schema\":\"one\",\"rows\":1,\"used\":true},[\"$first\"]]" "the only one, when the URL names none"
ledger_create more Two
apply_one Two "$second"
status more
says '[.outlook, (.ledgers|map(.used)), .applied]' '["unclear",[false,false],[]]' "of several none"
like "$(jq -r .summary <<<"$OUT")" 'schema=' "and it says how to choose"
status more schema=Two
says '[.applied, (.ledgers|map(select(.used).schema))]' "[[\"$second\"],[\"Two\"]]" "the URL's schema decides"
status more schema=three
says '[.applied, .outlook, (.ledgers|map(.used))]' '[[],"pending",[false,false]]' "also when it has none"
ledger_create more public
apply_one public "$first"
apply_one public "$second"
status more
says '[(.applied|length), (.ledgers|map(select(.used).schema))]' '[2,["public"]]' "public comes first"
run "$MIGSAFE" status --project app --url "$(db_url more)"
like "$OUT" $'one._prisma_migrations, 1 row, not used\nledger: +public._prisma_migrations, 2 rows, the one that counts' "the text tells them apart"
sql more 'CREATE SCHEMA prisma_contract; CREATE TABLE prisma_contract.marker (space text)'
status more
says '[.outlook, .summary]' '["blocked","the database belongs to Prisma 8, which has no \"migrate deploy\""]' "Prisma 8 is seen"

# Rights, and a temporary table of that name.
role_create reader
run "$MIGSAFE" status --project app --url "$(db_url app reader)"
status_is 65 "a ledger that may not be read is an error"
like "$ERR" "hint: .*GRANT SELECT ON \"public\".\"_prisma_migrations\" TO \"?$(role_name reader)" "which names the grant"
sql app "GRANT SELECT ON _prisma_migrations TO $(role_name reader)"
run "$MIGSAFE" status --project app --url "$(db_url app reader)"
status_is 0 "with which it can be read"
sql app "REVOKE USAGE ON SCHEMA public FROM PUBLIC"
run "$MIGSAFE" status --project app --url "$(db_url app reader)"
like "$ERR" "GRANT USAGE ON SCHEMA \"public\"" "the schema's right too"
bg_sql app 'CREATE TEMP TABLE _prisma_migrations (id int)'
status app
says '.ledgers|length' 1 "a temporary table is no ledger"
bg_kill "$BG"
bg_sql app 'BEGIN; LOCK TABLE public._prisma_migrations'
RUN_TIMEOUT=20 run "$MIGSAFE" status --project app --url "$(db_url app)"
status_is 65 "a locked ledger is not waited for without end"
like "$ERR" "ledger .*lock timeout" "and said"
bg_kill "$BG"

# Where things are.
run "$MIGSAFE" status --json --project "$ROOT/fixtures/deep/applications/x" --url "$(db_url app)"
says '[(.project.root|split("/")|last), .pending[0], (.pending|length)]' '["x","20241201_143022_add_user_table",3]' "a project deep in a tree"
cd "$ROOT/fixtures/deep" || bail "no fixture"
run "$MIGSAFE" status --json --schema applications/x/src/database/prisma/schema.prisma --url "$(db_url app)"
says '[(.project.root|split("/")|last), (.pending|length)]' '["x",3]' "found by its schema"
cd "$T" || bail "no folder"
run "$MIGSAFE" status --json --project "$ROOT/fixtures/multi" --url "$(db_url app)"
says '.pending' '["20250203110500_init","20250210083000_labels"]' "a schema of several files"
mkdir none
run "$MIGSAFE" status --project none --url "$(db_url app)"
status_is 66 "no project"
like "$ERR" 'hint: .*--schema' "with a hint"
run "$MIGSAFE" status --project app --url "$(db_url none)"
status_is 69 "no database"
run "$MIGSAFE" status --project app --json
is "$RC $(jq -r .error.kind <<<"$OUT")" "78 config" "no URL"

# Three hundred applied ones take no time.
db_create many
ledger_create many public
mkdir -p many/prisma
cp app/prisma/schema.prisma many/prisma/
for i in $(seq -w 300); do
	mkdir -p "many/prisma/migrations/20240101000${i}_step"
	yes "ALTER TABLE \"t$i\" ADD COLUMN c text; -- and so on" | head -n 40 >"many/prisma/migrations/20240101000${i}_step/migration.sql"
done
(cd many/prisma/migrations && sha256sum ./*/migration.sql) | awk '{ split($2, p, "/"); printf "%s\t%s\n", p[2], $1 }' >rows
psql_as postgres many -c "CREATE TABLE r (n text, c text)" -c "\\copy r FROM rows" -c "INSERT INTO _prisma_migrations
	(id, checksum, migration_name, finished_at) SELECT gen_random_uuid(), c, n, now() FROM r" -c "DROP TABLE r"
run "$MIGSAFE" status --json --project many --url "$(db_url many)"
says '[(.applied|length), .edited, .outlook]' '[300,[],"up-to-date"]' "three hundred applied migrations"
best=999999
for _ in 1 2 3; do
	from=$(date +%s%N)
	run "$MIGSAFE" status --project many --url "$(db_url many)"
	took=$((($(date +%s%N) - from) / 1000000))
	[ "$took" -ge "$best" ] || best=$took
done
[ "$best" -lt 5000 ] # the best of several, and generous: sanitizers take five times as long
ok $? "in $best ms, the start of the program included"

done_testing
