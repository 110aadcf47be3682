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
	run "$MIGSAFE" import "$4"
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
refused 76 'only data' "a dump of data alone" "$T/data.sql"

done_testing
