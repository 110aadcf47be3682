#!/usr/bin/env bash
# Restores a backup or a dump beside the live database and swaps it in. See --help.
set -euo pipefail

usage() {
	cat <<'END'
usage: scripts/restore_database.sh [--yes] FILE|ID

Restores a dump (.sql, .sql.gz, an archive of pg_dump), or the backup ID of "migsafe list", into a new
database, which then takes the place of the live one in a moment. The one that was there is kept under
another name. Asks for the database's name; where there is no terminal, --yes is needed.

  MIGSAFE      the program, may be several words: docker compose run --rm -T migrate
  PROJECT_DIR  folder to work in, with .env (default: the one above this script's)

Exit status: that of migsafe; 64 usage or not confirmed, 66 no such file.
END
}

die() { # STATUS MESSAGE
	printf 'restore_database.sh: %s\n' "$2" >&2
	exit "$1"
}

what='' yes=()
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage && exit 0 ;;
	--yes) yes=(--yes) ;;
	-* | '') usage >&2 && exit 64 ;;
	*)
		[ -z "$what" ] || { usage >&2 && exit 64; }
		what=$1
		;;
	esac
	shift
done
[ -n "$what" ] || { usage >&2 && exit 64; }

id='^[a-z0-9_]+_[0-9]{8}_[0-9]{6}_(full|data)(_[0-9]+)?$'
if ! [[ $what =~ $id ]]; then
	[ -e "$what" ] || die 66 "there is no file $what"
	[[ -f $what && -r $what ]] || die 66 "$what is no file that can be read"
	exec 3<"$what"
fi

PATH=$PATH:/usr/local/bin
read -ra migsafe <<<"${MIGSAFE-}"
: "${migsafe[0]:=migsafe}"
CDPATH='' cd -- "${PROJECT_DIR:-$(dirname -- "${BASH_SOURCE[0]}")/..}" || die 71 'there is no such folder to work in'
[[ $what =~ $id ]] && exec "${migsafe[@]}" restore "$what" "${yes[@]}"
# On standard input: a container cannot see the file.
exec "${migsafe[@]}" restore - "${yes[@]}" <&3 3<&-
