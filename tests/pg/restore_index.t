#!/usr/bin/env bash
# Indexes and constraints of large tables are made by the sessions that load the rows, from the archive's own text:
# all of them are there afterwards, as pg_restore would have made them, and one that cannot be made ends it all.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/pg/restore.sh
. "$ROOT/tests/pg/restore.sh"
export MIGSAFE_JOBS=3

# The loader's text of more than 8 MiB; what an index calls needs rows of another table.
sql app >"$T/ignored" <<'END'
CREATE TABLE words (word text);
INSERT INTO words VALUES ('seen');
CREATE FUNCTION word() RETURNS text IMMUTABLE LANGUAGE plpgsql AS $$ DECLARE found text; BEGIN
	SELECT w.word INTO STRICT found FROM public.words w; RETURN found; END $$;
CREATE TABLE "Big, (one)" (id int NOT NULL, "na(me" text NOT NULL, slot int, at date, body text);
INSERT INTO "Big, (one)" SELECT i, 'name ' || i, i, date '2020-01-01' + i % 1000, repeat(md5(i::text), 8) FROM generate_series(1, 36000) i;
ALTER TABLE "Big, (one)" ADD CONSTRAINT "big, pkey" PRIMARY KEY (id);
ALTER TABLE "Big, (one)" ADD CONSTRAINT big_name UNIQUE ("na(me");
ALTER TABLE "Big, (one)" ADD CONSTRAINT big_slot EXCLUDE USING btree (slot WITH =) WHERE (slot > 5);
CREATE INDEX big_at ON "Big, (one)" (at DESC NULLS LAST) INCLUDE (id) WITH (fillfactor = 80);
CREATE UNIQUE INDEX big_both ON "Big, (one)" (id, slot);
CREATE UNIQUE INDEX big_identity ON "Big, (one)" ("na(me", id);
CREATE INDEX big_lower ON "Big, (one)" (lower("na(me"), (at + 1));
CREATE INDEX big_called ON "Big, (one)" ((word() || slot));
CREATE INDEX big_some ON "Big, (one)" (slot) WHERE at > '2021-01-01';
CREATE INDEX big_block ON "Big, (one)" USING brin (id);
ALTER INDEX big_lower ALTER COLUMN 2 SET STATISTICS 77;
ALTER TABLE "Big, (one)" CLUSTER ON big_at;
ALTER TABLE "Big, (one)" REPLICA IDENTITY USING INDEX big_identity;
COMMENT ON INDEX big_at IS 'commented';
COMMENT ON CONSTRAINT big_name ON "Big, (one)" IS 'too';
CREATE STATISTICS big_stats ON slot, at FROM "Big, (one)";
CREATE TABLE other (id int PRIMARY KEY, big int REFERENCES "Big, (one)", pad text);
INSERT INTO other SELECT i, i, repeat('x', 300) FROM generate_series(1, 36000) i;
CREATE INDEX ON other (big);
CREATE TABLE small (a int PRIMARY KEY, b int REFERENCES other);
INSERT INTO small VALUES (1, 2);
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM other;
CREATE UNIQUE INDEX ON counted (n);
END
place=${TEST_PREFIX}space
mkdir -m 0777 "$T/space" && chmod 0755 "$T" && chmod 0777 "$T/space"
[ "$(id -u)" != 0 ] || chown postgres "$T/space"
sql postgres "CREATE TABLESPACE \"$place\" LOCATION '$T/space'" || bail "tablespace"
sql app "CREATE INDEX big_placed ON \"Big, (one)\" (slot) TABLESPACE \"$place\"; ALTER TABLE other ADD CONSTRAINT other_placed UNIQUE (big, id) USING INDEX TABLESPACE \"$place\""
state app before
indexes="SELECT c.relname, i.indisvalid, i.indisclustered, i.indisreplident, coalesce(t.spcname, '') FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
	LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1"
