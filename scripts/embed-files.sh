#!/bin/sh
# Turns files of the project into C texts: embed-files.sh OUT-FOLDER FILE...
# OUT-FOLDER/files/embedded.h declares `extern const char file_PATH[];` (what is no letter or digit in
# PATH is _), OUT-FOLDER/embedded.c holds them byte for byte. A file must end with a newline.
set -eu
case ${1-} in -h | --help) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p;}' "$0" && exit 0 ;; esac
out=$1
shift
mkdir -p "$out/files"
name() {
	printf '%s' "$1" | tr -c 'a-zA-Z0-9' '_'
}
{
	echo '/* made by scripts/embed-files.sh: what migsafe init writes into projects */'
	echo '#ifndef MIGSAFE_FILES_EMBEDDED_H'
	echo '#define MIGSAFE_FILES_EMBEDDED_H'
	for file in "$@"; do echo "extern const char file_$(name "$file")[];"; done
	echo '#endif'
} >"$out/files/embedded.h.new"
{
	echo '#include "files/embedded.h"'
	for file in "$@"; do
		echo "const char file_$(name "$file")[] ="
		sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/.*/    "&\\n"/' "$file"
		echo '    "";'
	done
} >"$out/embedded.c.new"
for file in files/embedded.h embedded.c; do
	if cmp -s "$out/$file.new" "$out/$file"; then rm "$out/$file.new"; else mv "$out/$file.new" "$out/$file"; fi
done
