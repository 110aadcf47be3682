#!/usr/bin/env bash
# A restored database is what it was, to the last right and setting; the one before it is kept, and
# what it had more is told. What cannot be restored changes nothing.
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/pg/restore.sh
. "$ROOT/tests/pg/restore.sh"
live=$(db_name app)

backup() { # KIND -> id
	run "$MIGSAFE" backup --kind "$1" --json
	[ "$RC" = 0 ] || bail "backup: $ERR"
	jq -r --arg kind "$1" '.backups[] | select(.kind == $kind) | .id' <<<"$OUT"
}

databases() { # -> of this test, all
	db_list | sort
}

verdict() { # RUN -> of its journal
	jq -r 'select(.event == "verdict") | .data.verdict' "$MIGSAFE_BACKUP_DIR/.migsafe/runs/$1/journal.jsonl"
}

# --- a database with everything, and its properties ----------------------------------------------

role_create reader
role_create writer
sql app >"$T/ignored" <<END
CREATE TABLE "User" (id serial PRIMARY KEY, email text NOT NULL UNIQUE, level text CHECK (level IN ('low', 'high')));
INSERT INTO "User" (email, level) SELECT 'u' || i, 'low' FROM generate_series(1, 500) i;
CREATE TABLE "order" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "user" int REFERENCES "User", total numeric);
INSERT INTO "order" ("user", total) SELECT 1 + i % 500, i / 7.0 FROM generate_series(1, 2000) i;
CREATE TABLE gone_later (a int);
INSERT INTO gone_later VALUES (1), (2);
CREATE MATERIALIZED VIEW sums AS SELECT "user", sum(total) FROM "order" GROUP BY 1;
CREATE PUBLICATION pub FOR TABLE "order";
CREATE FUNCTION touched() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION touched();
GRANT SELECT ON "User" TO "$(role_name reader)";
SELECT lo_from_bytea(0, 'large');
SELECT setval('"User_id_seq"', 4711, false);
END
sql postgres "ALTER DATABASE \"$live\" OWNER TO \"$(role_name writer)\""
sql postgres "ALTER DATABASE \"$live\" CONNECTION LIMIT 77"
sql postgres "ALTER DATABASE \"$live\" SET work_mem = '9MB'"
sql postgres "ALTER ROLE \"$(role_name reader)\" IN DATABASE \"$live\" SET statement_timeout = '3s'"
sql postgres "REVOKE CONNECT ON DATABASE \"$live\" FROM PUBLIC"
sql postgres "GRANT CONNECT ON DATABASE \"$live\" TO \"$(role_name reader)\""
sql postgres "COMMENT ON DATABASE \"$live\" IS 'the shop''s'"
state app before
id=$(backup full)
data_id=$(backup data)

change() { # what a migration and others may do
	sql app >"$T/ignored" <<-END
		INSERT INTO "User" (email) SELECT 'late' || i FROM generate_series(1, 7) i;
		UPDATE "User" SET level = 'high' WHERE id <= 3;
		DELETE FROM "order" WHERE id <= 10;
		DROP TABLE gone_later;
		CREATE TABLE fresh AS SELECT 1 AS a;
		CREATE TABLE fresh_and_empty (a int);
		ALTER TABLE "User" ADD COLUMN extra text;
		DROP PUBLICATION pub;
	END
	sql postgres "ALTER DATABASE \"$live\" SET work_mem = '1MB'"
	sql postgres "ALTER DATABASE \"$live\" CONNECTION LIMIT -1"
	sql postgres "GRANT CONNECT ON DATABASE \"$live\" TO PUBLIC"
	sql postgres "COMMENT ON DATABASE \"$live\" IS E'changed\nsince'"
}
change
state app changed
cmp -s "$T/state.before" "$T/state.changed"
is $? 1 "the changes are seen"

# --- asked first ---------------------------------------------------------------------------------

run "$MIGSAFE" restore "$id"
status_is 64 "not on a terminal, no --yes: refused"
like "$ERR" '\-\-yes' "names the way"
same app changed "nothing has changed"
is "$(databases)" app "no database beside it"
[ ! -e "$MIGSAFE_BACKUP_DIR/.migsafe/runs" ]
ok $? "no journal of what never began"

# --- dry run -------------------------------------------------------------------------------------

