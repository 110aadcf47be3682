#!/usr/bin/env bash
# What is applied and pending, and whether the database is healthy. See --help.
set -euo pipefail

usage() {
	cat <<'END'
usage: scripts/migration-health.sh

Prints what is applied, pending, failed (migsafe status) and what is wrong with the database (migsafe
health).

  MIGSAFE      the program, may be several words: docker compose run --rm -T migrate
  PROJECT_DIR  folder to work in, with .env (default: the one above this script's)

Exit status: that of migsafe health: 0 healthy, 12 not, 69 no database.
END
}

case $#:${1-} in
0:) ;;
1:-h | 1:--help) usage && exit 0 ;;
*) usage >&2 && exit 64 ;;
esac

PATH=$PATH:/usr/local/bin
read -ra migsafe <<<"${MIGSAFE-}"
: "${migsafe[0]:=migsafe}"
CDPATH='' cd -- "${PROJECT_DIR:-$(dirname -- "${BASH_SOURCE[0]}")/..}" || exit 71
"${migsafe[@]}" status || true
printf '\n'
exec "${migsafe[@]}" health
