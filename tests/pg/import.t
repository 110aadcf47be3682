#!/usr/bin/env bash
# What was exported comes back under its own id, verified; a dump made by others becomes a backup of the
# configured database that is verified and restored like any other; what is no backup leaves nothing.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/../lib.sh"
# What auto is depends on the version of the server.
export MIGSAFE_COMPRESSION=gzip:1

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

sql app >"$T/ignored" <<'END'
CREATE TABLE "User" (id serial PRIMARY KEY, email text NOT NULL, up text GENERATED ALWAYS AS (upper(email)) STORED);
INSERT INTO "User" (email) SELECT E'u\t' || i FROM generate_series(1, 500) i;
CREATE TABLE "order" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "user" int REFERENCES "User");
INSERT INTO "order" ("user") SELECT 1 + i % 500 FROM generate_series(1, 2000) i;
SELECT lo_from_bytea(0, 'large');
END
"$ROOT/scripts/db-fingerprint.sh" "$(db_name app)" >"$T/before"

run "$MIGSAFE" backup --reason hourly --json
[ "$RC" = 0 ] || bail "backup: $ERR"
FULL=$(jq -r '.backups[] | select(.kind == "full") | .id' <<<"$OUT")
DATA=$(jq -r '.backups[] | select(.kind == "data") | .id' <<<"$OUT")
[ -f "$MIGSAFE_BACKUP_DIR/$FULL/manifest.json" ] || bail "no backup"
databases=$(db_list)
for id in "$FULL" "$DATA"; do
	"$MIGSAFE" export "$id" --output "$T/$id.tar" >"$T/ignored" 2>&1 || bail "export"
done

same() { # DB TEST-NAME: is it the database that was backed up?
	"$ROOT/scripts/db-fingerprint.sh" "$(db_name "$1")" >"$T/now"
	if cmp -s "$T/before" "$T/now"; then pass "$2"; else fail "$2" "$(diff "$T/before" "$T/now" | head -n 20)"; fi
}

nothing_new() { # NAME
	is "$(find "$T/elsewhere" -mindepth 1 -maxdepth 1 -not -name .migsafe)" "" "$1: nothing is left"
}

# --- what was exported ------------------------------------------------------------------------------

export MIGSAFE_BACKUP_DIR=$T/elsewhere
run "$MIGSAFE" import "$T/$FULL.tar"
status_is 0 "a tar of a full backup"
like "$OUT" "^$FULL .* 2 tables, 2 500 rows" "comes back under its id"
diff -r "$T/backups/$FULL" "$T/elsewhere/$FULL" --exclude=manifest.json >"$T/ignored"
ok $? "every file is the same"
is "$(stat -c %a "$T/elsewhere/$FULL" "$T/elsewhere/$FULL/toc.dat" | paste -sd' ')" "700 600" "for nobody else"
is "$("$MIGSAFE" list --json | jq -r '.backups[] | [.id, .reason, .verified, .keep, .why] | join("|")')" \
	"$FULL|hourly|files|true|pinned" "it is verified, and no backup removes it again"
run "$MIGSAFE" import "$T/$FULL.tar"
status_is 64 "an id that is there"
like "$ERR" "backup \"$FULL\" is in .* already" "is refused"
[ -f "$T/elsewhere/$FULL/toc.dat" ]
ok $? "and left alone"
run "$MIGSAFE" verify "$FULL" --level restore
status_is 0 "it restores"
gzip -k "$T/$DATA.tar"
run "$MIGSAFE" import "$T/$DATA.tar.gz" --json
status_is 0 "a gzipped tar of a data backup"
is "$(jq -r '.backups[].id' <<<"$OUT")" "$DATA" "the document"
rm -rf "$T/elsewhere/$FULL"
mkdir "$T/away" && cp -R "$T/backups/$FULL" "$T/away/moved"
run "$MIGSAFE" import "$T/away/moved"
status_is 0 "a folder, whatever its name is now"
like "$OUT" "^$FULL " "has its id again"
diff -r "$T/backups/$FULL" "$T/elsewhere/$FULL" --exclude=manifest.json >"$T/ignored"
ok $? "and every file"
tar -C "$T/backups" -cf "$T/by-hand.tar" "./$FULL"
rm -rf "$T/elsewhere"
run "$MIGSAFE" import "$T/by-hand.tar"
status_is 0 "a tar made by hand"
rm -rf "$T/elsewhere"

# --- what is no backup of ours, or no longer ----------------------------------------------------------

