#!/usr/bin/env bash
# All that can be known about the code without running it: format, layers, sizes, both compilers,
# clang-tidy, gcc's analyzer, shellcheck.
#
# What passed once is not looked at again: build/lint has a stamp for each file, named by a hash of
# the file, the headers of ours that it includes, the flags and the tool.
set -euo pipefail
cd "$(dirname "$0")/.."

LINES_MAX=700

usage() {
	cat <<'END'
usage: scripts/lint.sh [PART...]

Checks the code; PART is one of: format layers size gcc clang tidy analyzer shell (default: all).

  LINT_JOBS   files at a time (default: processors)

The last line is "N passed, N failed", counted in parts. Exit status: 0 all passed; 1 some failed;
64 usage; 69 a tool is missing, scripts/setup.sh --lint installs them.
END
}

PARTS=(format layers size gcc clang tidy analyzer shell)
case ${1-} in
-h | --help) usage && exit 0 ;;
esac
for part in "$@"; do
	case " ${PARTS[*]} " in *" $part "*) ;; *) usage >&2 && exit 64 ;; esac
done
[ $# = 0 ] || PARTS=("$@")

missing=0
for tool in clang-format gcc clang clang-tidy shellcheck make awk; do
	command -v "$tool" >/dev/null && continue
	printf 'lint: %s is missing; scripts/setup.sh --lint installs it\n' "$tool" >&2
	missing=1
done
[ "$missing" = 0 ] || exit 69

mkdir -p build/lint
make -s build/gen/sql/queries.h build/gen/files/embedded.h

flags_of() { # COMPILER MODE -> the flags that the Makefile gives it
	make -s --no-print-directory --eval="lint-flags: ; @echo '\$(CPPFLAGS) \$(CFLAGS)'" \
		CC="$1" MODE="$2" STRICT=1 lint-flags
}

# The analyzers leave the tests out: a CHECK goes on where a NULL would follow, and is a branch more.
sources() { # PART -> the .c files that it is for
	case $1 in
	gcc | clang) find orchestrator tests/unit -name '*.c' | LC_ALL=C sort ;;
	*) find orchestrator -name '*.c' | LC_ALL=C sort ;;
	esac
}

# --- one file -------------------------------------------------------------------------------------

check_file() { # PART FILE: quiet when it passes
	local part=$1 file=$2 stamp includes
	local -a flags
	read -ra flags <<<"$LINT_FLAGS"
	includes=$("$LINT_CC" "${flags[@]}" -w -MM "$file" | sed -e 's/^[^:]*://' -e 's/\\$//')
	# shellcheck disable=SC2086 # one word each
	stamp=build/lint/$part-$({ printf '%s\n' "$LINT_KEY" "$file" && cat $includes; } | sha256sum | cut -c1-32)
	[ ! -e "$stamp" ] || return 0
	case $part in
	gcc | analyzer) gcc "${flags[@]}" -c -o /dev/null "$file" ;;
	clang) clang "${flags[@]}" -fsyntax-only "$file" ;;
	tidy) clang-tidy --quiet "$file" -- "${flags[@]}" 2> >(grep -vE '^[0-9]+ warnings? (generated|treated as errors)|^$' >&2) ;;
	esac || return 1
	: >"$stamp"
}

each_source() { # PART: its check for all files, some at a time
	export -f check_file
	# shellcheck disable=SC2016 # the inner shell expands
	sources "$1" | xargs -P "${LINT_JOBS:-$(nproc)}" -n 1 \
		bash -c 'text=$(check_file "$0" "$1" 2>&1) || { printf "%s\n" "$text" "lint: $0: $1"; exit 1; }' "$1"
}

compiled() { # PART COMPILER MODE
	local LINT_CC=$2 LINT_FLAGS LINT_KEY
	LINT_FLAGS=$(flags_of "$2" "$3")
	LINT_KEY="$("$2" --version | head -n 1)"
	if [ "$1" = tidy ]; then
		# Without its warnings, which are a part of their own, and without optimisation: it makes the
		# C library's headers put function bodies where calls are.
		LINT_FLAGS=$(printf '%s' "$LINT_FLAGS" | sed -E 's/ -(W|O)[^ ]*//g')
		LINT_KEY="$(clang-tidy --version) $(cat .clang-tidy)"
	fi
	LINT_KEY="$LINT_FLAGS $LINT_KEY"
	export LINT_CC LINT_FLAGS LINT_KEY
	each_source "$1"
}

# --- the parts ------------------------------------------------------------------------------------

part_format() {
	find orchestrator tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
}

part_layers() {
	scripts/check-layers.sh
}

part_size() {
	find orchestrator tests scripts -type f \( -name '*.[ch]' -o -name '*.sql' -o -name '*.sh' -o -name '*.t' \) -print0 |
		xargs -0 awk -v most="$LINES_MAX" '
			FNR == most + 1 { print FILENAME ": more than " most " lines"; bad = 1 }
			END { exit bad }'
}

part_gcc() {
	compiled gcc gcc release
}

part_clang() {
	compiled clang clang debug
}

part_tidy() {
	compiled tidy clang debug
}

part_analyzer() {
	compiled analyzer gcc analyze
}

part_shell() {
	local -a files
	mapfile -t files < <(
		find . \( -path ./build -o -name node_modules -o -name .git \) -prune -o -type f -size -200k -print |
			LC_ALL=C sort | while IFS= read -r file; do
			IFS= read -r first <"$file" 2>/dev/null || true
			case $first in '#!'*[/\ ]sh | '#!'*[/\ ]sh\ * | '#!'*bash*) printf '%s\n' "$file" ;; esac
		done 2>/dev/null
	)
	printf '%s\0' "${files[@]}" | xargs -0 -n 8 -P "${LINT_JOBS:-$(nproc)}" shellcheck -x -P SCRIPTDIR -e SC1091,SC2317
}

passed=0 failed=0
for part in "${PARTS[@]}"; do
	started=$SECONDS
	if "part_$part"; then
		passed=$((passed + 1)) result=ok
	else
		failed=$((failed + 1)) result=FAILED
	fi
	printf 'lint: %-8s %s (%d s)\n' "$part" "$result" $((SECONDS - started))
done
# Stamps of code that is no more.
find build/lint -type f -mtime +30 -delete
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
