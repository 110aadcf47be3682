#!/usr/bin/env bash
# Proves a backup by restoring it into a new database, which is dropped again. See --help.
set -euo pipefail

usage() {
	cat <<'END'
usage: scripts/test_backup.sh FILE|ID

Restores a dump (.sql, .sql.gz, an archive of pg_dump), or the backup ID of "migsafe list", into a new
database of the same server, says how many tables and rows came out, and drops that database again, also
when something failed. A backup of migsafe is compared with what was read when it was taken, row for row,
and "migsafe list" shows what came of it ("migsafe verify --level restore"). The live database is not touched.

  MIGSAFE      the program, may be several words: docker compose run --rm -T migrate
  PROJECT_DIR  folder to work in, with .env (default: the one above this script's)

Exit status: 0 valid; 76 damaged; 64 usage, 66 no such file; others are those of migsafe.
END
}

die() { # STATUS MESSAGE
	printf 'test_backup.sh: %s\n' "$2" >&2
	exit "$1"
}

case $#:${1-} in
1:-h | 1:--help) usage && exit 0 ;;
1: | 1:-*) usage >&2 && exit 64 ;;
1:*) what=$1 ;;
*) usage >&2 && exit 64 ;;
esac

what_to_do=(restore -)
if [[ $what =~ ^[a-z0-9_]+_[0-9]{8}_[0-9]{6}_(full|data)(_[0-9]+)?$ ]]; then
	what_to_do=(verify "$what" --level restore)
	exec 3</dev/null
else
	[ -e "$what" ] || die 66 "there is no file $what"
	[[ -f $what && -r $what ]] || die 66 "$what is no file that can be read"
	exec 3<"$what"
fi

PATH=$PATH:/usr/local/bin
read -ra migsafe <<<"${MIGSAFE-}"
: "${migsafe[0]:=migsafe}"
CDPATH='' cd -- "${PROJECT_DIR:-$(dirname -- "${BASH_SOURCE[0]}")/..}" || die 71 'there is no such folder to work in'
printf -v name 'test_backup_%(%Y%m%d_%H%M%S)T_%d_%04x' -1 $$ $RANDOM
[ "${what_to_do[0]}" = verify ] || what_to_do+=(--into "$name" --drop)
status=0
"${migsafe[@]}" "${what_to_do[@]}" <&3 3<&- || status=$?
case $status in
0) printf 'valid: %s\n' "$what" ;;
76) die 76 "NOT VALID: $what" ;;
*) die "$status" "$what could not be tried" ;;
esac