refused() { # STATUS WORDS NAME FILE
	run "$MIGSAFE" import "${@:4}"
	status_is "$1" "$3"
	like "$ERR" "$2" "$3: said"
	nothing_new "$3"
}
mkdir -p "$T/elsewhere"
spoil() { # COMMAND...: in a copy of the folder, then a tar of it
	rm -rf "$T/spoilt"
	mkdir "$T/spoilt"
	cp -R "$T/backups/$FULL" "$T/spoilt/" || bail "copy"
	(cd "$T/spoilt/$FULL" && "$@") || bail "spoil"
	tar -C "$T/spoilt" -cf "$T/spoilt.tar" "$FULL"
}
data=$(jq -r '.tables[] | select(.name == "User") | .file' "$T/backups/$FULL/manifest.json")
head -c 20000 "$T/$FULL.tar" >"$T/cut.tar"
refused 76 'cut off' "a tar that is cut off" "$T/cut.tar"
spoil truncate -s -1 "$data"
refused 76 "file \"$data\" \(table \"public\".\"User\"\) has" "a damaged file" "$T/spoilt.tar"
refused 76 "file \"$data\" \(table \"public\".\"User\"\) has" "a damaged file in a folder" "$T/spoilt/$FULL"
spoil rm "$data"
refused 76 "$data.* is missing" "a file that is lacking" "$T/spoilt.tar"
refused 76 "$data.* is missing" "a file that is lacking in a folder" "$T/spoilt/$FULL"
spoil rm manifest.json
refused 76 'holds no manifest.json' "no manifest" "$T/spoilt.tar"
spoil touch more.dat
refused 76 'more.dat.*does not name' "a file that the manifest does not name" "$T/spoilt.tar"
spoil ln -sf /etc/passwd "$data"
refused 76 'which is no file' "a link in a tar" "$T/spoilt.tar"
refused 76 'is missing' "a link in a folder" "$T/spoilt/$FULL"
spoil sed -i "s/\"$FULL\"/\"x_20200101_000000_full\"/" manifest.json
refused 76 'says it is' "another id in its manifest" "$T/spoilt.tar"
tar -C "$T/backups/$FULL" -cf "$T/inside.tar" manifest.json toc.dat
refused 76 'a tar, but not of pg_dump' "a tar of its files" "$T/inside.tar"
refused 66 'no backup or file' "a file that is not there" "$T/nowhere.tar"
run "$MIGSAFE" import "$T/$FULL.tar" --label mine
status_is 64 "a backup keeps its label"
nothing_new "a label"

# --- dumps made by others -----------------------------------------------------------------------------

dump() { env PGHOST="$TEST_PGHOST" PGPORT="$TEST_PGPORT" PGUSER=postgres "$TEST_PGBIN/pg_dump" -d "$(db_name app)" "$@"; }
dump | gzip >"$T/theirs.sql.gz"
run "$MIGSAFE" import "$T/theirs.sql.gz"
status_is 0 "a gzipped dump of pg_dump"
is "$(db_list)" "$databases" "the side database is gone"
is "$("$MIGSAFE" list --json | jq -r '.backups[] | [.kind, .reason, .label, .database, .rows] | join("|")' | sort)" \
	"$(printf '%s|manual|imported from theirs.sql.gz|%s|2500\n' data "$(db_name app)" full "$(db_name app)")" \
	"a full and a data backup of the configured database"
id=$("$MIGSAFE" list --json | jq -r '.backups[] | select(.kind == "full") | .id')
like "$id" "^$(db_name app)_20[0-9]{6}_[0-9]{6}_full$" "named after it"
"$TEST_PGBIN/pg_restore" -l "$T/elsewhere/$id" >"$T/list"
"$TEST_PGBIN/pg_restore" -C --clean -f - "$T/elsewhere/$id" >"$T/script"
is "$(sed -n 's/^; *dbname: //p' "$T/list")" "$(db_name app)" "its archive says the same"
is "$(grep -E '^(CREATE|DROP|ALTER|COMMENT ON|GRANT .* ON|REVOKE .* ON) DATABASE|^.connect' "$T/script" | cut -d' ' -f 1-5)" \
	"$(printf 'DROP DATABASE "%s";\nCREATE DATABASE "%s" WITH TEMPLATE\nALTER DATABASE %s OWNER TO\n\\connect %s' "$(db_name app)" "$(db_name app)" "$(db_name app)" "$(db_name app)")" \
	"also to the stock pg_restore -C"
unlike "$(cat "$T/list" "$T/script")" __migsafe "the side database is not in it"
run "$MIGSAFE" verify "$id" --level restore
status_is 0 "it is verified like any other"
run "$MIGSAFE" restore "$id" --dry-run
status_is 0 "and previewed"
sql app 'DELETE FROM "order"; DELETE FROM "User"'
run "$MIGSAFE" restore "$id" --yes
status_is 0 "and restored"
same app "which gives the database that was dumped"

