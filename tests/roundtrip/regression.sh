# PostgreSQL's own regression database, built by its regression tests; sourced after tests/lib.sh.
# shellcheck shell=bash
# shellcheck source=tests/roundtrip/debian.sh
. "$ROOT/tests/roundtrip/debian.sh"

# Slow ones, those about the server as a whole, and those that leave nothing in the database.
REGRESSION_WITHOUT='numeric_big select_parallel stats guc sysviews tablespace subscription psql psql_crosstab random
	advisory_lock prepared_xacts misc_sanity opr_sanity sanity_check type_sanity oidjoins regproc write_parallel amutils
	select_views security_label vacuum_parallel predicate infinite_recurse hash_func pg_lsn txid compression sqljson
	event_trigger oid8'

regression_files() { # FOLDER -> names in the order of the schedule
	local name
	sed -n 's/^test: *//p' "$1/parallel_schedule" | tr ' ' '\n' | while read -r name; do
		[[ " ${REGRESSION_WITHOUT//[$'\n\t']/ } " == *" $name "* ]] || printf '%s\n' "$name"
	done
}

# Tests of functions written in C fail, for want of a compiled regress.so; what the others leave is what counts.
regression_build() { # FOLDER DB: makes the database NAME of the tests in FOLDER, in a server of its own
	local folder name files=0
	# The server reads and writes files there.
	folder=$(mktemp -d /tmp/mreg.XXXXXX) && cp -R "$1/." "$folder" && mkdir -p "$folder/results" && chmod -R a+rwX "$folder" || return
	sql postgres "CREATE DATABASE $2 TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'" || return
	sql postgres <<-END
		ALTER DATABASE $2 SET timezone = 'PST8PDT';
		ALTER DATABASE $2 SET datestyle = 'postgres, MDY';
		ALTER DATABASE $2 SET intervalstyle = 'postgres_verbose';
		ALTER DATABASE $2 SET lc_messages = 'C';
		ALTER DATABASE $2 SET allow_in_place_tablespaces = on;
	END
	for name in $(regression_files "$1"); do
		(cd "$folder" && PG_ABS_SRCDIR=$folder PG_ABS_BUILDDIR=$folder PG_LIBDIR=$folder PG_DLSUFFIX=.so timeout 120 \
			"$TEST_PGBIN/psql" -X -a -q -h "$TEST_PGHOST" -p "$TEST_PGPORT" -U postgres -d "$2" \
			-v HIDE_TABLEAM=on -v HIDE_TOAST_COMPRESSION=on) <"$folder/sql/$name.sql" >"$folder/results/$name.out" 2>&1
		files=$((files + 1))
	done
	[ -z "${REGRESSION_KEEP-}" ] || cp -R "$folder/results" "$REGRESSION_KEEP"
	rm -rf "$folder"
	diag "regression database: $files files run"
}
