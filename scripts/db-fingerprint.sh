#!/usr/bin/env bash
# Prints the whole state of a database as text, the same text for the same state.
#
# Rule of use: two moments, or two databases, are the same when cmp finds no difference. The name of
# the database, the order of rows and the age of anything do not count; everything a rollback must
# bring back does: rows, sequences, large objects, schema with owners and grants, and what PostgreSQL
# keeps outside of a dump (owner, ACL, comment, connection limit, encoding, settings).
set -euo pipefail

usage() {
	cat <<'END'
usage: scripts/db-fingerprint.sh DATABASE

The server is the one of TEST_PGHOST and TEST_PGPORT (as postgres), otherwise that of PGHOST,
PGPORT and PGUSER. Needs a role that may read everything.
END
}

case ${1-} in
-h | --help) usage && exit 0 ;;
"" | -*) usage >&2 && exit 64 ;;
esac
[ $# = 1 ] || { usage >&2 && exit 64; }

if [ -n "${TEST_PGHOST-}" ]; then
	export PGHOST=$TEST_PGHOST PGPORT=${TEST_PGPORT:-5432} PGUSER=postgres
fi
[ -z "${TEST_PGBIN-}" ] || PATH=$TEST_PGBIN:$PATH
# Fixed here because the database may have settings of its own.
PGOPTIONS='-c lock_timeout=30s -c datestyle=iso,ymd -c intervalstyle=postgres -c timezone=UTC'
PGOPTIONS+=' -c extra_float_digits=1 -c bytea_output=hex -c row_security=off -c client_min_messages=warning'
export PGOPTIONS PGCLIENTENCODING=UTF8

# A connection string, so that a name with = or a slash is taken for a name all the same.
escaped=${1//\\/\\\\}
database="dbname='${escaped//\'/\\\'}'"

psql -XAtq -v ON_ERROR_STOP=1 -d "$database" <<'END'
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;

SELECT 'database owner ' || pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database();
SELECT format('database connection limit %s, encoding %s, collate %s, ctype %s, provider %s, icu %s, tablespace %s, template %s',
	datconnlimit, pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider,
	coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'), spcname, datistemplate)
FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = current_database();
SELECT 'database comment ' || coalesce(quote_literal(shobj_description(oid, 'pg_database')), 'none')
FROM pg_database WHERE datname = current_database();
SELECT 'database label ' || provider || ' ' || quote_literal(label)
FROM pg_shseclabel JOIN pg_database d ON d.oid = objoid AND classoid = 'pg_database'::regclass
WHERE datname = current_database() ORDER BY 1;
SELECT format('database grant %s to %s by %s%s', privilege_type,
	CASE grantee WHEN 0 THEN 'public' ELSE pg_get_userbyid(grantee) END, pg_get_userbyid(grantor),
	CASE WHEN is_grantable THEN ' with grant option' END) COLLATE "C" AS line
FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba)))
WHERE datname = current_database() ORDER BY line;
SELECT format('setting of %s: %s', CASE setrole WHEN 0 THEN 'everyone' ELSE pg_get_userbyid(setrole) END, setting) COLLATE "C" AS line
FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase, unnest(setconfig) AS setting
WHERE datname = current_database() ORDER BY line;

SELECT format('SELECT %L, count(*), md5(string_agg(line, NULL ORDER BY line))
	FROM (SELECT md5(migsafe_row::text) COLLATE "C" AS line FROM ONLY %I.%I AS migsafe_row) AS lines',
	'table ' || nspname || '.' || relname, nspname, relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE (relkind = 'r' OR relkind = 'm' AND relispopulated) AND nspname !~ '^pg_' AND nspname <> 'information_schema'
ORDER BY nspname COLLATE "C", relname COLLATE "C" \gexec

SELECT format('SELECT %L, last_value, is_called FROM %I.%I', 'sequence ' || nspname || '.' || relname, nspname, relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'S' AND nspname !~ '^pg_' AND nspname <> 'information_schema'
ORDER BY nspname COLLATE "C", relname COLLATE "C" \gexec

SELECT 'large object ' || oid, pg_get_userbyid(lomowner), lomacl, md5(lo_get(oid))
FROM pg_largeobject_metadata ORDER BY oid;
COMMIT;
END

# Each dump has a random word of its own in its \restrict lines.
pg_dump --schema-only -d "$database" | sed '/^\\\(un\)\{0,1\}restrict /d'
