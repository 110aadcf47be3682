#!/usr/bin/env bash
# Waits for the database and deploys the pending migrations. See --help.
set -euo pipefail

usage() {
	cat <<'END'
usage: scripts/deploy-migration.sh [OPTION...]

Waits until the database answers (migsafe wait), then applies the pending migrations with a backup
before them, checks, and the way back by itself (migsafe deploy). OPTIONs go to the deploy, such as
--dry-run, --again, --no-backup-after.

  MIGSAFE      the program, may be several words: docker compose run --rm -T migrate
  PROJECT_DIR  folder to work in, with .env (default: the one above this script's)

Exit status: 0 migrated or nothing to do; 10, 11 refused; 20 restored; 21 failed and unchanged; 22 a
person must decide; 69 or 79 no database; the others are in docs/EXIT.md.
END
}

case ${1-} in
-h | --help) usage && exit 0 ;;
esac

PATH=$PATH:/usr/local/bin
read -ra migsafe <<<"${MIGSAFE-}"
: "${migsafe[0]:=migsafe}"
CDPATH='' cd -- "${PROJECT_DIR:-$(dirname -- "${BASH_SOURCE[0]}")/..}" || exit 71
"${migsafe[@]}" wait
exec "${migsafe[@]}" deploy "$@"
