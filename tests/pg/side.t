#!/usr/bin/env bash
# A side database is like the live one - encoding, locale, tablespace -, has a name that fits and a
# mark, and never takes or drops what is not ours.
. "$(dirname "$0")/../lib.sh"

MIGSAFE_BACKUP_DIR=$T/backups
export DATABASE_URL MIGSAFE_BACKUP_DIR

restored() { # DB: backs it up and restores it; the document in $OUT
	DATABASE_URL=$(db_url "$1")
	run "$MIGSAFE" backup --kind full --json
	[ "$RC" = 0 ] || bail "backup: $ERR"
	run "$MIGSAFE" restore "$(jq -r '.backups[0].id' <<<"$OUT")" --yes --json
	[ "$RC" = 0 ] || diag "$ERR"
}

like_what() { # DB -> what CREATE DATABASE is told
	sql postgres "SELECT pg_encoding_to_char(encoding), datcollate, datctype, to_jsonb(d) ->> 'datlocprovider',
		coalesce(to_jsonb(d) ->> 'daticulocale', to_jsonb(d) ->> 'datlocale'), spcname
		FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = '$(db_name "$1")'"
}

create_like() { # DB OPTIONS
	sql postgres "CREATE DATABASE \"$(db_name "$1")\" TEMPLATE template0 $2"
	sql "$1" "CREATE TABLE t (v text); INSERT INTO t VALUES ('b'), ('a')"
}

# --- encoding, locale, tablespace -----------------------------------------------------------------

create_like latin "ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'"
create_like ascii "ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C'"
mixed=$(sql postgres "SELECT EXISTS (SELECT FROM pg_collation WHERE collname LIKE 'C.%')")
[ "$mixed" = t ] && create_like mixed "ENCODING UTF8 LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
sql postgres "CREATE DATABASE \"$(db_name icu)\" TEMPLATE template0 ENCODING UTF8 LOCALE_PROVIDER icu ICU_LOCALE 'de-u-kn-true'" 2>/dev/null &&
	sql icu "CREATE TABLE t (v text)"
mkdir -m 0777 space && chmod 0755 "$T" && chmod 0777 space
[ "$(id -u)" != 0 ] || chown postgres space
sql postgres "CREATE TABLESPACE \"${TEST_PREFIX}space\" LOCATION '$T/space'" || bail "tablespace"
create_like spaced "TABLESPACE \"${TEST_PREFIX}space\""
for db in latin ascii mixed icu spaced; do
	db_exists "$db" || continue
	was=$(like_what "$db")
	old_oid=$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$(db_name $db)'")
	restored "$db"
	status_is 0 "restored: $db"
	is "$(like_what "$db")" "$was" "$db: made like it was"
	isnt "$(sql postgres "SELECT oid FROM pg_database WHERE datname = '$(db_name $db)'")" "$old_oid" "$db: another database"
	db_drop "$(jq -r .kept_database <<<"$OUT")"
done

# A tablespace asks for a right of its own.
role_create plain CREATEDB
sql postgres "ALTER DATABASE \"$(db_name spaced)\" OWNER TO \"$(role_name plain)\""
sql spaced "ALTER TABLE t OWNER TO \"$(role_name plain)\""
DATABASE_URL=$(db_url spaced plain)
run "$MIGSAFE" backup --kind full --json
id=$(jq -r '.backups[0].id' <<<"$OUT")
run "$MIGSAFE" restore "$id" --yes
status_is 11 "a tablespace that the role may not use"
like "$ERR" "GRANT CREATE ON TABLESPACE \"${TEST_PREFIX}space\" TO \"$(role_name plain)\"" "what helps"
sql postgres "GRANT CREATE ON TABLESPACE \"${TEST_PREFIX}space\" TO \"$(role_name plain)\""
run "$MIGSAFE" restore "$id" --yes --json
status_is 0 "with that right it works"
db_drop "$(jq -r .kept_database <<<"$OUT")"
db_drop spaced
sql postgres "DROP TABLESPACE \"${TEST_PREFIX}space\""

# --- names ------------------------------------------------------------------------------------------

for db in Shop shop 'shop.v2' "s'q" 'a_name_of_a_database_that_is_as_long_as_it_may' "a_name_of_a_database_that_is_as_long_as_it_can"; do
	sql postgres "CREATE DATABASE \"$TEST_PREFIX$db\" TEMPLATE template0"
	DATABASE_URL=$(db_url "$TEST_PREFIX$db")
	run "$MIGSAFE" backup --kind full --json
	run "$MIGSAFE" restore "$(jq -r '.backups[0].id' <<<"$OUT")" --yes --json
	status_is 0 "a database called $db"
	kept=$(jq -r .kept_database <<<"$OUT")
	like "$kept" '^[a-z0-9_]{1,63}$' "$db: the kept one has a plain name"
	case $db in
	shop) is "$kept" "${TEST_PREFIX}shop__migsafe_kept_$(jq -r .run <<<"$OUT")" "$db: which shows where it comes from" ;;
	*) like "$kept" "_[0-9a-f]{8}__migsafe_kept_$(jq -r .run <<<"$OUT")\$" "$db: told apart by a hash" ;;
	esac
done
sql postgres "DROP DATABASE \"${TEST_PREFIX}s'q\""

# --- a backup that cannot be used ---------------------------------------------------------------------

db_create app
sql app 'CREATE TABLE t (a int)'
DATABASE_URL=$(db_url app)
run "$MIGSAFE" backup --kind full --json
status_is 0 "a backup to damage"
id=$(jq -r '.backups[0].id' <<<"$OUT")
printf x >>"$MIGSAFE_BACKUP_DIR/$id/toc.dat"
before=$(db_list)
run "$MIGSAFE" restore "$id" --into "$(db_name new)"
status_is 76 "a damaged backup"
is "$(db_list)" "$before" "makes no database"
is "$(sql postgres "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'migsafe%' AND starts_with(datname, '$TEST_PREFIX')")" 0 \
	"and no session of ours stays"
done_testing
