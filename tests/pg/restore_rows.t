#!/usr/bin/env bash
# The rows of a backup are loaded by migsafe itself: in pieces of one table at once, whatever they are packed by,
# and what is damaged or not as many as counted is named by file and table while nothing has changed.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/pg/restore.sh
. "$ROOT/tests/pg/restore.sh"
export MIGSAFE_JOBS=3

role_create reader
role_create maker
sql app >"$T/ignored" <<END
CREATE TABLE big (id int PRIMARY KEY, v text, twice int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO big (id, v) SELECT i, CASE i % 5 WHEN 0 THEN NULL WHEN 1 THEN E'\\\\.' WHEN 2 THEN E'a\\tb\\nc\\\\' ELSE repeat(md5(i::text), 3) END
	FROM generate_series(1, 20000) i;
CREATE TABLE first_is_mark (v text);
INSERT INTO first_is_mark VALUES (E'\\\\.'), (E'\\\\\\\\.'), ('.'), (E'\\\\'), ('');
CREATE TABLE empty (a int);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE "odd ""name""" ("Col ,1" text, b bytea);
INSERT INTO "odd ""name""" VALUES (E'\\r\\n', '\\x00ff5c2e0a');
CREATE TABLE parts (a int, b text) PARTITION BY RANGE (a);
CREATE TABLE part_1 PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE part_2 PARTITION OF parts FOR VALUES FROM (100) TO (200);
INSERT INTO parts SELECT i, 'x' FROM generate_series(0, 199) i;
CREATE TABLE read_only (a int);
INSERT INTO read_only VALUES (1);
GRANT SELECT ON big, read_only TO "$(role_name reader)";
ALTER TABLE read_only OWNER TO "$(role_name maker)";
SELECT lo_from_bytea(4711, 'large'), lo_from_bytea(4712, ''), lo_from_bytea(4713, decode(repeat('00ff5c', 500000), 'hex'));
COMMENT ON LARGE OBJECT 4711 IS 'commented';
END
state app before
contents="SELECT count(*), md5(string_agg(loid || ' ' || pageno || ' ' || md5(data), ',' ORDER BY loid, pageno)) FROM pg_largeobject"
objects=$(sql app "$contents")
id=$(take --compression gzip:1)
folder=$MIGSAFE_BACKUP_DIR/$id
cp -r "$folder" "$T/original"

packed() { # CODEC PIECE MEMBER: the backup with its files packed so
	rm -rf "${folder:?}"
	cp -r "$T/original" "$folder"
	python3 "$ROOT/tests/pg/repack.py" "$folder" "$@" || bail "repack"
}

into() { # NAME TEST-NAME: restored there it is the same
	run "$MIGSAFE" restore "$id" --into "$(db_name "$1")" --json
	status_is 0 "$2"
	same "$1" before "$2: the same"
	is "$(sql "$1" "$contents")" "$objects" "$2: large objects too"
	db_drop "$1"
}

# --- however it is packed ---------------------------------------------------------------------------

# Pieces of 1000 bytes: a row, the end mark and a member begin anywhere in what is read at once.
packed gzip 1000 50000
is "$(jq '[.tables[] | select(.name == "big") | .members | length] | .[0] > 10' "$folder/manifest.json")" true "a table in many pieces"
into many "gzip, in many pieces"
packed none 700 40000
into plain "not packed"
packed zstd 300000 400000
into zstd "zstd, which pg_restore 15 does not read"

# --- pieces of one table at once ---------------------------------------------------------------------

packed gzip 20000 60000
role_create logged SUPERUSER
sql postgres "ALTER ROLE \"$(role_name logged)\" SET log_statement = 'all'"
DATABASE_URL=$(db_url app logged) run "$MIGSAFE" restore "$id" --into "$(db_name split)"
status_is 0 "with a log of statements"
same split before "the same"
db_drop split
sql postgres "ALTER ROLE \"$(role_name logged)\" NOSUPERUSER"
is "$(($(grep -c 'statement: COPY "public"."big" ("id", "v") FROM STDIN' "$TEST_PGLOG") > 10))" 1 \
	"the big table was loaded in pieces, without its generated column"
is "$(grep -c 'statement: .*COPY "public"."odd ""name""" ' "$TEST_PGLOG")" 1 "a small one in one"

# --- damage that the sums do not tell ----------------------------------------------------------------

edit() { # JQ-ARGUMENT...: of the manifest
	jq "$@" "$folder/manifest.json" >"$T/manifest" && mv "$T/manifest" "$folder/manifest.json"
}

trust() { # FILE: the manifest and SHA256SUMS tell what the file is now
	# shellcheck disable=SC2016 # jq's own variables
	edit --arg f "$1" --arg sum "$(sha256sum <"$folder/$1" | cut -d' ' -f1)" --argjson bytes "$(stat -c %s "$folder/$1")" \
		'(.tables[] | select(.file == $f)) |= (.sha256 = $sum | .bytes = $bytes)
		| (.files[] | select(.name == $f)) |= (.sha256 = $sum | .bytes = $bytes)'
	jq -r '.files[] | "\(.sha256)  \(.name)"' "$folder/manifest.json" >"$folder/SHA256SUMS"
}

refused() { # STATUS WORDS NAME
	run "$MIGSAFE" restore "$id" --yes
	status_is "$1" "$3"
	like "$ERR" "$2" "$3: said"
	same app changed "$3: live is as it was"
	is "$(db_list)" app "$3: nothing is left"
}

file=$(jq -r '.tables[] | select(.name == "big") | .file' "$folder/manifest.json")
member=$(jq -r '.tables[] | select(.name == "big") | .members[3]' "$folder/manifest.json")
cp "$folder/$file" "$T/good"
sql app 'INSERT INTO empty VALUES (1)'
state app changed

printf 'x' | dd of="$folder/$file" bs=1 seek=$((member + 100)) conv=notrunc status=none
refused 76 "$file" "a byte that its sum tells"
trust "$file"
refused 76 "table \"public\".\"big\": file \"$file\"" "a damaged piece"
cp "$T/good" "$folder/$file"
truncate -s -200 "$folder/$file"
trust "$file"
refused 76 "table \"public\".\"big\": file \"$file\"" "a file that is cut off"
head -c "$member" "$T/good" >"$folder/$file"
trust "$file"
edit '(.tables[] | select(.name == "big") | .members) |= .[:3]'
refused 76 'table "public"."big" has [0-9]+ rows instead of 20000' "pieces that are missing"
edit '(.tables[] | select(.name == "big") | .members) = [0]'
printf '1\ta\n\\.\n2\tb\n' | gzip >"$folder/$file"
trust "$file"
refused 76 'something follows the end mark' "rows behind the end mark"
printf 'one\ttwo\n\\.\n\n\n' | gzip >"$folder/$file"
trust "$file"
refused 65 'could not load table "public"."big": invalid input syntax for type integer: "one"' "a row that is none of the table's"

# --- roles --------------------------------------------------------------------------------------------

rm -rf "${folder:?}"
cp -r "$T/original" "$folder"
# As if the backup came from another server.
edit '.database.owner = "gone owner"'
new=$(db_name elsewhere)
run "$MIGSAFE" restore "$id" --into "$new"
status_is 11 "a role that the server lacks"
like "$ERR" 'the server has no role "gone owner".*--no-owner' "named, with what helps"
run "$MIGSAFE" restore "$id" --into "$new" --dry-run
status_is 11 "a dry run says so too"
is "$(db_list)" app "nothing was made"
run "$MIGSAFE" restore "$id" --into "$new" --no-owner
status_is 0 "without owners"
is "$(sql elsewhere "SELECT string_agg(DISTINCT relowner::regrole::text, ',') FROM pg_class WHERE relname IN ('big', 'read_only')")" postgres \
	"all is of who restored it"
is "$(sql elsewhere "SELECT has_table_privilege('$(role_name reader)', 'big', 'SELECT')")" t "rights are there"
db_drop elsewhere
run "$MIGSAFE" restore "$id" --into "$new" --no-owner --no-acl
status_is 0 "without owners and rights"
is "$(sql elsewhere "SELECT has_table_privilege('$(role_name reader)', 'big', 'SELECT')")" f "no rights"
db_drop elsewhere
run "$MIGSAFE" restore "$id" --no-owner --yes
status_is 64 "onto live both stay"

# --- as a plain role: an owner without the right to insert -------------------------------------------

role_create plain CREATEDB
db_create own plain
DATABASE_URL=$(db_url own plain)
sql_as plain own 'CREATE TABLE t AS SELECT 1 AS a'
sql_as plain own "REVOKE ALL ON t FROM \"$(role_name plain)\"; GRANT SELECT ON t TO \"$(role_name plain)\""
state own before
id=$(take --compression gzip:1)
sql_as plain own 'DROP TABLE t'
run "$MIGSAFE" restore "$id" --yes
status_is 0 "an owner who took the right to insert from himself restores"
same own before "the same"
done_testing
