#!/usr/bin/env bash
# A database of all that is known to be hard to copy comes back, whatever its backup is packed with.
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ -z "${ROUNDTRIP_INSIDE-}" ]; then
	# shellcheck source=tests/roundtrip/extension.sh
	. "$root/tests/roundtrip/extension.sh"
	folder=$(mktemp -d /tmp/mx.XXXXXX) && pgbin=$(server_with_extension "${TEST_PGBIN:-/usr/lib/postgresql/15/bin}" "$folder") || exit
	env -u TEST_PGHOST TEST_PGBIN="$pgbin" ROUNDTRIP_INSIDE=1 "$root/scripts/with-cluster.sh" "$0"
	status=$?
	rm -rf "$folder"
	exit "$status"
fi
# shellcheck source=tests/lib.sh
. "$root/tests/lib.sh"
# shellcheck source=tests/roundtrip/roundtrip.sh
. "$ROOT/tests/roundtrip/roundtrip.sh"

role_create reader
role_create writer
db_create awkward
run psql_as postgres awkward -v reader="$(role_name reader)" -v writer="$(role_name writer)" -f "$ROOT/tests/roundtrip/awkward.sql"
status_is 0 'the database was made' || bail 'nothing to test with'

roundtrip_source awkward
text_of awkward "$T/original.text"
same_file "$T/original.text" "$T/awkward.text" 'stock pg_dump and pg_restore bring all of it over'

roundtrip awkward 'gzip, one job' MIGSAFE_COMPRESSION=gzip:1 MIGSAFE_JOBS=1
AFTER_BACKUP=is_split
is_split() { # FOLDER: by the members of gzip, which would be one for each MiB of text
	local file
	file=$1/$(jq -r '.tables[] | select(.name == "split_plain") | .file' "$1/manifest.json")
	[[ $file == *.gz ]] || return 0
	like "$(LC_ALL=C grep -aoP '\x1f\x8b\x08' "$file" | wc -l)" '^[1-9][0-9]+$' 'a large table was copied in parts'
}
roundtrip awkward 'gzip, four jobs, split' MIGSAFE_COMPRESSION=gzip:1 MIGSAFE_JOBS=4 MIGSAFE_SPLIT_SIZE=64kB
roundtrip awkward 'zstd, four jobs, split' MIGSAFE_COMPRESSION=zstd:3 MIGSAFE_JOBS=4 MIGSAFE_SPLIT_SIZE=64kB
# shellcheck disable=SC2034 # for roundtrip
AFTER_BACKUP=
# shellcheck disable=SC2034 # for roundtrip: the order in the archive alone must do
STOCK_JOBS=-j1
roundtrip awkward 'nothing, two jobs' MIGSAFE_COMPRESSION=none MIGSAFE_JOBS=2
done_testing
