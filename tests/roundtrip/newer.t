#!/usr/bin/env bash
# On a newer PostgreSQL than the one the other tests run on: round trips (zstd is read by its own pg_restore, large objects
# have another place in the archive), a deploy with the real Prisma that must be undone, health. TEST_NEWER: 17 (default) or 18.
major=${TEST_NEWER:-17}
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ -z "${ROUNDTRIP_INSIDE-}" ]; then
	ROOT=$root
	# shellcheck source=tests/roundtrip/newer.sh
	. "$root/tests/roundtrip/newer.sh"
	# shellcheck source=tests/roundtrip/extension.sh
	. "$root/tests/roundtrip/extension.sh"
	folder=$(mktemp -d /tmp/mn.XXXXXX) && chmod 0755 "$folder" || exit
	if pgbin=$(newer_pgbin "$folder" "$major" 2>"$folder/log"); then
		extension_files "$folder/native/share/postgresql/extension"
		env -u TEST_PGHOST TEST_PGBIN="$pgbin" ROUNDTRIP_INSIDE=1 "$root/scripts/with-cluster.sh" "$0"
	else
		sed 's/^/# /' "$folder/log"
		printf '1..0 # SKIP a newer PostgreSQL could not be fetched\n'
	fi
	status=$?
	rm -rf "$folder"
	exit "$status"
fi
# shellcheck source=tests/lib.sh
. "$root/tests/lib.sh"
# shellcheck source=tests/deploy/app.sh
. "$ROOT/tests/deploy/app.sh"
# shellcheck source=tests/roundtrip/roundtrip.sh
. "$ROOT/tests/roundtrip/roundtrip.sh"

version=$(sql postgres 'SHOW server_version_num')
like "$version" "^$major....\$" "the server is of version $major"

# --- everything that is awkward ------------------------------------------------------------------------
role_create reader
role_create writer
db_create awkward
run psql_as postgres awkward -v reader="$(role_name reader)" -v writer="$(role_name writer)" -f "$ROOT/tests/roundtrip/awkward.sql"
status_is 0 'the database was made' || bail 'nothing to test with'
roundtrip_source awkward
AFTER_BACKUP=packed_with_zstd
packed_with_zstd() { # FOLDER
	is "$(find "$1" -name '*.dat.gz' | wc -l)" 0 'what the server has by itself is used: no gzip'
	like "$(find "$1" -name '*.dat.zst' | wc -l)" '^[1-9]' 'but zstd'
}
roundtrip awkward 'auto, four jobs, split' MIGSAFE_JOBS=4 MIGSAFE_SPLIT_SIZE=64kB
AFTER_BACKUP=
roundtrip awkward 'gzip, one job' MIGSAFE_JOBS=1 MIGSAFE_COMPRESSION=gzip:1
db_drop awkward

# --- the main job --------------------------------------------------------------------------------------
shop_base
shop_new good
app_migration "$APP" good_add_column
migsafe_for good deploy --json
status_is 0 'a good migration is deployed'
migsafe_for good health
status_is 0 'and the database is healthy'

shop_new half
app_migration "$APP" fail_halfway
state_of half >"$T/before"
migsafe_for half deploy --json
status_is 20 'a migration that fails half-way ends with 20'
is "$(json .verdict)" restored 'restored'
unchanged_since "$T/before" half 'rows, schema, owner, rights and settings are as before'
no_side_databases half 'no side database is left'
done_testing