before=$(sql app "$indexes")
is "$(grep -c "$place" <<<"$before")" 2 "two are elsewhere"
"$MIGSAFE" backup --kind full --compression gzip:1 >"$T/made" 2>"$T/log" || bail "backup: $(cat "$T/log")"
id=$(cut -d' ' -f1 "$T/made")
folder=$MIGSAFE_BACKUP_DIR/$id

# --- made with the rows ------------------------------------------------------------------------------

role_create logged SUPERUSER
sql postgres "ALTER ROLE \"$(role_name logged)\" SET log_statement = 'all'"
DATABASE_URL=$(db_url app logged) run "$MIGSAFE" restore "$id" --into "$(db_name copy)"
status_is 0 "a restore"
sql postgres "ALTER ROLE \"$(role_name logged)\" NOSUPERUSER"
same copy before "the same"
is "$(sql copy "$indexes")" "$before" "all indexes, valid, where they were"
grep "statement: SET default_tablespace = '[^']*'; " "$TEST_PGLOG" >"$T/own"
for name in 'CREATE INDEX big_at' 'CREATE UNIQUE INDEX big_both' 'CREATE INDEX big_lower' 'CREATE INDEX big_called' 'CREATE INDEX other_big_idx' \
	'ALTER TABLE ONLY public."Big, (one)"'; do
	is "$(grep -c "; $name" "$T/own" | sed 's/^[1-9]$/some/')" some "made by a session of migsafe: $name"
done
is "$(grep -c 'statement: CREATE.* INDEX ' "$TEST_PGLOG")" 1 "pg_restore makes those of a materialized view only"
is "$(sql copy "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace = 'public'::regnamespace AND reltuples < 1")" 0 \
	"every table is analyzed"
is "$(sql copy "SELECT count(DISTINCT tablename) FROM pg_stats WHERE tablename IN ('big_lower', 'big_called', 'Big, (one)', 'other', 'small', 'counted')")" 6 \
	"with the expressions of indexes"
is "$(sql copy 'SELECT count(*) FROM pg_stats_ext')" 1 "and what is defined beyond columns"
is "$(grep -c 'statement: .*ANALYZE .*"public"."other"' "$TEST_PGLOG")" 1 "a table without such is analyzed once"
is "$(grep -c 'statement: .*ANALYZE .*"Big, (one)"' "$TEST_PGLOG")" 1 "one with such too"
db_drop copy

# --- one that cannot be made --------------------------------------------------------------------------

edit() { # JQ-ARGUMENT...: of the manifest
	jq "$@" "$folder/manifest.json" >"$T/manifest" && mv "$T/manifest" "$folder/manifest.json"
}

sql app 'INSERT INTO small VALUES (2, 2)'
state app changed
file=$(jq -r '.tables[] | select(.name == "Big, (one)") | .file' "$folder/manifest.json")
gunzip <"$folder/$file" | sed '2s/^2\t/1\t/' | gzip -1 >"$T/changed"
cp "$T/changed" "$folder/$file"
# shellcheck disable=SC2016 # jq's own variables
edit --arg f "$file" --arg sum "$(sha256sum <"$folder/$file" | cut -d' ' -f1)" --argjson bytes "$(stat -c %s "$folder/$file")" \
	'(.tables[] | select(.file == $f)) |= (.sha256 = $sum | .bytes = $bytes | .members = [0])
	| (.files[] | select(.name == $f)) |= (.sha256 = $sum | .bytes = $bytes)'
jq -r '.files[] | "\(.sha256)  \(.name)"' "$folder/manifest.json" >"$folder/SHA256SUMS"
run "$MIGSAFE" restore "$id" --yes
status_is 65 "a key that is there twice"
like "$ERR" 'could not make constraint "big, pkey" of table "public"."Big, \(one\)": could not create unique index "big, pkey"' "said, with the server's words"
like "$ERR" 'Key \(id\)=\(1\) is duplicated' "and which key"
same app changed "live is as it was"
is "$(db_list)" app "nothing is left"
db_drop app
sql postgres "DROP TABLESPACE \"$place\""
done_testing
