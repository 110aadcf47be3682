#!/usr/bin/env bash
# A full and a data-only backup of one moment, to be taken before a migration. See --help.
set -euo pipefail

usage() {
	cat <<'END'
usage: scripts/backup-before-migration.sh [OPTION...]

Takes both kinds of backup (migsafe backup, reason pre-deploy); their files are verified, old backups go
by the rules of "migsafe prune". OPTIONs are passed on, such as --label TEXT. "migsafe deploy" takes
these backups by itself: this is for migrations that are run by hand.

  MIGSAFE      the program, may be several words: docker compose run --rm -T migrate
  PROJECT_DIR  folder to work in, with .env (default: the one above this script's)

Exit status: that of migsafe.
END
}

case ${1-} in
-h | --help) usage && exit 0 ;;
esac

PATH=$PATH:/usr/local/bin
read -ra migsafe <<<"${MIGSAFE-}"
: "${migsafe[0]:=migsafe}"
CDPATH='' cd -- "${PROJECT_DIR:-$(dirname -- "${BASH_SOURCE[0]}")/..}" || exit 71
exec "${migsafe[@]}" backup --reason pre-deploy "$@"
