#!/usr/bin/env bash
# The runner of real histories itself: what it says of good, bad and missing ones, and of a migsafe that lies.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
export TEST_MIGSAFE=$MIGSAFE
CORPUS=$ROOT/tests/corpus/run
RUN_TIMEOUT=600

# history_of FOLDER SQL...: a project with a migration for each.
history_of() {
	local folder=$1 number=20240101000000 text
	shift
	for text in "$@"; do
		number=$((number + 1))
		mkdir -p "$folder/prisma/migrations/${number}_one" && printf '%s\n' "$text" >"$folder/prisma/migrations/${number}_one/migration.sql"
	done
}

# --- what is asked wrongly, or not at all -------------------------------------------------------------
run "$CORPUS"
status_is 0 'no folder: nothing to do'
like "$OUT" '^corpus: skipped, no folder' 'and it says so'
run "$CORPUS" --help
status_is 0 '--help'
like "$OUT" 'your own' 'tells a user what it is for'
run "$CORPUS" --mode both .
status_is 64 'a mode that there is not'
run "$CORPUS" --no-such-option
status_is 64 'an option that there is not'

# --- histories that cannot be tried, and one that can ----------------------------------------------------
mkdir none shop && cp -R "$ROOT/fixtures/app/prisma" shop/
history_of untrusted 'CREATE EXTENSION pageinspect;'
history_of unknown 'CREATE EXTENSION IF NOT EXISTS "no-such-extension";'
history_of broken 'CREATE TABLE a (id integer PRIMARY KEY);' 'SELECT 1 / 0;'
(cd shop && find . | sort && find . -type f -exec sha256sum {} + | sort) >before
run "$CORPUS" --mode split none missing untrusted unknown broken shop
status_is 1 'some fail'
like "$OUT" 'FAILED  none: there are no migrations' 'a folder without migrations'
like "$OUT" 'FAILED  missing: there is no such folder' 'a folder that there is not'
like "$OUT" 'skipped untrusted: 1 migrations, 1 statements; extension pageinspect needs a superuser' 'an extension for superusers only is skipped'
like "$OUT" 'skipped unknown: .*; extension no-such-extension is not installed' 'and one that is not here'
like "$OUT" 'FAILED  broken \(split\): 2 migrations, .*; history ended with 2[01] instead of 0: .*division by zero' 'a history that does not replay, with the reason'
like "$OUT" $'\nok      shop \\(split\\): 12 migrations, 50 statements, history 0 in ' 'the next is tried all the same: name, mode, migrations, statements'
like "$OUT" ', 8 tables, 160 rows, 0 tables not filled, backup 0 restored 0 by pg_restore 0 same, fails 20 same, good 0, again 0, loses 10 same, loses --gate warn 20 same' 'and what came of each try'
like "$OUT" $'\n1 passed, 3 failed, 2 skipped$' 'all are counted'
(cd shop && find . | sort && find . -type f -exec sha256sum {} + | sort) >after
cmp -s before after
ok $? 'its folder is as it was'

# --- a migration at a time, onto rows -----------------------------------------------------------------
history_of hard "$(cat "$ROOT/tests/corpus/hard.sql")" 'ALTER TABLE only_id ADD COLUMN w text NOT NULL;' 'ALTER TABLE tree DROP COLUMN name;'
run "$CORPUS" --mode whole --step hard
status_is 0 'a hard history, stepwise: what fails with rows and leaves all as it was passes'
like "$OUT" 'stepwise: 1 migrated, 1 refused, 1 (restored|unchanged), history 0' 'all are counted'
like "$OUT" $'\n        stepwise: 20240101000002_one: 2[01] Null constraint failed' 'what fails with rows is told'
like "$OUT" $'\n        stepwise: 20240101000003_one: 10 drop-column public.tree.name\n        stepwise: 20240101000003_one, --gate warn: 20 drop-column' \
	'what loses values is tried against the gate, too'
like "$OUT" ', 16 tables, [0-9]+ rows, 2 tables not filled, backup 0 restored 0 by pg_restore 0 same, fails 2[01] same' 'what could not be filled is counted'
like "$OUT" $'\n        not filled: impossible: new row for relation' 'and told'
like "$OUT" $'\n1 passed, 0 failed$' 'the last line counts'

# --- it would be seen, also where the migrations lie deep below the folder --------------------------------------------------------------------------------------
cat >liar <<'LIAR'
#!/usr/bin/env bash
"$HONEST" "$@" || { status=$? && psql -Xqd "$DATABASE_URL" -c 'UPDATE users SET email = email || 1' && exit "$status"; }
LIAR
chmod +x liar
HONEST=$MIGSAFE TEST_MIGSAFE=$T/liar run "$CORPUS" --mode split "$ROOT/fixtures/deep"
status_is 1 'a migsafe that does not bring everything back fails'
like "$OUT" 'FAILED .* fails 20; fails: the database is not what it was: .*public\.users' 'and what differs is shown'
cat >liar <<'LIAR'
#!/usr/bin/env bash
"$HONEST" "$@" || exit
[ "$1" != restore ] || psql -Xqh "$TEST_PGHOST" -U postgres -d "$4" -c 'UPDATE users SET email = email || 1'
LIAR
HONEST=$MIGSAFE TEST_MIGSAFE=$T/liar run "$CORPUS" --mode split "$ROOT/fixtures/deep"
status_is 1 'nor one that restores something else into a new database'
like "$OUT" 'FAILED .* restored 0; restored by migsafe: another database came back: .*users' 'which is shown, too'

# --- rows for any schema ------------------------------------------------------------------------------------
for name in one two; do
	db_create "$name"
	sql "$name" <"$ROOT/tests/corpus/hard.sql"
	run psql_as postgres "$name" -v rows=20 -f "$ROOT/tests/corpus/fill.sql"
	status_is 0 'a hard schema is filled'
	sleep 1
	"$ROOT/scripts/db-fingerprint.sh" "$(db_name "$name")" >"$name.state"
done
is "$(printf '%s\n' "$OUT" | grep '|0|')" \
	'impossible|0|new row for relation "impossible" violates check constraint "impossible_id_check"
orphan|0|null value in column "id" of relation "orphan" violates not-null constraint' 'what cannot be filled is told with the reason'
is "$(printf '%s\n' "$OUT" | grep -vc '|0|')" 14 'all else is'
cmp -s one.state two.state
ok $? 'the same schema gets the same rows'
is "$(sql one 'SELECT count(*) FROM "Every Type" WHERE "Every Type" IS NOT NULL')" 18 'every column has values, and NULLs in some rows'
is "$(sql one 'WITH RECURSIVE up AS (SELECT id, parent FROM tree UNION ALL SELECT up.id, t.parent FROM up JOIN tree t ON t.id = up.parent)
	SELECT count(DISTINCT id) > 10 FROM up WHERE parent IS NOT NULL')" t 'a tree has parents, and no ring'
is "$(sql one 'SELECT count(lead) > 10 FROM team')" t 'tables that point to each other do'
done_testing
