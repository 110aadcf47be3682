#!/usr/bin/env bash
# Restores the database, with an emergency backup before and a check of its health after. See --help.
set -euo pipefail

usage() {
	cat <<'END'
usage: scripts/restore-from-backup.sh [--yes] [--no-backup] [ID|latest|FILE]

Backs up the database as it is now (migsafe backup, reason emergency), restores beside it and swaps
(migsafe restore), then checks it (migsafe health). The database that was there is kept under another
name. Without an argument lists the backups and asks which.

  latest       the newest full backup, emergency backups left out
  FILE         a dump: .sql, .sql.gz, an archive of pg_dump
  --yes        do not ask for the database's name; needed where there is no terminal
  --no-backup  no emergency backup: for a database that is too broken to be read

  MIGSAFE      the program, may be several words: docker compose run --rm -T migrate
  PROJECT_DIR  folder to work in, with .env (default: the one above this script's)

Exit status: that of the first part that failed; 12 restored, but not healthy; 64 usage or not confirmed,
66 no such backup or file.
END
}

die() { # STATUS MESSAGE
	printf 'restore-from-backup.sh: %s\n' "$2" >&2
	exit "$1"
}

what='' yes=() backup=1
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage && exit 0 ;;
	--yes) yes=(--yes) ;;
	--no-backup) backup= ;;
	-* | '') usage >&2 && exit 64 ;;
	*)
		[ -z "$what" ] || { usage >&2 && exit 64; }
		what=$1
		;;
	esac
	shift
done

id='^[a-z0-9_]+_[0-9]{8}_[0-9]{6}_(full|data)(_[0-9]+)?$'
from=$what
if [ -n "$what" ] && [ "$what" != latest ] && ! [[ $what =~ $id ]]; then
	[ -e "$what" ] || die 66 "there is no backup and no file $what"
	[[ -f $what && -r $what ]] || die 66 "$what is no file that can be read"
	exec 3<"$what"
	from=-
fi

PATH=$PATH:/usr/local/bin
read -ra migsafe <<<"${MIGSAFE-}"
: "${migsafe[0]:=migsafe}"
CDPATH='' cd -- "${PROJECT_DIR:-$(dirname -- "${BASH_SOURCE[0]}")/..}" || die 71 'there is no such folder to work in'

# Before the emergency backup, which must not be the latest.
if [ -z "$what" ]; then
	[ -t 0 ] || die 64 'there is no terminal to ask on: name a backup, a file, or latest'
	"${migsafe[@]}" list
	IFS= read -r -p 'Restore which backup (its ID, or latest)? ' from || exit 64
	[[ $from == latest || $from =~ $id ]] || die 64 'that is no ID of a backup, nothing is done'
fi
if [ "$from" = latest ]; then
	from=$("${migsafe[@]}" list </dev/null | tr -d '\r' |
		awk '$2 == "full" && $3 != "damaged" && $3 != "emergency" { id = $1 } END { print id }')
	[ -n "$from" ] || die 66 'there is no full backup'
	printf 'latest: %s\n' "$from"
fi

if [ -n "$backup" ]; then
	[ "$from" = - ] || "${migsafe[@]}" restore "$from" --dry-run </dev/null
	"${migsafe[@]}" backup --reason emergency --label 'before restore-from-backup.sh' </dev/null ||
		die $? 'without an emergency backup nothing is done; --no-backup goes on without one'
fi
if [ "$from" = - ]; then
	# On standard input: a container cannot see the file.
	"${migsafe[@]}" restore - "${yes[@]}" <&3 3<&-
else
	"${migsafe[@]}" restore "$from" "${yes[@]}"
fi
"${migsafe[@]}" health </dev/null
