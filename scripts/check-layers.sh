#!/bin/sh
# The dependency rule: a folder includes only itself and folders left of it.
#   base < ext < core < steps < http < cmd < main.c      (sql/ and files/ hold text: from core on)
# A third-party header is included by one pair of files in ext/ only, and every header compiles alone.
set -eu
cd "$(dirname "$0")/.."
files=$(find orchestrator -name '*.[ch]' | sort)
# shellcheck disable=SC2086
awk '
BEGIN { n = split("base ext sql files core steps http cmd", order); for (i = 1; i <= n; i++) rank[order[i]] = i }
FNR == 1 { split(FILENAME, part, "/"); me = part[2] in rank ? rank[part[2]] : 99 }
match($0, /^#[ \t]*include "[a-z_]+\//) {
	dir = substr($0, RSTART, RLENGTH); sub(/.*"/, "", dir); sub(/\/$/, "", dir)
	if (!(dir in rank) || rank[dir] > me) { print FILENAME ":" FNR ": " $0; bad = 1 }
}
match($0, /^#[ \t]*include <(libpq-fe|git2|cjson\/|zlib|zstd|libdeflate|isa-l|pg_query|openssl\/|curl\/|microhttpd)/) {
	if (part[2] != "ext") { print FILENAME ":" FNR ": third-party header outside ext/: " $0; bad = 1 }
	library = $0; sub(/.*</, "", library); sub(/[\/.>].*/, "", library)
	if (library in owner && owner[library] != FILENAME) {
		print FILENAME ":" FNR ": " library " belongs to " owner[library]; bad = 1 }
	owner[library] = FILENAME
}
END { exit bad }
' $files
bad=0
for header in $(find orchestrator -name '*.h' | sort); do
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -Iorchestrator -fsyntax-only -Wall -Wextra -Werror -x c "$header" ||
		{ echo "$header does not compile alone"; bad=1; }
done
exit $bad