rm -rf "$T/elsewhere" && mkdir "$T/elsewhere"
dump -Fc -f "$T/theirs.dump"
run "$MIGSAFE" import - --label mine --json <"$T/theirs.dump"
status_is 0 "an archive on standard input"
is "$(jq -r '.backups | map(.kind + " " + .label) | join(",")' <<<"$OUT")" "full mine,data mine" "with a label"
rm -rf "$T/elsewhere" && mkdir "$T/elsewhere"
databases=$(db_list)
"$MIGSAFE" export "$FULL" --backup-dir "$T/backups" --inserts --output "$T/ours.sql.gz" >"$T/ignored" 2>&1
run "$MIGSAFE" import "$T/ours.sql.gz"
status_is 0 "and SQL that migsafe exported"
rm -rf "$T/elsewhere" && mkdir "$T/elsewhere"
printf 'CREATE TABLE t (a int);\nSELECT 1/0;\n' >"$T/bad.sql"
refused 76 'bad.sql.*division by zero' "SQL that fails" "$T/bad.sql"
is "$(db_list)" "$databases" "and its side database is gone"
printf '\\! true\nCREATE TABLE t (a int);\n' >"$T/evil.sql"
refused 76 'evil.sql' "a command of psql" "$T/evil.sql"
dump --data-only --column-inserts -f "$T/data.sql"
refused 76 'only data.*--schema-from live' "a dump of data alone" "$T/data.sql"

# --- rows alone, for the tables that live has, or had -----------------------------------------------------

only_rows() { # TEST-NAME FILE [OPTION...]: imported, then restored into the emptied tables
	rm -rf "$T/elsewhere" && mkdir "$T/elsewhere"
	run "$MIGSAFE" import "${@:2}" --json
	status_is 0 "$1"
	is "$(db_list)" "$databases" "its side database is gone"
	is "$(jq -r '.backups | map("\(.kind) \(.rows)") | join(",")' <<<"$OUT")" "data 2500" "a data backup"
	id=$(jq -r '.backups[0].id' <<<"$OUT")
	sql app 'DELETE FROM "order"; DELETE FROM "User"'
	run "$MIGSAFE" restore "$id" --yes --accept-loss
	status_is 0 "it is restored into the tables as they are"
}

databases=$(db_list)
only_rows "INSERTs with the tables of live" "$T/data.sql" --schema-from live
same app "the rows that were dumped"
dump --data-only --disable-triggers | gzip >"$T/data.sql.gz"
only_rows "COPY, gzipped" "$T/data.sql.gz" --schema-from live
same app "the rows that were dumped"
dump --data-only -Fc -f "$T/data.dump"
only_rows "an archive of data alone" "$T/data.dump" --schema-from live
same app "the rows that were dumped"
dump -Fd -f "$T/whole.dir"
only_rows "of an archive with tables, its rows" "$T/whole.dir" --schema-from live
same app "the rows that were dumped"
is "$(find "$T/elsewhere/.migsafe" -name 'import_*')" "" "nothing is left of the schema"

# What a dump of some tables does not have is not emptied by it.
dump --data-only -t '"User"' -f "$T/users.sql"
rm -rf "$T/elsewhere" && mkdir "$T/elsewhere"
run "$MIGSAFE" import "$T/users.sql" --schema-from live --json
status_is 0 "a dump of one table alone"
id=$(jq -r '.backups[0].id' <<<"$OUT")
is "$(jq -r '[.tables[].name] | join(" ")' "$T/elsewhere/$id/manifest.json") $(find "$T/elsewhere/$id" -name 'table_*' | wc -l)" 'User 1' \
	"the backup has that one"
"$MIGSAFE" verify "$id" >"$T/ignored" 2>&1
ok $? "it is good"
run "$MIGSAFE" restore "$id" --replace --yes
status_is 0 "it is restored over what is there"
same app "and the tables that it lacks keep their rows"
"$MIGSAFE" backup --kind full --json --backup-dir "$T/elsewhere" >"$T/full.json" 2>"$T/ignored"
full=$(jq -r '.backups[0].id' "$T/full.json")
cp -r "$T/elsewhere/$full" "$T/then"
run "$MIGSAFE" import "$T/data.sql" --schema-from "$id"
status_is 64 "a data backup has no schema to give"
rm -rf "$T/elsewhere" && mkdir "$T/elsewhere"
refused 64 'makes its tables by itself' "SQL with tables needs no other's" "$T/theirs.sql.gz" --schema-from live
refused 66 'nosuch' "a backup that is not there" "$T/data.sql" --schema-from nosuch_20260101_000000_full
grep -v '^INSERT INTO public."User" .* VALUES (1,' "$T/data.sql" >"$T/torn.sql"
refused 76 'torn.sql.*violates foreign key' "rows that do not fit each other" "$T/torn.sql" --schema-from live
is "$(db_list)" "$databases" "and its side database is gone"
sql app 'ALTER TABLE "User" RENAME TO "Person"'
refused 76 'data.sql.*"public.User" does not exist' "tables that are not there any more" "$T/data.sql" --schema-from live
rm -rf "$T/elsewhere" && mkdir "$T/elsewhere" && cp -r "$T/then" "$T/elsewhere/$full"
run "$MIGSAFE" import "$T/data.sql" --schema-from "$full" --json
status_is 0 "but are in a backup of then"
id=$(jq -r '.backups[0].id' <<<"$OUT")
sql app 'DELETE FROM "order"; DELETE FROM "Person"'
run "$MIGSAFE" restore "$id" --yes --map User=Person
status_is 0 "and go where --map says"
is "$(sql app 'SELECT (SELECT count(*) FROM "Person") + (SELECT count(*) FROM "order")')" 2500 "all of them"

done_testing
