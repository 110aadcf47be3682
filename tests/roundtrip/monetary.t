#!/usr/bin/env bash
# Values that only the settings of their database make readable come back: money of another locale, and the styles of dates.
root=$(cd "$(dirname "$0")/../.." && pwd)
if [ -z "${ROUNDTRIP_INSIDE-}" ]; then
	# Made here, because a machine has only the locales that its owner wanted.
	folder=$(mktemp -d /tmp/ml.XXXXXX) && chmod 0755 "$folder" || exit
	if ! localedef -i de_DE -f UTF-8 "$folder/de_DE.UTF-8" 2>"$folder/log"; then
		printf '1..0 # SKIP the locale de_DE could not be made: %s\n' "$(head -n 1 "$folder/log")"
		rm -rf "$folder"
		exit
	fi
	env -u TEST_PGHOST LOCPATH="$folder" ROUNDTRIP_INSIDE=1 "$root/scripts/with-cluster.sh" "$0"
	status=$?
	rm -rf "$folder"
	exit "$status"
fi
# shellcheck source=tests/lib.sh
. "$root/tests/lib.sh"
# shellcheck source=tests/roundtrip/roundtrip.sh
. "$ROOT/tests/roundtrip/roundtrip.sh"

set_database() { # NAME
	local setting
	for setting in "lc_monetary = 'de_DE.UTF-8'" "datestyle = 'SQL, DMY'" "intervalstyle = 'sql_standard'" "timezone = 'America/St_Johns'" \
		"extra_float_digits = -5" "bytea_output = 'escape'" "search_path = 'shop'" "standard_conforming_strings = off"; do
		sql postgres "ALTER DATABASE \"$(db_name "$1")\" SET $setting"
	done
}

db_create euro
sql euro "ALTER DATABASE \"$(db_name euro)\" SET lc_monetary = 'de_DE.UTF-8'"
sql euro <<'END' || bail 'euro'
CREATE SCHEMA shop;
CREATE TABLE shop.prices (id int PRIMARY KEY, price money DEFAULT '1234.5'::numeric::money, at timestamp, span interval, f float8, b bytea, CHECK (price < 100000000::numeric::money));
INSERT INTO shop.prices SELECT i, (i * 1234.56)::numeric::money, timestamp '2026-02-01 03:04:05' + i * interval '1 day', i * interval '1 mon -1 day 2 s', i / 7.0, decode(md5(i::text), 'hex') FROM generate_series(1, 500) i;
END
like "$(sql euro 'SELECT price FROM shop.prices WHERE id = 1')" '1\.234,56' 'the locale is there'
set_database euro
sql postgres "ALTER DATABASE \"$(db_name euro)\" SET default_transaction_read_only = on"
# What the stock pg_restore is given needs the settings before it starts; migsafe must bring them itself.
AFTER_NEW=set_database
roundtrip_source euro
roundtrip euro 'split' MIGSAFE_JOBS=4 MIGSAFE_SPLIT_SIZE=8kB
done_testing
