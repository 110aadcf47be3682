#!/usr/bin/env bash
# A backup is verified by its files and by restoring it; what came of it is kept and shown; damage names
# file and table, ends with 76 and is listed; the side database is gone in any case.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

sql app >"$T/ignored" <<'END'
CREATE TABLE "User" (id serial PRIMARY KEY, email text, note text, up text GENERATED ALWAYS AS (upper(email)) STORED);
INSERT INTO "User" (email, note) SELECT nullif('u' || i, 'u7'), E'a\tb\n\\' || i FROM generate_series(1, 20000) i;
CREATE TABLE small (a int, b float8, c timestamptz, d interval, e bytea);
INSERT INTO small VALUES (1, 0.1::float8 + 0.2::float8, '2026-01-01 00:00+00', '1 year 2 days', '\x00ff');
CREATE TABLE none ();
INSERT INTO none DEFAULT VALUES;
CREATE TABLE empty (a int);
CREATE TABLE parted (id int, v text) PARTITION BY LIST (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_rest PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT i % 3, 'v' || i FROM generate_series(1, 30) i;
-- Rows of these move to other partitions when they are restored: hashes of an enum are those of its oids.
CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
CREATE TABLE hashed (m mood, v int) PARTITION BY HASH (m);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT (enum_range(NULL::mood))[1 + i % 8], i FROM generate_series(1, 20) i;
-- Beside others that are loaded by themselves.
CREATE TABLE partly (m mood, v int) PARTITION BY LIST (m);
CREATE TABLE partly_a PARTITION OF partly FOR VALUES IN ('a');
CREATE TABLE partly_rest PARTITION OF partly DEFAULT PARTITION BY HASH (m);
CREATE TABLE partly_rest_0 PARTITION OF partly_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE partly_rest_1 PARTITION OF partly_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO partly SELECT unnest(enum_range(NULL::mood)), 1;
-- Partitions with columns in another order, of which one is computed.
CREATE TABLE orders (m mood, a int, b text, up text GENERATED ALWAYS AS (upper(b)) STORED) PARTITION BY HASH (m);
CREATE TABLE orders_0 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE orders_1 (b text, up text GENERATED ALWAYS AS (upper(b)) STORED, m mood, a int);
ALTER TABLE orders ATTACH PARTITION orders_1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO orders SELECT (enum_range(NULL::mood))[1 + i % 8], nullif(i, 7), E't\t' || i FROM generate_series(1, 40) i;
SELECT lo_from_bytea(4711, decode(repeat('ab', 1500000), 'hex'));
SELECT lo_from_bytea(4712, '');
END
TABLES=13

run "$MIGSAFE" backup --json
[ "$RC" = 0 ] || bail "backup: $ERR"
FULL=$(jq -r '.backups[] | select(.kind == "full") | .id' <<<"$OUT")
DATA=$(jq -r '.backups[] | select(.kind == "data") | .id' <<<"$OUT")
PLACE=$MIGSAFE_BACKUP_DIR/$FULL
[ -f "$PLACE/manifest.json" ] || bail "no backup in $PLACE"
ROWS=$((20000 + 1 + 1 + 30 + 20 + 8 + 40))
databases=$(db_list)

checks() { # ID -> "level result" of each verification kept with it
	jq -r '.verified[] | .level + " " + .result' "$MIGSAFE_BACKUP_DIR/$1/manifest.json"
}

listed() { # ID -> its line of the list, and the keys of the document
	"$MIGSAFE" list 2>/dev/null | grep "^$1 "
	"$MIGSAFE" list --json | jq -c --arg id "$1" '.backups[] | select(.id == $id) | [.verified, .verification_failed.level]'
}

file_of() { # TABLE -> the name of its data file
	jq -r --arg t "$1" '.tables[] | select(.name == $t) | .file' "$PLACE/manifest.json"
}

# --- a good one ------------------------------------------------------------------------------------

run "$MIGSAFE" verify latest
status_is 0 "level files"
like "$OUT" "^backup $FULL is as it was taken, by level files" "says so"
like "$OUT" "$TABLES tables, 20 100 rows" "with what was counted"
is "$(checks "$FULL")" "files ok" "and keeps it with the backup"
like "$(listed "$FULL")" 'files, [0-9]+ s ago.*\["files",null\]' "list shows when and how"
run "$MIGSAFE" verify "$FULL" --level restore --json
status_is 0 "level restore"
is "$(jq -r '[.backup, .level, .result, .tables, .rows, .large_objects, (.damages | length), .error] | map(tostring) | join("|")' <<<"$OUT")" \
	"$FULL|restore|ok|$TABLES|$ROWS|2|0|null" "the document"
is "$(jq .tables_by_content <<<"$OUT")" "$TABLES" "every table was read back and its content compared"
is "$(db_list)" "$databases" "the side database is gone"
like "$(listed "$FULL")" 'restore, [0-9]+ s ago' "list shows the stronger proof"
run "$MIGSAFE" verify "$FULL"
like "$(listed "$FULL")" 'restore, [0-9]+ s ago' "also after a check of files"
run "$MIGSAFE" show "$FULL"
is "$(grep -c 'at 20.*: ok' <<<"$OUT")" 3 "show has all of them"
run "$MIGSAFE" verify "$DATA" --level restore
status_is 0 "a data backup is proven by the full one of the same moment"
like "$OUT" "proven by $FULL" "and says so"
is "$(checks "$DATA")" "restore ok" "which counts for it"
is "$(checks "$FULL" | tail -n 1)" "restore ok" "and for the full one"
run "$MIGSAFE" verify "$FULL" --level all
status_is 64 "a level that is none"
run "$MIGSAFE" verify app_20010101_000000_full
status_is 66 "a backup that is none"

for how in none zstd:1; do
	run "$MIGSAFE" backup --kind full --compression "$how" --split-size 100kB --json
	run "$MIGSAFE" verify "$(jq -r '.backups[0].id' <<<"$OUT")" --level restore --json
	is "$(jq -r '[.result, .rows, .tables_by_content] | map(tostring) | join(" ")' <<<"$OUT")" "ok $ROWS $TABLES" "packed by $how"
done

# --- damage ------------------------------------------------------------------------------------------

cp -R "$PLACE" "$T/good" || bail "copy"
mend() { # as it was; no links, so that the data backup does not change with it
	rm -rf "$PLACE"
	cp -R "$T/good" "$PLACE" || bail "copy"
}
# shellcheck disable=SC2016 # the variables are those of jq
edit() { # JQ-ARGUMENT...: the manifest
	jq "$@" "$PLACE/manifest.json" >"$T/edited" && cp "$T/edited" "$PLACE/manifest.json"
}
# shellcheck disable=SC2016
sum_again() { # FILE: the manifest and SHA256SUMS say what it now is
	edit --arg f "$1" --arg s "$(sha256sum "$PLACE/$1" | cut -d' ' -f1)" --argjson n "$(stat -c %s "$PLACE/$1")" \
		'(.files[] | select(.name == $f)) |= (.sha256 = $s | .bytes = $n)
		| (.tables[] | select(.file == $f)) |= (.sha256 = $s | .bytes = $n)'
	jq -r '.files[] | .sha256 + "  " + .name' "$PLACE/manifest.json" >"$PLACE/SHA256SUMS"
}
damaged() { # NAME REGEX: then it is whole again
	run "$MIGSAFE" verify "$FULL" --json
	status_is 76 "$1"
	like "$(jq -r '.damages[0].what' <<<"$OUT")" "$2" "$1: names it"
	mend
}
mend

user=$(file_of User) small=$(file_of small)
printf 'x' | dd of="$PLACE/$user" bs=1 seek=5000 conv=notrunc status=none
rm "$PLACE/$small"
run "$MIGSAFE" verify "$FULL" --json
status_is 76 "two damaged files"
is "$(jq -r '.damages[] | .file + " " + .schema + "." + .table' <<<"$OUT" | sort)" \
	"$(printf '%s public.User\n%s public.small\n' "$user" "$small" | sort)" "all are listed"
like "$ERR" "backup \"$FULL\": file \".*\" \(table \"public\"" "the first is the error"
like "$(checks "$FULL" | tail -n 1)" "^files backup .*(is missing|SHA-256 differs)" "the failure is kept"
like "$(listed "$FULL")" 'FAILED: files, [0-9]+ s ago.*\[null,"files"\]' "and stands out in the list"
run "$MIGSAFE" verify "$FULL" --level restore
status_is 76 "level restore looks at the files first"
mend

truncate -s -3 "$PLACE/$user"
damaged "a file that is cut off" "$user.*\"User\".*bytes.*were written"
truncate -s 3000 "$PLACE/$user" && sum_again "$user"
damaged "cut off, with sums that agree" "$user.*\"User\""
cp "$PLACE/$small" "$PLACE/$user" && sum_again "$user"
damaged "another table's file, with sums that agree" "$user.*\"User\".*(fields|rows)"
edit '(.tables[] | select(.name == "User")).rows = 19999'
damaged "a count of rows that was changed" '"User".*holds 20000 rows, 19999 were counted'
edit '(.tables[] | select(.name == "User") | .columns[] | select(.name == "email")).values = 20000'
damaged "a count of values that was changed" '"User".*19999 values in column "email", 20000'
edit '(.tables[] | select(.name == "small")).content = "0123456789abcdef"'
damaged "a content sum that was changed" '"small".*other rows.*not 0123456789abcdef'
sed -i 1d "$PLACE/SHA256SUMS"
damaged "a sum that is gone" 'SHA256SUMS'
sed -i 's/PGDMP/PGDMQ/' "$PLACE/toc.dat" && sum_again toc.dat
damaged "contents that are none" 'toc.dat'
edit '.large_objects = 3'
damaged "a large object that is lacking" '2 large objects are listed, 3 were counted'
unusable() { # NAME REGEX: then it is whole again
	run "$MIGSAFE" verify "$FULL" --level restore
	status_is 76 "$1" && like "$ERR" "$2" "$1: says so"
	mend
}
edit '.tables += [.tables[] | select(.name == "empty") | .file = null | .sha256 = null | .bytes = -1 | .members = []]'
unusable "a table that is named twice" '"public"\."empty" is named twice'
edit '.sequences += [.sequences[0]]'
unusable "a sequence that is" '"public"\."User_id_seq" is named twice'
edit '.kind = "data"'
unusable "another kind than its name has" "\"$FULL\" cannot be used: its manifest says it is of kind data"
run "$MIGSAFE" verify "$FULL"
status_is 0 "and it is whole again"

# --- what only a restore can tell ---------------------------------------------------------------------

edit '(.sequences[] | select(.name == "User_id_seq")).last_value = "5"'
run "$MIGSAFE" verify "$FULL" --level restore --json
status_is 76 "a sequence that restores to another value"
like "$(jq -r .error.message <<<"$OUT")" 'sequence .*User_id_seq.* stands at 20000 instead of 5' "is told"
like "$(listed "$FULL")" 'FAILED: restore' "and stands out"
is "$(db_list)" "$databases" "the side database is gone then too"
run "$MIGSAFE" verify "$FULL"
like "$(listed "$FULL")" 'FAILED: restore' "good files do not undo that"
mend

# --- stopped ------------------------------------------------------------------------------------------

side_is_there() { [ "$(db_list)" != "$databases" ]; }
env --default-signal=INT "$MIGSAFE" verify "$FULL" --level restore 2>"$T/err" &
pid=$!
wait_for 20 side_is_there
ok $? "a side database is made"
kill -INT "$pid" 2>/dev/null
wait "$pid"
is "$?" 130 "stopped while it restores"
is "$(db_list)" "$databases" "leaves no database"
is "$(checks "$FULL" | grep -vc ' ok$')" 0 "and is no verdict on the backup"

done_testing