run "$MIGSAFE" restore "$id" --dry-run --json
status_is 0 "a dry run"
is "$(jq -c '[.dry_run, .backup.id, .onto]' <<<"$OUT")" "[true,\"$id\",\"$live\"]" "says what would be done"
is "$(jq -r '.tables[] | select(.rows_now != .rows_then) | "\(.table) \(.rows_now) \(.rows_then)"' <<<"$OUT" | sort | paste -sd,)" \
	"User 507 500,fresh 1 -1,fresh_and_empty 0 -1,gone_later -1 2,order 1990 2000" "the rows of both"
is "$(jq -r '.gone | join(",")' <<<"$OUT")" "column public.User.extra,table public.fresh,table public.fresh_and_empty" \
	"and what would be gone"
same app changed "and changes nothing"
is "$(databases)" app "nothing is left of the drill"
is "$(ls "$MIGSAFE_BACKUP_DIR/.migsafe")" "" "nor of its files"
run "$MIGSAFE" restore "$id" --dry-run
like "$OUT" "would restore backup $id .*in place of database \"$live\"" "in words"
like "$OUT" 'public\.gone_later: none rows now, 2 in the backup' "with the tables that differ"
like "$OUT" 'gone: column public\.User\.extra' "and the column that would be gone"
unlike "$ERR" 'another server' "it was taken here"
manifest=$MIGSAFE_BACKUP_DIR/$id/manifest.json
cp "$manifest" "$T/manifest"
jq '.system_identifier = "7710000000000000001"' "$T/manifest" >"$manifest"
run "$MIGSAFE" restore "$id" --dry-run
like "$ERR" "warning: backup $id was taken on another server than this .7710000000000000001, this is [0-9]+" "one of another server is called so"
cp "$T/manifest" "$manifest"

# --- restore -------------------------------------------------------------------------------------

old_oid=$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$live'")
run "$MIGSAFE" restore "$id" --yes --json
status_is 0 "a restore"
same app before "the database is what it was: rows, schema, owner, rights, settings, comment"
run_id=$(jq -r .run <<<"$OUT")
kept=$(jq -r .kept_database <<<"$OUT")
is "$kept" "${live}__migsafe_kept_$run_id" "the name of the kept database"
is "$(jq -r '.verdict, .database, .swapped' <<<"$OUT" | paste -sd' ')" "restored $live true" "the document"
is "$(jq -r '.kept_bytes > 1000000' <<<"$OUT")" true "its size"
is "$(sql postgres "SELECT oid, datallowconn FROM pg_database WHERE datname = '$kept'")" "$old_oid|f" \
	"kept is the database that was live, and closed"
is "$(sql postgres "SELECT shobj_description(oid, 'pg_database') ~ '^migsafe kept of $live run $run_id at [^ ]+Z\nchanged\nsince\$'
	FROM pg_database WHERE datname = '$kept'")" t "its mark, and its own comment below"
is "$(verdict "$run_id")" restored "the journal's verdict"
is "$(jq -r '"\(.step):\(.event)"' "$MIGSAFE_BACKUP_DIR/.migsafe/runs/$run_id/journal.jsonl" | paste -sd' ')" \
	"run:begin restore:note restore:note restore:done swap:begin swap:done run:verdict" "the journal"
