#!/usr/bin/env bash
# A full backup by migsafe, and the same as one file for gunzip and psql. See --help.
set -euo pipefail

usage() {
	cat <<'END'
usage: scripts/backup_database.sh [--reason REASON]

Takes a full backup (migsafe backup, reason daily) and writes it as <db>_backup_YYYYMMDD_HHMMSS.sql.gz
(UTC) into BACKUP_DIR; prints the file's name. Then removes such files of that database that are older
than BACKUP_RETENTION_DAYS, by the time in their names. Restore one with restore_database.sh, or

  gunzip -c FILE | psql -v ON_ERROR_STOP=1 DATABASE

  --reason REASON  daily, weekly, hourly, manual: how long migsafe keeps its own backup

  BACKUP_DIR             folder of the files (default ./backups)
  BACKUP_RETENTION_DAYS  default 7
  MIGSAFE                the program, may be several words: docker compose run --rm -T migrate
  PROJECT_DIR            folder to work in, with .env (default: the one above this script's)

The first two may also stand in .env. The rest is migsafe's: see "migsafe settings".
Exit status: that of migsafe; 64 usage, 71 file or folder, 74 the file came damaged, 78 a setting.
END
}

die() { # STATUS MESSAGE
	printf 'backup_database.sh: %s\n' "$2" >&2
	exit "$1"
}

reason=daily
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage && exit 0 ;;
	--reason=*) reason=${1#*=} ;;
	--reason)
		[ $# -gt 1 ] || { usage >&2 && exit 64; }
		reason=$2
		shift
		;;
	*) usage >&2 && exit 64 ;;
	esac
	shift
done

PATH=$PATH:/usr/local/bin # cron's is short
read -ra migsafe <<<"${MIGSAFE-}"
: "${migsafe[0]:=migsafe}"
CDPATH='' cd -- "${PROJECT_DIR:-$(dirname -- "${BASH_SOURCE[0]}")/..}" || die 71 'there is no such folder to work in'

# The program may stand in a container where the folders have other names, so it is not asked.
setting() { # NAME DEFAULT: from the environment, else from .env
	local value=${!1-}
	if [ -z "$value" ] && [ -f .env ]; then
		value=$(tr -d '\r' <.env | sed -nE "s/^[[:blank:]]*(export[[:blank:]]+)?$1[[:blank:]]*=[[:blank:]]*//p" | tail -n 1 |
			sed -E -e 's/^"([^"]*)".*/\1/;t' -e "s/^'([^']*)'.*/\\1/;t" -e 's/[[:blank:]]+#.*//' -e 's/[[:blank:]]+$//')
	fi
	printf '%s\n' "${value:-$2}"
}
folder=$(setting BACKUP_DIR ./backups)
days=$(setting BACKUP_RETENTION_DAYS 7)
[[ $days =~ ^[0-9]{1,5}$ ]] || die 78 "BACKUP_RETENTION_DAYS is no number of days: $days"
umask 077
mkdir -p -- "$folder" || die 71 "the folder $folder cannot be made"

made=$("${migsafe[@]}" backup --kind full --reason "$reason" </dev/null)
printf '%s\n' "$made" >&2
[[ $made =~ (^|$'\n')(([a-z0-9_]+)_([0-9]{8}_[0-9]{6})_full((_[0-9]+)?))\  ]] ||
	die 74 'migsafe did not say which backup it made'
id=${BASH_REMATCH[2]}
database=${BASH_REMATCH[3]}
file=${folder%/}/${database}_backup_${BASH_REMATCH[4]}${BASH_REMATCH[5]}.sql.gz
[ ! -e "$file" ] || die 71 "$file exists already"

aside=$(mktemp -- "${folder%/}/.${database}_backup.XXXXXX") || die 71 "cannot write in $folder"
trap 'rm -f -- "$aside"' EXIT
trap 'exit 130' INT TERM HUP
"${migsafe[@]}" export "$id" --gzip --clean --no-owner --no-acl </dev/null >"$aside"
gzip -t <"$aside" 2>/dev/null ||
	die 74 'the file came damaged; where MIGSAFE is a container, put -T into it (docker compose run --rm -T ...)'
sync -- "$aside" 2>/dev/null || sync
mv -- "$aside" "$file"
printf '%s\n' "$file"

TZ=UTC0 printf -v oldest '%(%Y%m%d_%H%M%S)T' $(($(date +%s) - 10#$days * 86400))
for old in "${folder%/}/${database}"_backup_*.sql.gz; do
	[[ ${old##*/} =~ ^"$database"_backup_([0-9]{8}_[0-9]{6})(_[0-9]+)?\.sql\.gz$ ]] || continue
	if [[ ${BASH_REMATCH[1]} < $oldest && $old != "$file" && -f $old && ! -L $old ]]; then
		rm -f -- "$old"
		printf 'backup_database.sh: removed %s, older than %d days\n' "$old" "$((10#$days))" >&2
	fi
done
