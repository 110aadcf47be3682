# A database, to a backup and back in two ways: by migsafe, and by the stock pg_restore alone; sourced after tests/lib.sh.
# shellcheck shell=bash
#
#   roundtrip_source DB                 what must come back of DB: as stock pg_dump and pg_restore bring it over
#   roundtrip DB LABEL [SETTING...]     backup with these settings, both ways back, all compared
#
# migsafe works as ROUNDTRIP_ROLE (postgres). Functions that may be set: AFTER_NEW readies a new database for the stock
# pg_restore, AFTER_BACKUP looks at the folder of each backup. STALE_VIEWS are materialized views that were last refreshed
# before their tables changed: a restore fills them anew. STOCK_JOBS is how the stock pg_restore is started (-j4).
#
# Rule of use: equal means the text of pg_dump, of schema and data, to the letter, with the rows of each table sorted
# (sorted-dump), and beside it sums over all tables, materialized views and large objects (contents.sql).

# Stock pg_restore of bookworm and of trixie, on which of two the server ends depends on who comes first:
# ALTER INDEX .. ATTACH PARTITION against ADD FOREIGN KEY to the partitioned table. Known, and no fault of the archive.
STOCK_DEADLOCK='deadlock detected'

server_env() { # sets SERVER to `env` with what programs of PostgreSQL and migsafe need
	need_server
	SERVER=(env PGHOST="$TEST_PGHOST" PGPORT="$TEST_PGPORT" PGUSER=postgres PGTZ=UTC)
}

text_of() { # DB FILE
	"${SERVER[@]}" "$ROOT/tests/roundtrip/sorted-dump" "$TEST_PGBIN/pg_dump" -d "$(db_name "$1")" >"$2"
}

contents_of() { # DB FILE
	psql_as postgres "$1" -f "$ROOT/tests/roundtrip/contents.sql" >"$2"
}

same_file() { # FILE FILE NAME: with the first differences
	if cmp -s "$1" "$2"; then pass "$3"; else fail "$3" "$(diff -a "$1" "$2" | cut -c 1-300 | head -n 30)"; fi
}

# A new database as migsafe makes it: of the encoding and locale of another.
new_like() { # DB LIKE
	db_drop "$1"
	sql postgres "SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L', '$(db_name "$1")',
			pg_encoding_to_char(encoding), datcollate, datctype) ||
			CASE datlocprovider WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L',
				coalesce(to_jsonb(d) ->> 'daticulocale', to_jsonb(d) ->> 'datlocale')) ELSE '' END
		FROM pg_database d WHERE datname = '$(db_name "$2")'" | sql postgres || bail "no new database like $2"
	[ -z "${AFTER_NEW-}" ] || "$AFTER_NEW" "$1"
}

# pg_restore of the client alone, of a folder with data files it can read, into a new database.
stock_restore() { # FOLDER DB LIKE: sets RC and ERR
	local try
	for try in 1 2 3; do
		new_like "$2" "$3"
		run "${SERVER[@]}" "$TEST_PGBIN/pg_restore" -Fd "${STOCK_JOBS:--j4}" -d "$(db_name "$2")" "$1"
		[[ $ERR == *"$STOCK_DEADLOCK"* ]] || return 0
		diag "pg_restore of $(basename "$1"), try $try: deadlock"
	done
}

roundtrip_source() { # DB: sets what others are compared with: $T/DB.{text,contents}
	run "${SERVER[@]}" "$TEST_PGBIN/pg_dump" -Fd -j2 -f "$T/$1.stock" -d "$(db_name "$1")"
	status_is 0 "$1: stock pg_dump takes it"
	stock_restore "$T/$1.stock" "${1}_stock" "$1"
	is "$RC $ERR" '0 ' "$1: stock pg_restore restores that"
	text_of "${1}_stock" "$T/$1.text"
	contents_of "${1}_stock" "$T/$1.contents"
	contents_of "$1" "$T/original.contents"
	is "$(diff "$T/original.contents" "$T/$1.contents" | sed -n 's/^< \([^|]*\).*/\1/p')" "${STALE_VIEWS-}" "$1: with all contents"
	db_drop "${1}_stock"
	rm -rf "$T/$1.stock"
}

came_back() { # DB SOURCE NAME
	text_of "$1" "$T/now.text"
	same_file "$T/$2.text" "$T/now.text" "$3: the text of pg_dump is the same"
	contents_of "$1" "$T/now.contents"
	same_file "$T/$2.contents" "$T/now.contents" "$3: so are all contents"
}

roundtrip() { # DB LABEL [SETTING...]
	local source=$1 label="$1, $2" id
	local -a migsafe=("${SERVER[@]}" DATABASE_URL="$(db_url "$1" "${ROUNDTRIP_ROLE:-postgres}")" MIGSAFE_BACKUP_DIR="$T/backups" "${@:3}" "$MIGSAFE")
	run "${migsafe[@]}" backup --kind full --json
	status_is 0 "$label: backed up" || return
	id=$(jq -r '.backups[0].id' <<<"$OUT")
	[ -z "${AFTER_BACKUP-}" ] || "$AFTER_BACKUP" "$T/backups/$id"

	db_drop restored
	run "${migsafe[@]}" restore "$id" --into "$(db_name restored)" --yes
	status_is 0 "$label: restored" && came_back restored "$source" "$label, restored"
	db_drop restored
	run "${migsafe[@]}" verify "$id" --level restore
	status_is 0 "$label: verified, the content of every table"
	exported "$id" "$source" "$label, exported" "${migsafe[@]}"

	stock_only "$id" "$source" "$label"
	rm -rf "$T/backups"
}

# Through psql, with the data as COPY and as INSERT.
exported() { # ID SOURCE LABEL MIGSAFE...
	local how
	for how in '' --inserts; do
		new_like exported "$2"
		"${@:4}" export "$1" ${how:+"$how"} --output "$T/exported.sql" >"$T/exported.log" 2>&1 || cat "$T/exported.log"
		psql_as postgres exported -f "$T/exported.sql" >"$T/exported.log" 2>&1 && came_back exported "$2" "$3 $how" ||
			fail "$3 $how: psql loads it" "$(grep -a '^psql:' "$T/exported.log" | cut -c 1-300 | head -n 5)"
		db_drop exported
		rm -f "$T/exported.sql"
	done
}

# As somebody would who has the folder and no migsafe.
stock_only() { # ID SOURCE LABEL
	if [ "$("$TEST_PGBIN/pg_restore" --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')" -lt 16 ] && compgen -G "$T/backups/$1/*.zst" >/dev/null; then
		zstd -q -d --rm "$T/backups/$1"/*.zst || bail 'zstd'
	fi
	stock_restore "$T/backups/$1" by_stock "$2"
	is "$RC $ERR" '0 ' "$3: stock pg_restore -Fd ${STOCK_JOBS:--j4} reads the folder" && came_back by_stock "$2" "$3, by stock pg_restore"
	db_drop by_stock
}

server_env
