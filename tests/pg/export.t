#!/usr/bin/env bash
# An exported backup is plain SQL that psql loads into an empty database, which is then the same
# database; what is not to be exported is refused, and nothing is ever overwritten.
. "$(dirname "$0")/../lib.sh"

db_create app
DATABASE_URL=$(db_url app)
MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

role_create reader
role_create writer
sql app >"$T/ignored" <<END
CREATE TABLE "User" (id serial PRIMARY KEY, email text NOT NULL UNIQUE, note text);
INSERT INTO "User" (email, note) SELECT 'u' || i, E'a\\tb\\n\\\\' || i FROM generate_series(1, 500) i;
CREATE TABLE "order" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "user" int REFERENCES "User", total numeric);
INSERT INTO "order" ("user", total) SELECT 1 + i % 500, i / 7.0 FROM generate_series(1, 2000) i;
CREATE FUNCTION doubled(a int) RETURNS int BEGIN ATOMIC SELECT a * 2; END;
CREATE MATERIALIZED VIEW sums AS SELECT "user", sum(total) FROM "order" GROUP BY 1;
ALTER TABLE "order" OWNER TO "$(role_name writer)";
GRANT SELECT ON "User" TO "$(role_name reader)";
SELECT lo_from_bytea(0, 'large');
SELECT setval('"User_id_seq"', 4711, false);
END

backup() { # KIND -> id
	run "$MIGSAFE" backup --kind "$1" --json
	[ "$RC" = 0 ] || bail "backup: $ERR"
	jq -r --arg kind "$1" '.backups[] | select(.kind == $kind) | .id' <<<"$OUT"
}

state() { # DB -> its state
	"$ROOT/scripts/db-fingerprint.sh" "$(db_name "$1")"
}

same() { # DB TEST-NAME: is it the database that was exported?
	state "$1" >"$T/now"
	if cmp -s "$T/before" "$T/now"; then pass "$2"; else fail "$2" "$(diff "$T/before" "$T/now" | head -n 20)"; fi
}

id=$(backup full)
data_id=$(backup data)
state app >"$T/before"

# --- to standard output ---------------------------------------------------------------------------

run "$MIGSAFE" export "$id"
status_is 0 "an export"
like "$OUT" 'PostgreSQL database dump complete' "is a dump to its last line"
like "$ERR" "exporting backup $id" "said on stderr"
unlike "$OUT" 'DROP' "without DROP"
printf '%s\n' "$OUT" >"$T/plain.sql"
db_create plain
sql plain <"$T/plain.sql" >"$T/ignored"
ok $? "psql loads it"
same plain "which gives the same database"

# Through a slow reader: every byte arrives, also after pg_restore has ended.
restrict='/^\\\(un\)\{0,1\}restrict /d'
"$MIGSAFE" export latest 2>"$T/err" | { sleep 1; sed "$restrict"; } >"$T/slow.sql"
sed "$restrict" "$T/plain.sql" | diff -B - "$T/slow.sql" >"$T/ignored"
ok $? "latest, through a slow reader: the same text"

# The way of old scripts.
run "$MIGSAFE" export latest --clean --gzip --output "$T/clean.sql.gz"
status_is 0 "with --clean and --gzip, to a file"
like "$OUT" "^backup $id exported to $T/clean.sql.gz \(" "said so"
is "$(stat -c %a "$T/clean.sql.gz")" 600 "for nobody else"
is "$(find "$T" -name '*.partial')" "" "nothing is left aside"
gzip -t "$T/clean.sql.gz"
ok $? "gzip takes it for whole"
like "$(gunzip -c "$T/clean.sql.gz")" 'DROP TABLE IF EXISTS' "it drops first, where there is something"
db_create clean
gunzip -c "$T/clean.sql.gz" | sql clean >"$T/ignored"
ok $? "gunzip | psql into an empty database"
same clean "which gives the same database"
gunzip -c "$T/clean.sql.gz" | sql clean >"$T/ignored"
ok $? "and once more over it"
same clean "gives the same again"

run "$MIGSAFE" export "$id" --no-owner --no-acl --output "$T/bare.sql" --json
status_is 0 "without owners and rights"
is "$(jq -r '.backup, .file, .bytes, .sha256' <<<"$OUT" | paste -sd' ')" \
	"$id $T/bare.sql $(stat -c %s "$T/bare.sql") $(sha256sum "$T/bare.sql" | cut -d' ' -f1)" "the document"
unlike "$(cat "$T/bare.sql")" 'OWNER TO|GRANT' "names none"
role_create someone CREATEDB
db_create bare someone
psql_as someone bare -f "$T/bare.sql" >"$T/ignored"
ok $? "a plain role loads it"
is "$(sql bare "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")" "$(role_name someone)" "and owns it all"

# --- what is refused ------------------------------------------------------------------------------

refused() { # STATUS WORDS NAME ARGUMENT...
	local status=$1 words=$2 name=$3
	shift 3
	run "$MIGSAFE" export "$@"
	status_is "$status" "$name"
	like "$ERR" "$words" "$name: said"
	unlike "$OUT" 'CREATE' "$name: nothing on stdout"
}
echo precious >"$T/there.sql"
refused 64 'exists already' "a file that is there" "$id" --output "$T/there.sql"
is "$(cat "$T/there.sql")" precious "which is as it was"
refused 64 'holds only data' "a data backup" "$data_id"
refused 64 'json needs --output' "--json without a file" "$id" --json
refused 66 'no backup "nope"' "no such backup" nope
refused 66 'no full backup of database' "latest of a database without any" latest --url "$(db_url plain)"
refused 71 'could not make a file' "a folder that is not there" "$id" --output "$T/nowhere/x.sql"
refused 74 'no pg_restore of PostgreSQL' "no pg_restore" "$id" --pg-bin "$T"
run bash -c '"$1" export "$2" >/dev/full' _ "$MIGSAFE" "$id"
status_is 71 "a full disk"
like "$ERR" 'could not write to standard output: No space' "said so"
run bash -c 'set -o pipefail; "$1" export "$2" | head -c 1000 >/dev/null' _ "$MIGSAFE" "$id"
status_is 71 "a reader that leaves before the end: no export"

sleep 1
newer=$(backup full)
echo x >>"$MIGSAFE_BACKUP_DIR/$newer/toc.dat"
refused 76 'toc.dat' "a damaged backup" "$newer"
echo '{' >"$MIGSAFE_BACKUP_DIR/$newer/manifest.json"
run "$MIGSAFE" export latest
status_is 0 "latest is the newest that is whole"
like "$ERR" "exporting backup $id" "by its manifest"
done_testing