is "$(databases)" "$(printf '%s\n' app "${kept#"$TEST_PREFIX"}")" "no side database is left"
is "$(sql app "SELECT count(*) > 0 FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid WHERE relname = 'User'")" t "analyzed"

lost() { # TABLE -> "now then written inserted"
	jq -r --arg t "$1" '.lost_writes[] | select(.table == $t) | "\(.rows_now) \(.rows_then) \(.written) \(.inserted)"' <<<"$OUT"
}
is "$(jq -r '[.lost_writes[].table] | sort | join(",")' <<<"$OUT")" "User,fresh,gone_later,order" "tables with lost writes"
is "$(lost User)" "507 500 10 7" "rows written since: 7 inserted, 3 updated"
is "$(lost order | cut -d' ' -f1-3)" "1990 2000 0" "rows that are gone"
is "$(lost gone_later)" "-1 2 -1 -1" "a table that is gone"
is "$(lost fresh | cut -d' ' -f1-2)" "1 -1" "a table that was made since"
is "$(jq -r .lost_note <<<"$OUT")" null "everything was counted"
is "$(jq -r .kept_drop_command <<<"$OUT")" "DROP DATABASE \"$kept\";" "how to drop it"
sql postgres "$(jq -r .kept_drop_command <<<"$OUT")"
ok $? "which works"

# Nothing written since: nothing lost, in words.
run "$MIGSAFE" restore "$id" --yes
status_is 0 "once more, right away"
like "$OUT" "database \"$live\" restored from backup $id" "in words"
like "$OUT" 'new connections waited [0-9.]+ m?s; 0 sessions were ended' "the wait"
unlike "$OUT" 'not in the restored' "nothing is lost"
same app before "the same database"
for kept in $(db_list | grep __migsafe_kept_); do db_drop "$TEST_PREFIX$kept"; done

# --- into a new database --------------------------------------------------------------------------

run "$MIGSAFE" restore "$id" --into "$(db_name Other-one)" --json
status_is 0 "into a new database"
is "$(jq -r '.verdict, .database' <<<"$OUT" | paste -sd' ')" "restored $(db_name 'Other-one')" "the document"
same 'Other-one' before "which is the same but for its name"
same app before "and live is untouched"
run "$MIGSAFE" restore "$id" --into "$(db_name 'Other-one')"
status_is 64 "an existing database is never touched"
like "$ERR" 'exists already' "which is said"
run "$MIGSAFE" restore "$id" --into "$live"
status_is 64 "live neither"
run "$MIGSAFE" restore "$id" --into "$(printf 'x%.0s' {1..64})"
status_is 64 "a name that is too long"
run "$MIGSAFE" restore "$id" --into "$(db_name new)" --dry-run
status_is 0 "a dry run"
is "$(databases)" "$(printf '%s\n' 'Other-one' app)" "makes nothing"

# --- what cannot be restored ----------------------------------------------------------------------

change
state app changed
refused() { # STATUS WORDS NAME ARGUMENT...
	local status=$1 words=$2 name=$3
	shift 3
	run "$MIGSAFE" restore "$@" --yes
	status_is "$status" "$name"
	like "$ERR" "$words" "$name: said"
	same app changed "$name: nothing has changed"
	is "$(databases)" "$(printf '%s\n' 'Other-one' app)" "$name: nothing is left"
}
refused 66 'no backup' "no such backup" nope
refused 66 'no backup' "a path" "../backups/$id"
refused 11 'it has 507 rows now' "the data of a backup, into tables that are not empty" "$data_id"
refused 64 'is of database' "a backup of another database" "$id" --url "$(db_url 'Other-one')"
refused 69 '\-\-into' "a live database that is not there" "$id" --url "$(db_url missing)"

file=$MIGSAFE_BACKUP_DIR/$id/$(jq -r '.tables[] | select(.name == "User") | .file' "$MIGSAFE_BACKUP_DIR/$id/manifest.json")
cp "$file" "$T/good"
printf x >>"$file"
refused 76 "$(basename "$file")" "a damaged file" "$id"
cp "$T/good" "$file"

# Whole by its sums, but not what the manifest says: another row count.
cp "$MIGSAFE_BACKUP_DIR/$id/manifest.json" "$T/manifest"
jq '(.tables[] | select(.name == "order") | .rows) = 1999' "$T/manifest" >"$MIGSAFE_BACKUP_DIR/$id/manifest.json"
refused 76 'table "public"."order" has 2000 rows instead of 1999' "a restored table that differs" "$id"
jq '(.sequences[] | select(.name == "User_id_seq") | .last_value) = "4712"' "$T/manifest" >"$MIGSAFE_BACKUP_DIR/$id/manifest.json"
refused 76 'sequence "public"."User_id_seq" stands at 4711 instead of 4712' "a sequence that differs" "$id"
jq '.tables += [.tables[0] | .name = "missing" | .file = null | .sha256 = null | .bytes = -1 | .members = []]' "$T/manifest" \
	>"$MIGSAFE_BACKUP_DIR/$id/manifest.json"
refused 76 'table "public"."missing" is missing' "a table that is missing" "$id"
cp "$T/manifest" "$MIGSAFE_BACKUP_DIR/$id/manifest.json"
journals=("$MIGSAFE_BACKUP_DIR"/.migsafe/runs/*/journal.jsonl)
is "$(tail -n 1 "${journals[-1]}" | jq -r '"\(.event) \(.data.verdict) \(.data.exit) \(.error.kind)"')" \
	"verdict unchanged 76 damaged" "the journal of a failed restore"

# --- stopped --------------------------------------------------------------------------------------

# A view that takes its time to be filled holds the restore where we want it.
sql app 'CREATE MATERIALIZED VIEW slow AS SELECT 1 AS a FROM pg_sleep(3)'
slow_id=$(backup full)
restoring() { # is a side database being filled?
	[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%REFRESH%slow%' AND starts_with(datname, '$live')")" = 1 ]
}
state app changed
"$MIGSAFE" restore "$slow_id" --yes >"$T/out" 2>&1 &
pid=$!
wait_for 20 restoring
ok $? "the restore is under way"
side=$(db_list | grep __migsafe_restore_)
is "$(sql postgres "SELECT datacl::text ~ '=[A-Z]*T[a-z]*/' AND NOT datacl::text ~ '[{,]=[A-Za-z]*c', datallowconn,
	shobj_description(oid, 'pg_database') ~ '^migsafe restore of $live run ' FROM pg_database WHERE datname = '$TEST_PREFIX$side'")" \
	"t|t|t" "meanwhile the side database is closed to PUBLIC and marked"
kill -TERM "$pid"
wait "$pid"
is $? 130 "ended by a signal"
is "$(databases)" "$(printf '%s\n' 'Other-one' app)" "nothing is left"
same app changed "nothing has changed"

# --- a time limit of the role that a worker of pg_restore passes while it waits for its next item -----

role_create patient CREATEDB
db_create long patient
sql_as patient long "CREATE MATERIALIZED VIEW slow AS SELECT 1 AS a FROM pg_sleep(1.5);
	CREATE MATERIALIZED VIEW next AS SELECT * FROM slow; CREATE MATERIALIZED VIEW beside AS SELECT * FROM slow"
run "$MIGSAFE" backup --kind full --json --url "$(db_url long patient)"
if [ "$(sql postgres 'SHOW server_version_num')" -ge 140000 ]; then
	sql postgres "ALTER ROLE \"$(role_name patient)\" SET idle_session_timeout = '500ms'"
fi
run "$MIGSAFE" restore "$(jq -r '.backups[0].id' <<<"$OUT")" --into "$(db_name copy)" --jobs 2 --url "$(db_url long patient)"
status_is 0 "idle_session_timeout of a role ends no worker that waits"
db_drop long
db_drop copy

# --- without any privilege but CREATEDB and ownership ---------------------------------------------

role_create plain 'CREATEDB'
db_create own plain
DATABASE_URL=$(db_url own plain)
own=$(db_name own)
sql_as plain own "CREATE TABLE t (id serial PRIMARY KEY, v text); INSERT INTO t (v) SELECT 'x' FROM generate_series(1, 50)"
sql_as plain own "CREATE EXTENSION hstore"
sql postgres "ALTER DATABASE \"$own\" SET log_min_messages = 'notice'"
sql_as plain own "ALTER DATABASE \"$own\" SET search_path = public, extra"
state own before
id=$(backup full)
sql_as plain own "DROP TABLE t; CREATE TABLE late AS SELECT 1 AS a"
sql_as plain own "ALTER DATABASE \"$own\" RESET search_path"
run "$MIGSAFE" restore "$id" --yes
status_is 65 "a setting that only a superuser may set cannot be carried over"
like "$ERR" 'log_min_messages' "named"
like "$ERR" 'GRANT SET ON PARAMETER' "with the grant that helps"
sql postgres "GRANT SET ON PARAMETER log_min_messages TO \"$(role_name plain)\""
run "$MIGSAFE" restore "$id" --yes --json
status_is 0 "with that grant a plain owner restores"
sql postgres "REVOKE SET ON PARAMETER log_min_messages FROM \"$(role_name plain)\""
same own before "the database is what it was"
is "$(jq -r '[.lost_writes[] | "\(.table) \(.rows_now) \(.rows_then)"] | sort | join(",")' <<<"$OUT")" \
	"late 1 -1,t -1 50" "lost writes"
is "$(sql postgres "SELECT datallowconn FROM pg_database WHERE datname = '$(jq -r .kept_database <<<"$OUT")'")" f "kept is closed"
done_testing
