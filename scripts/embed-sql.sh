#!/bin/sh
# Turns orchestrator/sql/NAME.sql into C texts: embed-sql.sh OUT-FOLDER FILE...
# OUT-FOLDER/sql/queries.h declares `extern const char sql_NAME[];`, OUT-FOLDER/queries.c holds them.
# The files stay runnable in psql; comment lines ("--") are left out of the binary.
set -eu
out=$1
shift
mkdir -p "$out/sql"
{
	echo '/* made by scripts/embed-sql.sh: the queries of orchestrator/sql, one constant a file */'
	echo '#ifndef MIGSAFE_SQL_QUERIES_H'
	echo '#define MIGSAFE_SQL_QUERIES_H'
	for file in "$@"; do echo "extern const char sql_$(basename "$file" .sql)[];"; done
	echo '#endif'
} >"$out/sql/queries.h.new"
{
	echo '#include "sql/queries.h"'
	for file in "$@"; do
		echo "const char sql_$(basename "$file" .sql)[] ="
		sed -e '/^[[:space:]]*--/d' -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/    "&\\n"/' "$file"
		echo '    "";'
	done
} >"$out/queries.c.new"
for file in sql/queries.h queries.c; do
	if cmp -s "$out/$file.new" "$out/$file"; then rm "$out/$file.new"; else mv "$out/$file.new" "$out/$file"; fi
done
